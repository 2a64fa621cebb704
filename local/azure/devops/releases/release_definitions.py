"""Release definitions (area `Release`): kept as clients send them, with ids for their stages."""

from __future__ import annotations

import re
from typing import TypedDict, cast

from local.azure.devops.contracts import Page
from local.azure.devops.enumerations import ReleaseDefinitionExpands, ReleaseDefinitionQueryOrder
from local.azure.devops.organization.projects import (
    ProjectRecord,
    project_of,
    reference,
    when_deleted,
)
from local.azure.devops.releases.definition_shapes import (
    ReleaseDefinition,
    ReleaseDefinitionBody,
    ReleaseDefinitionRecord,
    ReleaseDefinitionReference,
    StageBody,
)
from local.azure.devops.rest import Area, number
from local.azure.devops.variables import kept, shown
from local.azure.identity.organization import ORGANIZATION_HOST, organization
from local.azure.kernel.cloud import Cloud
from local.azure.kernel.http import Request, ServiceError
from local.azure.kernel.tables import Table

HOST = f"vsrm.{ORGANIZATION_HOST}"
area = Area("Release", id="efc2f575-36ef-48e9-b672-0c6fb4a48ac5", host=HOST)
DEFINITIONS = area.location(
    "d8f96f24-8ea7-4cb6-baab-2df8fc515665",
    "{project}/_apis/{area}/{resource}/{definitionId}",
    resource="definitions",
    version=4,
)
NAME_FORMAT = "Release-$(rev:r)"
_DEFINITIONS = Table[ReleaseDefinitionRecord]("devops-release-definition")
_KEPT = ("triggers", "retentionPolicy", "pipelineProcess", "tags", "comment", "isDisabled")
"""Members that are shown as they were sent, where they were."""
DefinitionsQuery = TypedDict(
    "DefinitionsQuery",
    {
        "searchText": str,
        "isExactNameMatch": bool,
        "path": str,
        "definitionIdFilter": list[int],
        "tagFilter": list[str],
        "queryOrder": ReleaseDefinitionQueryOrder,
        "$expand": list[ReleaseDefinitionExpands],
        "$top": int,
        "continuationToken": int,
    },
    total=False,
)


def definition_of(cloud: Cloud, project: ProjectRecord, identity: int) -> ReleaseDefinitionRecord:
    """A release definition as it is stored. Raises ServiceError 404."""
    found = _DEFINITIONS.get(cloud, identity)
    if found is None or found["project"] != project["id"]:
        raise ServiceError(
            404,
            "ReleaseDefinitionNotFoundException",
            f"VS402884: Release definition with ID {identity} does not exist.",
        )
    return found


def base(cloud: Cloud, project: ProjectRecord) -> str:
    """Where the releases of a project answer."""
    return f"https://{HOST}/{organization(cloud).name}/{project['id']}/_apis/Release"


def summary(
    cloud: Cloud, project: ProjectRecord, stored: ReleaseDefinitionRecord
) -> ReleaseDefinitionReference:
    """What releases show of their definition."""
    identity = stored["id"]
    url = f"{base(cloud, project)}/definitions/{identity}"
    web = f"{organization(cloud).url}/{project['id']}/_release?definitionId={identity}"
    return {
        "id": identity,
        "name": stored["body"]["name"],
        "path": stored["body"].get("path") or "\\",
        "projectReference": {"id": project["id"], "name": project["name"]},
        "url": url,
        "_links": {"self": {"href": url}, "web": {"href": web}},
    }


@area.on("POST", DEFINITIONS, "project")
def create_definition(
    cloud: Cloud, request: Request, body: ReleaseDefinitionBody
) -> ReleaseDefinition:
    """Create a release definition."""
    project = project_of(cloud, request)
    checked = _checked(cloud, project, body, None)
    identity, now = _DEFINITIONS.next_number(cloud), cloud.timestamp()
    record: ReleaseDefinitionRecord = {
        "id": identity,
        "project": project["id"],
        "revision": 1,
        "createdOn": now,
        "modifiedOn": now,
        "body": checked,
    }
    _DEFINITIONS.insert(cloud, identity, record)
    return _shown(cloud, project, record)


@area.on("PUT", DEFINITIONS, "project")
@area.on("PUT", DEFINITIONS, "project", "definitionId")
def update_definition(
    cloud: Cloud, request: Request, body: ReleaseDefinitionBody
) -> ReleaseDefinition:
    """Replace a release definition; the revision that was read must be the present one."""
    project = project_of(cloud, request)
    asked = request.params.get("definitionId") or str(body.get("id", ""))
    stored = definition_of(cloud, project, number(asked, "id"))
    if body.get("revision") != stored["revision"]:
        raise ServiceError(
            400,
            "InvalidRequestException",
            "VS402962: You are using an old copy of the release pipeline: revision "
            f"{body.get('revision')}, and the present one is {stored['revision']}. Refresh it.",
        )
    checked = _with_secrets(stored["body"], _checked(cloud, project, body, stored["id"]))
    record: ReleaseDefinitionRecord = {
        **stored,
        "revision": stored["revision"] + 1,
        "modifiedOn": cloud.timestamp(),
        "body": checked,
    }
    _DEFINITIONS.put(cloud, stored["id"], record)
    return _shown(cloud, project, record)


@area.on("GET", DEFINITIONS, "project", "definitionId")
def get_definition(cloud: Cloud, request: Request) -> ReleaseDefinition:
    """One release definition in full."""
    project = project_of(cloud, request)
    identity = number(request.params["definitionId"], "definitionId")
    return _shown(cloud, project, definition_of(cloud, project, identity))


class DeleteQuery(TypedDict, total=False):
    """Why a definition is deleted, and whether running releases hinder it: they never do."""

    comment: str
    forceDelete: bool


