"""Projects (area `core`). There is one from the start; names are unique without regard to case.

Creating and deleting take their time, as in the service: the answer is an operation with the
status notSet, and the project is there, or gone, when the operation has succeeded.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import TypedDict, cast

from local.azure.devops.errors import unsupported
from local.azure.devops.organization import operations
from local.azure.devops.organization.operations import OperationReference
from local.azure.devops.organization.project_shapes import (
    Capabilities,
    ChangedProject,
    NewProject,
    Process,
    ProjectQuery,
    ProjectsQuery,
    TeamProject,
)
from local.azure.devops.rest import Area
from local.azure.devops.shapes import TeamProjectReference
from local.azure.identity.organization import FIRST_PROJECT, organization
from local.azure.kernel.cloud import Cloud
from local.azure.kernel.http import Request, ServiceError
from local.azure.kernel.tables import Table

area = Area("core", id="79134c72-4a58-4b42-976c-04e7115f32bf")
PROJECTS = area.location(
    "603fe2ac-9723-48b9-88ad-09305aa6c6e1",
    "_apis/{resource}/{*projectId}",
    resource="projects",
    version=4,
)
PROCESSES = area.location(
    "93878975-88c5-4e6a-8abb-7ddd77a8a7d8",
    "_apis/process/{resource}/{*processId}",
    resource="processes",
)
_BASIC = "b8a3a935-7e91-48b8-a94c-606d37c3e9f2"
_VISIBILITIES = ("private", "public", "organization")


class ProjectRecord(TypedDict):
    """A project as it is stored. `operation` created it: it is there once that has succeeded."""

    id: str
    name: str
    description: str
    visibility: str
    revision: int
    createdTime: str
    operation: str


_PROJECTS = Table[ProjectRecord]("devops-project")
_ON_DELETE: list[Callable[[Cloud, str], None]] = []
_ON_CREATE: list[Callable[[Cloud, ProjectRecord], None]] = []


def when_created(hook: Callable[[Cloud, ProjectRecord], None]) -> None:
    """Let a module add what every new project has."""
    _ON_CREATE.append(hook)


def when_deleted(hook: Callable[[Cloud, str], None]) -> None:
    """Let a module forget what it keeps of a project, by the project's id."""
    _ON_DELETE.append(hook)


@area.at_start
def make_first_project(cloud: Cloud) -> None:
    """See to it that there is a project."""
    if not _PROJECTS.list(cloud):
        _create(cloud, FIRST_PROJECT, "", "private", operation="")


def project_of(cloud: Cloud, request: Request) -> ProjectRecord:
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


def find_project(cloud: Cloud, asked: str) -> ProjectRecord:
    """The project of that id or name, as it is stored. Raises ServiceError 404."""
    for project in projects(cloud):
        if asked.lower() in (project["id"], project["name"].lower()):
            return project
    raise ServiceError(
        404,
        "ProjectDoesNotExistWithNameException",
        f"TF200016: The following project does not exist: {asked}. Verify that the name of the "
        "project is correct and that the project exists on the specified Azure DevOps Server.",
    )


def projects(cloud: Cloud) -> list[ProjectRecord]:
    """The projects that are there: created, and not being deleted."""
    _finish(cloud)
    doomed = operations.being_deleted(cloud)
    return [
        one
        for one in _PROJECTS.find(cloud)
        if one["id"] not in doomed and _state(cloud, one) == "wellFormed"
    ]


def reference(cloud: Cloud, project: ProjectRecord) -> TeamProjectReference:
    """A project as other documents carry it."""
    shown: TeamProjectReference = {
        "id": project["id"],
        "name": project["name"],
        "url": f"{organization(cloud).url}/_apis/projects/{project['id']}",
        "state": _state(cloud, project),
        "revision": project["revision"],
        "visibility": project["visibility"],
        "lastUpdateTime": project["createdTime"],
    }
    if project["description"]:
        shown["description"] = project["description"]
    return shown


def _create(
    cloud: Cloud, name: str, description: str, visibility: str, *, operation: str
) -> ProjectRecord:
    project: ProjectRecord = {
        "id": str(uuid.uuid4()),
        "name": name,
        "description": description,
        "visibility": visibility,
        "revision": 11,
        "createdTime": cloud.timestamp(),
        "operation": operation,
    }
    _PROJECTS.insert(cloud, project["id"], project)
    for hook in _ON_CREATE:
        hook(cloud, project)
    return project


# --- projects -------------------------------------------------------------------------------------


@area.on("GET", PROJECTS)
def list_projects(cloud: Cloud, query: ProjectsQuery) -> list[TeamProjectReference]:
    """All projects, of a state where it is given."""
    wanted = query.get("stateFilter", "wellFormed")
    if wanted not in ("wellFormed", "all"):
        raise unsupported(f"The local Azure does not list projects by the state '{wanted}'.")
    found = [reference(cloud, one) for one in projects(cloud)]
    start = query.get("$skip", query.get("continuationToken", 0))
    return found[start : start + query.get("$top", 100)]


