"""Projects (area `core`). There is one from the start; names are unique without regard to case."""

from __future__ import annotations

import uuid
from typing import Any

from local.azure.devops.rest import Area, collection
from local.azure.identity.organization import (
    FIRST_PROJECT,
    ORGANIZATION_HOST,
    organization,
)
from local.azure.kernel import fields
from local.azure.kernel.cloud import Cloud
from local.azure.kernel.http import Request, Response, ServiceError, json_response

area = Area("core", id="79134c72-4a58-4b42-976c-04e7115f32bf")
PROJECTS = area.location(
    "603fe2ac-9723-48b9-88ad-09305aa6c6e1",
    "_apis/{resource}/{*projectId}",
    resource="projects",
    version=4,
)
operations = Area("operations", id=None)
OPERATIONS = operations.location(
    "9a1b74b4-2ca8-4a9f-8470-c2f2e6fdc949",
    "_apis/{resource}/{operationId}",
    resource="operations",
    minimum=2.0,
)


@area.at_start
def make_first_project(cloud: Cloud) -> None:
    """See to it that there is a project."""
    if not cloud.store.list("devops-project"):
        _create(cloud, FIRST_PROJECT, "")


def project_of(cloud: Cloud, request: Request) -> dict[str, Any]:
    """The project that a route names by id or name.

    Raises:
        ServiceError: 404 when there is none; 403 when a job asks for another project than its own.
    """
    asked = request.params.get("project") or request.params.get("scopeIdentifier") or ""
    found = find_project(cloud, asked)
    own = (request.caller or {}).get("project")
    if own is not None and own != found["id"]:
        raise ServiceError(
            403,
            "AccessDeniedException",
            f"The job's access token is limited to its own project and may not use '{asked}'.",
        )
    return found


def find_project(cloud: Cloud, asked: str) -> dict[str, Any]:
    """The project of that id or name, as it is stored. Raises ServiceError 404."""
    for project in cloud.store.list("devops-project"):
        if asked.lower() in (project["id"], project["name"].lower()):
            return project
    raise ServiceError(
        404,
        "ProjectDoesNotExistWithNameException",
        f"TF200016: The following project does not exist: {asked}. Verify that the name of the "
        "project is correct and that the project exists on the specified Azure DevOps Server.",
    )


def reference(cloud: Cloud, project: dict[str, Any]) -> dict[str, Any]:
    """A project as other documents carry it (TeamProjectReference)."""
    return {
        "id": project["id"],
        "name": project["name"],
        "description": project["description"],
        "url": f"{organization(cloud).url}/_apis/projects/{project['id']}",
        "state": "wellFormed",
        "revision": 1,
        "visibility": "private",
        "lastUpdateTime": project["createdTime"],
    }


def _create(cloud: Cloud, name: str, description: str) -> dict[str, Any]:
    project = {
        "id": str(uuid.uuid4()),
        "name": name,
        "description": description,
        "createdTime": cloud.timestamp(),
    }
    cloud.store.insert("devops-project", project["id"], project)
    # Every project comes with a repository of its own name.
    repository = {"id": str(uuid.uuid4()), "name": name, "project": project["id"]}
    cloud.store.insert("devops-repository", repository["id"], repository)
    return project


@area.on("GET", PROJECTS)
def list_projects(cloud: Cloud, _request: Request) -> Response:
    """All projects."""
    return collection([reference(cloud, one) for one in cloud.store.list("devops-project")])


@area.on("GET", PROJECTS, "projectId")
def get_project(cloud: Cloud, request: Request) -> Response:
    """One project by id or name."""
    project = find_project(cloud, request.params["projectId"])
    shown = reference(cloud, project)
    web = f"https://{ORGANIZATION_HOST}/{organization(cloud).name}/{project['name']}"
    shown |= {
        "_links": {"self": {"href": shown["url"]}, "web": {"href": web}},
        "defaultTeam": {"id": project["id"], "name": f"{project['name']} Team"},
    }
    if request.query.get("includeCapabilities", "").lower() == "true":
        shown["capabilities"] = {
            "processTemplate": {"templateName": "Basic"},
            "versioncontrol": {"sourceControlType": "Git", "gitEnabled": "True"},
        }
    return json_response(shown)


@area.on("POST", PROJECTS)
def queue_create_project(cloud: Cloud, request: Request) -> Response:
    """Create a project; the answer is an operation, which has succeeded already."""
    body = request.json_object()
    name = fields.text(body, "name")
    taken = [one["name"].lower() for one in cloud.store.list("devops-project")]
    if name.lower() in taken:
        raise ServiceError(
            400,
            "ProjectAlreadyExistsException",
            f"TF200019: The following project already exists on the Azure DevOps Server: {name}.",
        )
    _create(cloud, name, fields.optional_text(body, "description") or "")
    return json_response(_operation(cloud, str(uuid.uuid4())), 202)


@operations.on("GET", OPERATIONS, "operationId")
def get_operation(cloud: Cloud, request: Request) -> Response:
    """The state of an operation: nothing here takes time, so all have succeeded."""
    return json_response(_operation(cloud, request.params["operationId"]))


def _operation(cloud: Cloud, identity: str) -> dict[str, Any]:
    return {
        "id": identity,
        "status": "succeeded",
        "url": f"{organization(cloud).url}/_apis/operations/{identity}",
    }