@area.on("DELETE", DEFINITIONS, "project", "definitionId")
def delete_definition(cloud: Cloud, request: Request, query: DeleteQuery) -> None:
    """Remove a release definition; its releases stay."""
    del query
    project = project_of(cloud, request)
    identity = number(request.params["definitionId"], "definitionId")
    _DEFINITIONS.delete(cloud, definition_of(cloud, project, identity)["id"])


@area.on("GET", DEFINITIONS, "project")
def list_definitions(
    cloud: Cloud, request: Request, query: DefinitionsQuery
) -> Page[ReleaseDefinition]:
    """Release definitions by a text in their name or the whole name, ids, folder and tags."""
    project = project_of(cloud, request)
    found = [
        one
        for one in _DEFINITIONS.list(cloud)
        if one["project"] == project["id"] and _matches(one, query)
    ]
    order = query.get("queryOrder", "idAscending")
    if order.startswith("name"):
        found.sort(key=lambda one: one["body"]["name"].lower())
    if order.endswith("Descending"):
        found.reverse()
    start = query.get("continuationToken", 0)
    end = start + query.get("$top", 10_000)
    expanded = query.get("$expand", [])
    values = [_listed(_shown(cloud, project, one), expanded) for one in found[start:end]]
    return Page(values, str(end) if end < len(found) else "")


def _matches(one: ReleaseDefinitionRecord, query: DefinitionsQuery) -> bool:
    name, text = one["body"]["name"].lower(), query.get("searchText", "").lower()
    path = one["body"].get("path", "\\").lower()
    tags = {tag.lower() for tag in one["body"].get("tags", [])}
    return (
        (name == text if query.get("isExactNameMatch") and text else text in name)
        and ("definitionIdFilter" not in query or one["id"] in query["definitionIdFilter"])
        and query.get("path", path).lower() == path
        and {tag.lower() for tag in query.get("tagFilter", [])} <= tags
    )


def _listed(document: ReleaseDefinition, expanded: list[str]) -> ReleaseDefinition:
    """A definition in a list: what can be expanded is left out unless it is asked for."""
    hidden = {"environments", "artifacts", "triggers", "variables", "tags"} - set(expanded)
    shown = {name: value for name, value in document.items() if name not in hidden}
    return cast("ReleaseDefinition", shown)


def _shown(
    cloud: Cloud, project: ProjectRecord, stored: ReleaseDefinitionRecord
) -> ReleaseDefinition:
    user, body, own = organization(cloud).user, stored["body"], summary(cloud, project, stored)
    kept = {name: value for name, value in body.items() if name in _KEPT}
    document: ReleaseDefinition = {
        "id": own["id"],
        "name": own["name"],
        "path": own["path"],
        "projectReference": own["projectReference"],
        "url": own["url"],
        "_links": own["_links"],
        "source": body.get("source", "restApi"),
        "revision": stored["revision"],
        "description": body.get("description"),
        "createdBy": user,
        "createdOn": stored["createdOn"],
        "modifiedBy": user,
        "modifiedOn": stored["modifiedOn"],
        "isDeleted": False,
        "variableGroups": body.get("variableGroups", []),
        "releaseNameFormat": body.get("releaseNameFormat", NAME_FORMAT),
        "properties": body.get("properties", {}),
        "project": reference(cloud, project),
        "variables": shown(body.get("variables", {})),
        "environments": [
            {**stage, "variables": shown(stage["variables"])} for stage in body["environments"]
        ],
        "artifacts": body.get("artifacts", []),
    }
    return cast("ReleaseDefinition", {**document, **kept})


def _with_secrets(
    present: ReleaseDefinitionBody, body: ReleaseDefinitionBody
) -> ReleaseDefinitionBody:
    """The body of an update with the secrets that it leaves as they are."""
    before = {stage.get("id"): stage.get("variables", {}) for stage in present["environments"]}
    for stage in body["environments"]:
        stage["variables"] = kept(before.get(stage.get("id"), {}), stage.get("variables", {}))
    body["variables"] = kept(present.get("variables", {}), body.get("variables", {}))
    return body


def _checked(
    cloud: Cloud, project: ProjectRecord, body: ReleaseDefinitionBody, identity: int | None
) -> ReleaseDefinitionBody:
    """The body with ids for its stages. Raises ServiceError for what a definition cannot be."""
    for other in _DEFINITIONS.list(cloud):
        same = other["project"] == project["id"] and other["id"] != identity
        if same and other["body"]["name"].lower() == body["name"].lower():
            raise ServiceError(
                409,
                "ReleaseDefinitionAlreadyExistsException",
                f"Release pipeline with name '{body['name']}' already exists. Give it another "
                "name.",
            )
    stages = body.get("environments", [])
    if not stages:
        raise ServiceError(
            400, "InvalidRequestException", "VS402881: A release pipeline needs a stage."
        )
    names = [re.sub(r"\s+", " ", stage.get("name", "")).lower() for stage in stages]
    if len(set(names)) < len(names) or "" in names:
        raise ServiceError(
            400, "InvalidRequestException", "Each stage needs a name, and the names are unique."
        )
    numbered: list[StageBody] = [
        {
            **stage,
            "id": stage.get("id") or _DEFINITIONS.next_number(cloud, of="stage"),
            "rank": stage.get("rank", position),
            "variables": stage.get("variables", {}),
        }
        for position, stage in enumerate(stages, start=1)
    ]
    return {**body, "environments": numbered}


@when_deleted
def _forget(cloud: Cloud, project: str) -> None:
    for one in _DEFINITIONS.list(cloud):
        if one["project"] == project:
            _DEFINITIONS.delete(cloud, one["id"])