@area.on("GET", PROJECTS, "projectId")
def get_project(cloud: Cloud, request: Request, query: ProjectQuery) -> TeamProject:
    """One project by id or name."""
    project = find_project(cloud, request.params["projectId"])
    base = organization(cloud).url
    shown = cast("TeamProject", dict(reference(cloud, project)))
    shown["_links"] = {
        "self": {"href": shown["url"]},
        "collection": {"href": f"{base}/_apis/projectCollections/{organization(cloud).id}"},
        "web": {"href": f"{base}/{project['name']}"},
    }
    team = str(uuid.uuid5(uuid.UUID(project["id"]), "team"))
    shown["defaultTeam"] = {
        "id": team,
        "name": f"{project['name']} Team",
        "url": f"{shown['url']}/teams/{team}",
    }
    if query.get("includeCapabilities"):
        shown["capabilities"] = {
            "processTemplate": {"templateName": "Basic", "templateTypeId": _BASIC},
            "versioncontrol": {
                "sourceControlType": "Git",
                "gitEnabled": "True",
                "tfvcEnabled": "False",
            },
        }
    return shown


@area.on("POST", PROJECTS, status=202)
def queue_create_project(cloud: Cloud, request: Request, body: NewProject) -> OperationReference:
    """Begin to create a project."""
    _refuse_jobs(request)
    name, visibility = body["name"], body.get("visibility", "private")
    if visibility not in _VISIBILITIES:
        raise unsupported(f"The local Azure creates no project of the visibility '{visibility}'.")
    _check_capabilities(body.get("capabilities", {}))
    if name.lower() in {one["name"].lower() for one in _PROJECTS.list(cloud)}:
        raise ServiceError(
            400,
            "ProjectAlreadyExistsException",
            f"TF200019: The following project already exists on the Azure DevOps Server: {name}. "
            "You cannot create a new project with the same name as an existing project. Provide "
            "a different name.",
        )
    operation = operations.begin(cloud)
    _create(cloud, name, body.get("description", ""), visibility, operation=operation["id"])
    return operation


@area.on("PATCH", PROJECTS, "projectId", status=202)
def update_project(cloud: Cloud, request: Request, body: ChangedProject) -> OperationReference:
    """Change name, description or visibility."""
    _refuse_jobs(request)
    project = find_project(cloud, request.params["projectId"])

    def change(stored: ProjectRecord) -> None:
        stored["name"] = body.get("name", stored["name"])
        stored["description"] = body.get("description", stored["description"])
        stored["visibility"] = body.get("visibility", stored["visibility"])
        stored["revision"] += 1

    _PROJECTS.update(cloud, project["id"], change)
    return operations.begin(cloud)


@area.on("DELETE", PROJECTS, "projectId", status=202)
def queue_delete_project(cloud: Cloud, request: Request) -> OperationReference:
    """Begin to delete a project with all that it holds; from now on nobody finds it."""
    _refuse_jobs(request)
    return operations.begin(cloud, deletes=find_project(cloud, request.params["projectId"])["id"])


@area.on("GET", PROCESSES)
def list_processes(cloud: Cloud) -> list[Process]:
    """The one process."""
    return [
        {
            "id": _BASIC,
            "description": "The one process of the local Azure; it has no boards.",
            "isDefault": True,
            "type": "system",
            "url": f"{organization(cloud).url}/_apis/process/processes/{_BASIC}",
            "name": "Basic",
        }
    ]


def _check_capabilities(given: Capabilities) -> None:
    control = given.get("versioncontrol", {}).get("sourceControlType", "Git")
    process = given.get("processTemplate", {}).get("templateTypeId", _BASIC)
    if control.lower() != "git":
        raise unsupported(f"The local Azure knows no version control of the type '{control}'.")
    if process.lower() != _BASIC:
        raise ServiceError(
            400, "InvalidArgumentValueException", f"There is no process of the id {process}."
        )


def _refuse_jobs(request: Request) -> None:
    if request.caller:
        raise ServiceError(
            403, "AccessDeniedException", "A job's access token cannot change projects."
        )


def _finish(cloud: Cloud) -> None:
    """Forget the projects whose deletion has ended."""
    for doomed in operations.ended_deletions(cloud):
        for hook in _ON_DELETE:
            hook(cloud, doomed)
        _PROJECTS.delete(cloud, doomed)


def _state(cloud: Cloud, project: ProjectRecord) -> str:
    return "wellFormed" if operations.has_ended(cloud, project["operation"]) else "createPending"
