"""Git repositories (area `git`): names and ids. For what is in them see `repository_contents`."""

from __future__ import annotations

import uuid
from typing import Any
from urllib.parse import quote

from local.azure.devops.organization.projects import find_project, project_of, reference
from local.azure.devops.rest import Area, collection
from local.azure.identity.organization import organization
from local.azure.kernel import fields
from local.azure.kernel.cloud import Cloud
from local.azure.kernel.http import Request, Response, ServiceError, json_response

area = Area("git", id="4e080c62-fa21-4fbc-8fef-2a10a2b38049")
REPOSITORIES = area.location(
    "225f7195-f9c7-4d14-ab28-a83f7ff77e1f",
    "{project}/_apis/{area}/{resource}/{repositoryId}",
    resource="repositories",
)
_KIND = "devops-repository"


def repositories_of(cloud: Cloud, project: dict[str, Any]) -> list[dict[str, Any]]:
    """The repositories of a project, the oldest first."""
    return [one for one in cloud.store.list(_KIND) if one["project"] == project["id"]]


def find_repository(cloud: Cloud, project: dict[str, Any], asked: str) -> dict[str, Any]:
    """The repository of that id or name, as it is stored. Raises ServiceError 404."""
    for one in repositories_of(cloud, project):
        if asked.lower() in (one["id"], one["name"].lower()):
            return one
    raise ServiceError(
        404,
        "GitRepositoryNotFoundException",
        f"TF401019: The Git repository with name or identifier {asked} does not exist or you do "
        "not have permissions for the operation you are attempting.",
    )


def default_repository(cloud: Cloud, project: dict[str, Any]) -> dict[str, Any]:
    """The repository of the project's own name, or its oldest one. Raises ServiceError 404."""
    found = repositories_of(cloud, project)
    same = [one for one in found if one["name"].lower() == project["name"].lower()]
    if not found:
        return find_repository(cloud, project, project["name"])
    return (same or found)[0]


def shown(cloud: Cloud, repository: dict[str, Any]) -> dict[str, Any]:
    """A repository as the service writes it (GitRepository)."""
    project = find_project(cloud, repository["project"])
    base = organization(cloud).url
    web = f"{base}/{quote(project['name'])}/_git/{quote(repository['name'])}"
    return {
        "id": repository["id"],
        "name": repository["name"],
        "url": f"{base}/{project['id']}/_apis/git/repositories/{repository['id']}",
        "project": reference(cloud, project),
        "defaultBranch": repository.get("defaultBranch", "refs/heads/main"),
        "size": 0,
        "remoteUrl": web,
        "webUrl": web,
        "isDisabled": False,
    }


@area.on("GET", REPOSITORIES, "project")
def list_repositories(cloud: Cloud, request: Request) -> Response:
    """The repositories of a project."""
    found = repositories_of(cloud, project_of(cloud, request))
    return collection([shown(cloud, one) for one in found])


@area.on("GET", REPOSITORIES)
def list_all_repositories(cloud: Cloud, _request: Request) -> Response:
    """The repositories of all projects."""
    return collection([shown(cloud, one) for one in cloud.store.list(_KIND)])


@area.on("GET", REPOSITORIES, "project", "repositoryId")
def get_repository(cloud: Cloud, request: Request) -> Response:
    """One repository."""
    project = project_of(cloud, request)
    return json_response(
        shown(cloud, find_repository(cloud, project, request.params["repositoryId"]))
    )


@area.on("POST", REPOSITORIES, "project")
def create_repository(cloud: Cloud, request: Request) -> Response:
    """Create a repository."""
    project = project_of(cloud, request)
    name = fields.text(request.json_object(), "name")
    if name.lower() in {one["name"].lower() for one in repositories_of(cloud, project)}:
        raise ServiceError(
            409,
            "GitRepositoryNameAlreadyExistsException",
            f"TF400948: A Git repository with the name {name} already exists.",
        )
    repository = {"id": str(uuid.uuid4()), "name": name, "project": project["id"]}
    cloud.store.insert(_KIND, repository["id"], repository)
    return json_response(shown(cloud, repository), 201)
