"""Variable groups (area `distributedtask`), which definitions and releases name by id."""

from __future__ import annotations

import fnmatch
from typing import TypedDict

from local.azure.devops import variables
from local.azure.devops.builds.plans import area
from local.azure.devops.contracts import Date, ReadOnly
from local.azure.devops.enumerations import TaskAgentPoolActionFilter, VariableGroupQueryOrder
from local.azure.devops.errors import unsupported
from local.azure.devops.organization.projects import (
    ProjectRecord,
    find_project,
    project_of,
    when_deleted,
)
from local.azure.devops.rest import number
from local.azure.devops.shapes import ProjectGiven, ProjectName
from local.azure.devops.variables import Variables, kept
from local.azure.identity.organization import organization
from local.azure.kernel.cloud import Cloud
from local.azure.kernel.http import Request, ServiceError
from local.azure.kernel.tables import Table

IN_PROJECT = area.location(
    "f5b09dd5-9d54-45a1-8b5a-1c8287d634cc",
    "{project}/_apis/{area}/{resource}/{groupId}",
    resource="variablegroups",
    version=2,
    minimum=3.1,
)
GROUPS = area.location(
    "ef5b7057-ffc3-4c77-bbad-c10b4a4abcc7",
    "_apis/{area}/{resource}/{groupId}",
    resource="variablegroups",
    version=2,
    minimum=5.2,
)


class VariableGroupRecord(TypedDict):
    """A variable group as it is stored."""

    id: int
    project: str
    type: str
    name: str
    description: str
    variables: Variables
    createdOn: str
    modifiedOn: str


_GROUPS = Table[VariableGroupRecord]("devops-variable-group")


class GroupReference(TypedDict, total=False):
    """The name of a group in a project."""

    projectReference: ProjectGiven
    name: str
    description: str


class VariableGroupBody(TypedDict, total=False):
    """The body that creates or replaces a group."""

    name: str
    description: str
    type: str
    variables: Variables
    variableGroupProjectReferences: list[GroupReference]
    id: ReadOnly
    isShared: ReadOnly
    createdBy: ReadOnly
    createdOn: ReadOnly
    modifiedBy: ReadOnly
    modifiedOn: ReadOnly


class Person(TypedDict):
    """Who made or changed a group: answers to changes name nobody, only the id."""

    displayName: str | None
    id: str


class NamedPerson(Person, total=False):
    """Who made or changed a group."""

    uniqueName: str


class ProjectReferenceShown(TypedDict):
    """The name of a group in a project, as it is shown."""

    projectReference: ProjectName
    name: str
    description: str


class _VariableGroup(TypedDict):
    variables: Variables
    id: int
    type: str
    name: str
    createdBy: NamedPerson
    createdOn: Date
    modifiedBy: NamedPerson
    modifiedOn: Date
    isShared: bool
    variableGroupProjectReferences: list[ProjectReferenceShown] | None


class VariableGroup(_VariableGroup, total=False):
    """A variable group."""

    description: str


GroupsQuery = TypedDict(
    "GroupsQuery",
    {
        "groupName": str,
        "groupIds": list[int],
        "actionFilter": TaskAgentPoolActionFilter,
        "$top": int,
        "continuationToken": int,
        "queryOrder": VariableGroupQueryOrder,
    },
    total=False,
)


def variables_of(cloud: Cloud, project: str, groups: list[int]) -> Variables:
    """The variables of groups with their secret values, for jobs only; later groups win."""
    found: Variables = {}
    for identity in groups:
        group = _GROUPS.get(cloud, identity)
        if group is not None and group["project"] == project:
            found.update(group["variables"])
    return found


@area.on("POST", IN_PROJECT, "project")
def add_group(cloud: Cloud, request: Request, body: VariableGroupBody) -> VariableGroup:
    """Create a group in the project of the route."""
    return _add(cloud, project_of(cloud, request), body)


@area.on("POST", GROUPS)
def add_group_by_reference(
    cloud: Cloud, request: Request, body: VariableGroupBody
) -> VariableGroup:
    """Create a group in the project that its body names."""
    _refuse_jobs(request)
    references = body.get("variableGroupProjectReferences", [])
    if len(references) != 1:
        raise unsupported("A variable group is of one project in the local Azure.")
    given = references[0].get("projectReference", {})
    project = find_project(cloud, given.get("id") or given.get("name") or "")
    return _add(cloud, project, body)


@area.on("GET", IN_PROJECT, "project")
def list_groups(cloud: Cloud, request: Request, query: GroupsQuery) -> list[VariableGroup]:
    """The groups of a project by name (with `*`) or ids."""
    project = project_of(cloud, request)
    found = [
        one
        for one in _GROUPS.list(cloud)
        if one["project"] == project["id"]
        and fnmatch.fnmatchcase(one["name"].lower(), query.get("groupName", "*").lower())
        and ("groupIds" not in query or one["id"] in query["groupIds"])
    ]
    # The newest first, unless asked otherwise.
    if query.get("queryOrder", "idDescending") == "idDescending":
        found.reverse()
    found = found[: query.get("$top", len(found))]
    return [{**_shown(cloud, one), "variableGroupProjectReferences": None} for one in found]


