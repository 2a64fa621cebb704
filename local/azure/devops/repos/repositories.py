"""Git repositories (area `git`): names and ids. For what is in them see `branches`."""

from __future__ import annotations

import uuid
from typing import TypedDict, cast
from urllib.parse import quote

from local.azure.devops.contracts import ReadOnly
from local.azure.devops.organization.projects import (
    ProjectRecord,
    find_project,
    project_of,
    projects,
    reference,
    when_created,
    when_deleted,
)
from local.azure.devops.rest import Area
from local.azure.devops.shapes import Links, TeamProjectReference
from local.azure.identity.organization import organization
from local.azure.kernel.cloud import Cloud
from local.azure.kernel.http import Request, ServiceError
from local.azure.kernel.tables import Table

area = Area("git", id="4e080c62-fa21-4fbc-8fef-2a10a2b38049")
REPOSITORIES = area.location(
    "225f7195-f9c7-4d14-ab28-a83f7ff77e1f",
    "{project}/_apis/{area}/{resource}/{repositoryId}",
    resource="repositories",
)
MAIN = "refs/heads/main"


class RepositoryRecord(TypedDict):
    """A repository as it is stored. `defaultBranch` is empty until the first push."""

    id: str
    name: str
    project: str
    defaultBranch: str
    isDisabled: bool


_REPOSITORIES = Table[RepositoryRecord]("devops-repository")


class _GitRepository(TypedDict):
    id: str
    name: str
    url: str
    project: TeamProjectReference
    size: int
    remoteUrl: str
    sshUrl: str
    webUrl: str
    isDisabled: bool
    isInMaintenance: bool


class GitRepository(_GitRepository, total=False):
    """A repository as others show it; one without branches has no default branch."""

    defaultBranch: str


class LinkedRepository(GitRepository):
    """A repository by itself."""

    _links: Links


class ProjectGiven(TypedDict, total=False):
    """A project in a body, by id or name."""

    id: str
    name: str
    url: ReadOnly
    description: ReadOnly
    revision: ReadOnly
    state: ReadOnly
    visibility: ReadOnly
    lastUpdateTime: ReadOnly


class _NewRepository(TypedDict):
    name: str


class NewRepository(_NewRepository, total=False):
    """The body that creates a repository."""

    project: ProjectGiven


class ChangedRepository(TypedDict, total=False):
    """The body that changes a repository."""

    name: str
    defaultBranch: str
    isDisabled: bool
    id: ReadOnly
    url: ReadOnly
    project: ReadOnly
    size: ReadOnly
    remoteUrl: ReadOnly
    sshUrl: ReadOnly
    webUrl: ReadOnly
    isInMaintenance: ReadOnly
    _links: ReadOnly


class RepositoriesQuery(TypedDict, total=False):
    """How repositories are listed; none is hidden, and links are those of one repository."""

    includeHidden: bool
    includeLinks: bool
    includeAllUrls: bool


def find_repository(cloud: Cloud, project: ProjectRecord, asked: str) -> RepositoryRecord:
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


def repository_of(cloud: Cloud, request: Request) -> RepositoryRecord:
    """The repository that a route names; without a project in the route, by its id.

    Raises:
        ServiceError: 404 when there is none, 403 when a job asks for one of another project.
    """
    asked = request.params["repositoryId"]
    if "project" in request.params:
        return find_repository(cloud, project_of(cloud, request), asked)
    found = _REPOSITORIES.get(cloud, asked.lower())
    project = (request.caller or {}).get("project")
    if found is None or project not in (None, found["project"]):
        raise ServiceError(
            404,
            "GitRepositoryNotFoundException",
            f"TF401019: The Git repository with name or identifier {asked} does not exist or you "
            "do not have permissions for the operation you are attempting.",
        )
    return found


def repositories_of(cloud: Cloud, project: ProjectRecord) -> list[RepositoryRecord]:
    """The repositories of a project, the oldest first."""
    return [one for one in _REPOSITORIES.list(cloud) if one["project"] == project["id"]]


def repository_by_id(cloud: Cloud, identity: str) -> RepositoryRecord | None:
    """The repository of an id."""
    return _REPOSITORIES.get(cloud, identity)


def default_repository(cloud: Cloud, project: ProjectRecord) -> RepositoryRecord:
    """The repository of the project's own name, or its oldest one. Raises ServiceError 404."""
    found = repositories_of(cloud, project)
    same = [one for one in found if one["name"].lower() == project["name"].lower()]
    if not found:
        return find_repository(cloud, project, project["name"])
    return (same or found)[0]


def set_default_branch(cloud: Cloud, repository: str, branch: str) -> None:
    """Make the branch of the first push the default of a repository that has none."""

    def change(stored: RepositoryRecord) -> None:
        stored["defaultBranch"] = stored["defaultBranch"] or branch

    _REPOSITORIES.update(cloud, repository, change)


def api_url(cloud: Cloud, repository: RepositoryRecord) -> str:
    """Where a repository answers."""
    base = f"{organization(cloud).url}/{repository['project']}"
    return f"{base}/_apis/git/repositories/{repository['id']}"


