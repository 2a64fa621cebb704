"""Projects (area `core`). There is one from the start; names are unique without regard to case.

Creating and deleting take their time, as in the service: the answer is an operation with the
status notSet, and the project is there, or gone, when the operation has succeeded.
"""

from __future__ import annotations

import datetime
import uuid
from collections.abc import Callable
from typing import TypedDict, cast

from local.azure.devops.contracts import ReadOnly, unsupported
from local.azure.devops.enumerations import OperationStatus, ProjectVisibility
from local.azure.devops.rest import Area
from local.azure.devops.shapes import Links, TeamProjectReference
from local.azure.devops.tables import Table
from local.azure.identity.organization import FIRST_PROJECT, organization
from local.azure.kernel.cloud import Cloud
from local.azure.kernel.http import Request, ServiceError

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
operations = Area("operations", id=None)
OPERATIONS = operations.location(
    "9a1b74b4-2ca8-4a9f-8470-c2f2e6fdc949",
    "_apis/{resource}/{operationId}",
    resource="operations",
    minimum=2.0,
)
OPERATION_S = 0.3
"""How long an operation takes."""
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


class OperationRecord(TypedDict):
    """An operation as it is stored; `deletes`: the project that is gone at its end."""

    id: str
    began: str
    deletes: str


_PROJECTS = Table[ProjectRecord]("devops-project")
_OPERATIONS = Table[OperationRecord]("devops-operation")
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
    doomed = {one["deletes"] for one in _OPERATIONS.list(cloud)}
    return [
        one
        for one in _PROJECTS.list(cloud)
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


ProjectsQuery = TypedDict(
    "ProjectsQuery",
    {"stateFilter": str, "$top": int, "$skip": int, "continuationToken": int},
    total=False,
)


class ProjectQuery(TypedDict, total=False):
    """What is shown of a project. History is not kept, so there is none to include."""

    includeCapabilities: bool


class Capabilities(TypedDict, total=False):
    """What a project is made of."""

    processTemplate: dict[str, str]
    versioncontrol: dict[str, str]


class Team(TypedDict):
    """A reference to a team."""

    id: str
    name: str
    url: str


class TeamProject(TeamProjectReference, total=False):
    """A project in full."""

    _links: Links
    defaultTeam: Team  # noqa: N815
    capabilities: Capabilities


class _NewProject(TypedDict):
    name: str


class NewProject(_NewProject, total=False):
    """The body that creates a project."""

    description: str
    visibility: ProjectVisibility
    capabilities: Capabilities
    state: ReadOnly
    url: ReadOnly
    id: ReadOnly


class ChangedProject(TypedDict, total=False):
    """The body that changes a project."""

    name: str
    description: str
    visibility: ProjectVisibility


class OperationReference(TypedDict):
    """An operation when it begins."""

    id: str
    status: OperationStatus
    url: str


class Operation(OperationReference):
    """An operation when it is asked for."""

    _links: Links


class Process(TypedDict):
    """A process that projects are made of."""

    id: str
    description: str
    isDefault: bool
    type: str
    url: str
    name: str


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
    operation = _begin(cloud)
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
    return _begin(cloud)


@area.on("DELETE", PROJECTS, "projectId", status=202)
def queue_delete_project(cloud: Cloud, request: Request) -> OperationReference:
    """Begin to delete a project with all that it holds; from now on nobody finds it."""
    _refuse_jobs(request)
    return _begin(cloud, deletes=find_project(cloud, request.params["projectId"])["id"])


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


# --- operations -----------------------------------------------------------------------------------


@operations.on("GET", OPERATIONS, "operationId")
def get_operation(cloud: Cloud, request: Request) -> Operation:
    """The state of an operation."""
    found = _OPERATIONS.get(cloud, request.params["operationId"].lower())
    if found is None:
        raise ServiceError(
            404,
            "OperationNotFoundException",
            f"The operation {request.params['operationId']} was not found.",
        )
    url = _operation_url(cloud, found["id"])
    status = "succeeded" if _has_ended(cloud, found) else "inProgress"
    return {"id": found["id"], "status": status, "url": url, "_links": {"self": {"href": url}}}


def _begin(cloud: Cloud, *, deletes: str = "") -> OperationReference:
    identity = str(uuid.uuid4())
    _OPERATIONS.insert(
        cloud, identity, {"id": identity, "began": cloud.timestamp(), "deletes": deletes}
    )
    return {"id": identity, "status": "notSet", "url": _operation_url(cloud, identity)}


def _finish(cloud: Cloud) -> None:
    """Forget the projects whose deletion has ended."""
    for operation in _OPERATIONS.list(cloud):
        doomed = operation["deletes"]
        if doomed and _has_ended(cloud, operation):
            for hook in _ON_DELETE:
                hook(cloud, doomed)
            _PROJECTS.delete(cloud, doomed)
            _OPERATIONS.put(cloud, operation["id"], {**operation, "deletes": ""})


def _state(cloud: Cloud, project: ProjectRecord) -> str:
    operation = _OPERATIONS.get(cloud, project["operation"]) if project["operation"] else None
    return "wellFormed" if operation is None or _has_ended(cloud, operation) else "createPending"


def _has_ended(cloud: Cloud, operation: OperationRecord) -> bool:
    began = datetime.datetime.fromisoformat(operation["began"].replace("Z", "+00:00"))
    return (cloud.now() - began).total_seconds() >= OPERATION_S


def _operation_url(cloud: Cloud, identity: str) -> str:
    return f"{organization(cloud).url}/_apis/operations/{identity}"