@area.on("GET", IN_PROJECT, "project", "groupId")
def get_group(cloud: Cloud, request: Request) -> VariableGroup | None:
    """One group; the service answers null for one that is not there."""
    project = project_of(cloud, request)
    found = _GROUPS.get(cloud, number(request.params["groupId"], "groupId"))
    if found is None or found["project"] != project["id"]:
        return None
    return _shown(cloud, found)


@area.on("PUT", IN_PROJECT, "project", "groupId")
@area.on("PUT", GROUPS, "groupId")
def update_group(cloud: Cloud, request: Request, body: VariableGroupBody) -> VariableGroup:
    """Replace a group; a secret that comes back without a value stays."""
    _refuse_jobs(request)
    stored = _group_of(cloud, request)
    name = body.get("name", stored["name"])
    _check_name(cloud, stored["project"], name, but=stored["id"])
    record: VariableGroupRecord = {
        **stored,
        "name": name,
        "description": body.get("description", ""),
        "variables": kept(stored["variables"], body.get("variables", {})),
        "modifiedOn": cloud.timestamp(),
    }
    _GROUPS.put(cloud, stored["id"], record)
    return _anonymous(_shown(cloud, record))


class DeleteQuery(TypedDict, total=False):
    """From which projects a group is deleted."""

    projectIds: list[str]


@area.on("DELETE", IN_PROJECT, "project", "groupId")
@area.on("DELETE", GROUPS, "groupId")
def delete_group(cloud: Cloud, request: Request, query: DeleteQuery) -> None:
    """Delete a group."""
    _refuse_jobs(request)
    stored = _group_of(cloud, request)
    if stored["project"] in query.get("projectIds", [stored["project"]]):
        _GROUPS.delete(cloud, stored["id"])


def _add(cloud: Cloud, project: ProjectRecord, body: VariableGroupBody) -> VariableGroup:
    kind, name = body.get("type", "Vsts"), body.get("name", "")
    if kind.lower() != "vsts":
        raise unsupported(f"The local Azure knows no variable group of the type '{kind}'.")
    if not name or not body.get("variables"):
        raise ServiceError(
            400, "ArgumentException", "A variable group needs a name and at least one variable."
        )
    _check_name(cloud, project["id"], name)
    now = cloud.timestamp()
    record: VariableGroupRecord = {
        "id": _GROUPS.next_number(cloud),
        "project": project["id"],
        "type": kind,
        "name": name,
        "description": body.get("description", ""),
        "variables": body["variables"],
        "createdOn": now,
        "modifiedOn": now,
    }
    _GROUPS.insert(cloud, record["id"], record)
    return _anonymous(_shown(cloud, record))


def _group_of(cloud: Cloud, request: Request) -> VariableGroupRecord:
    identity = number(request.params["groupId"], "groupId")
    found = _GROUPS.get(cloud, identity)
    asked = project_of(cloud, request)["id"] if "project" in request.params else None
    if found is None or asked not in (None, found["project"]):
        raise ServiceError(
            404,
            "VariableGroupNotFoundException",
            f"Variable group with ID {identity} does not exist.",
        )
    return found


def _check_name(cloud: Cloud, project: str, name: str, *, but: int = 0) -> None:
    for one in _GROUPS.list(cloud):
        if (one["project"], one["name"].lower()) == (project, name.lower()) and one["id"] != but:
            raise ServiceError(
                409,
                "VariableGroupExistsException",
                f"Variable group {name} cannot be added because one with the same name already "
                "exists.",
            )


def _refuse_jobs(request: Request) -> None:
    if request.caller:
        raise ServiceError(
            403, "AccessDeniedException", "A job's access token cannot change variable groups."
        )


def _shown(cloud: Cloud, stored: VariableGroupRecord) -> VariableGroup:
    user = organization(cloud).user
    project = find_project(cloud, stored["project"])
    person: NamedPerson = {
        "displayName": user["displayName"],
        "id": user["id"],
        "uniqueName": user["uniqueName"],
    }
    document: VariableGroup = {
        "variables": variables.shown(stored["variables"]),
        "id": stored["id"],
        "type": stored["type"],
        "name": stored["name"],
        "createdBy": person,
        "createdOn": stored["createdOn"],
        "modifiedBy": person,
        "modifiedOn": stored["modifiedOn"],
        "isShared": False,
        "variableGroupProjectReferences": [
            {
                "projectReference": {"id": project["id"], "name": project["name"]},
                "name": stored["name"],
                "description": stored["description"],
            }
        ],
    }
    if stored["description"]:
        document["description"] = stored["description"]
    return document


def _anonymous(document: VariableGroup) -> VariableGroup:
    """The answer to a change: as in the recordings it names nobody."""
    nobody: NamedPerson = {"displayName": None, "id": document["createdBy"]["id"]}
    return {**document, "createdBy": nobody, "modifiedBy": nobody}


@when_deleted
def _forget(cloud: Cloud, project: str) -> None:
    for one in _GROUPS.list(cloud):
        if one["project"] == project:
            _GROUPS.delete(cloud, one["id"])