def shown(cloud: Cloud, repository: RepositoryRecord) -> GitRepository:
    """A repository as the service writes it."""
    project = find_project(cloud, repository["project"])
    found = organization(cloud)
    names = f"{quote(project['name'])}/_git/{quote(repository['name'])}"
    ssh = f"{found.name}/{quote(project['name'])}/{quote(repository['name'])}"
    document: GitRepository = {
        "id": repository["id"],
        "name": repository["name"],
        "url": api_url(cloud, repository),
        "project": reference(cloud, project),
        "size": 0,
        "remoteUrl": f"{found.url.replace('https://', f'https://{found.name}@')}/{names}",
        "sshUrl": f"git@ssh.dev.azure.com:v3/{ssh}",
        "webUrl": f"{found.url}/{names}",
        "isDisabled": repository["isDisabled"],
        "isInMaintenance": False,
    }
    if repository["defaultBranch"]:
        document["defaultBranch"] = repository["defaultBranch"]
    return document


def _linked(cloud: Cloud, repository: RepositoryRecord) -> LinkedRepository:
    document = cast("LinkedRepository", dict(shown(cloud, repository)))
    url = document["url"]
    document["_links"] = {
        "self": {"href": url},
        "project": {"href": f"vstfs:///Classification/TeamProject/{repository['project']}"},
        "web": {"href": document["webUrl"]},
        "ssh": {"href": document["sshUrl"]},
        "commits": {"href": f"{url}/commits"},
        "refs": {"href": f"{url}/refs"},
        "pullRequests": {"href": f"{url}/pullRequests"},
        "items": {"href": f"{url}/items"},
        "pushes": {"href": f"{url}/pushes"},
    }
    return document


@area.on("GET", REPOSITORIES, "project")
def list_repositories(
    cloud: Cloud, request: Request, query: RepositoriesQuery
) -> list[GitRepository]:
    """The repositories of a project."""
    del query
    return [shown(cloud, one) for one in repositories_of(cloud, project_of(cloud, request))]


@area.on("GET", REPOSITORIES)
def list_all_repositories(cloud: Cloud, query: RepositoriesQuery) -> list[GitRepository]:
    """The repositories of all projects."""
    del query
    return [
        shown(cloud, one) for project in projects(cloud) for one in repositories_of(cloud, project)
    ]


class RepositoryQuery(TypedDict, total=False):
    """What is shown of a repository; there are no forks."""

    includeParent: bool


@area.on("GET", REPOSITORIES, "project", "repositoryId")
@area.on("GET", REPOSITORIES, "repositoryId")
def get_repository(cloud: Cloud, request: Request, query: RepositoryQuery) -> LinkedRepository:
    """One repository."""
    del query
    return _linked(cloud, repository_of(cloud, request))


@area.on("POST", REPOSITORIES, "project", status=201)
@area.on("POST", REPOSITORIES, status=201)
def create_repository(cloud: Cloud, request: Request, body: NewRepository) -> GitRepository:
    """Create a repository in the project of the route or of the body."""
    if "project" in request.params:
        project = project_of(cloud, request)
    else:
        given = body.get("project", {})
        project = find_project(cloud, given.get("id") or given.get("name") or "")
    _check_name(cloud, project, body["name"])
    return shown(cloud, _create(cloud, project, body["name"]))


@area.on("PATCH", REPOSITORIES, "project", "repositoryId")
@area.on("PATCH", REPOSITORIES, "repositoryId")
def update_repository(cloud: Cloud, request: Request, body: ChangedRepository) -> GitRepository:
    """Change the name or the default branch, or disable it."""
    repository = repository_of(cloud, request)
    name = body.get("name", repository["name"])
    if name.lower() != repository["name"].lower():
        _check_name(cloud, find_project(cloud, repository["project"]), name)

    def change(stored: RepositoryRecord) -> None:
        stored["name"] = name
        stored["defaultBranch"] = body.get("defaultBranch", stored["defaultBranch"])
        stored["isDisabled"] = body.get("isDisabled", stored["isDisabled"])

    return shown(cloud, _REPOSITORIES.update(cloud, repository["id"], change))


@area.on("DELETE", REPOSITORIES, "project", "repositoryId")
@area.on("DELETE", REPOSITORIES, "repositoryId")
def delete_repository(cloud: Cloud, request: Request) -> None:
    """Delete a repository."""
    _REPOSITORIES.delete(cloud, repository_of(cloud, request)["id"])


def _check_name(cloud: Cloud, project: ProjectRecord, name: str) -> None:
    if name.lower() in {one["name"].lower() for one in repositories_of(cloud, project)}:
        raise ServiceError(
            409,
            "GitRepositoryNameAlreadyExistsException",
            f"TF400948: A Git repository with the name {name} already exists.",
        )


def _create(cloud: Cloud, project: ProjectRecord, name: str) -> RepositoryRecord:
    repository: RepositoryRecord = {
        "id": str(uuid.uuid4()),
        "name": name,
        "project": project["id"],
        "defaultBranch": "",
        "isDisabled": False,
    }
    _REPOSITORIES.insert(cloud, repository["id"], repository)
    return repository


@when_created
def _first_repository(cloud: Cloud, project: ProjectRecord) -> None:
    """Every project comes with a repository of its own name."""
    _create(cloud, project, project["name"])


@when_deleted
def _forget(cloud: Cloud, project: str) -> None:
    for one in _REPOSITORIES.list(cloud):
        if one["project"] == project:
            _REPOSITORIES.delete(cloud, one["id"])
