"""Release definitions (area `Release`): kept as clients send them, with ids for their stages."""

from __future__ import annotations

import re
from typing import Any

from local.azure import fields
from local.azure.azure import Azure
from local.azure.devops.access import key
from local.azure.devops.organization import ORGANIZATION_HOST, organization
from local.azure.devops.projects import project_of, reference
from local.azure.devops.rest import Area, collection, number
from local.azure.web import Request, Response, ServiceError, json_response

HOST = f"vsrm.{ORGANIZATION_HOST}"
area = Area("Release", id="efc2f575-36ef-48e9-b672-0c6fb4a48ac5", host=HOST)
DEFINITIONS = area.location(
    "d8f96f24-8ea7-4cb6-baab-2df8fc515665",
    "{project}/_apis/{area}/{resource}/{definitionId}",
    resource="definitions",
    version=4,
)
_KIND = "devops-release-definition"


def definition_of(azure: Azure, project: dict[str, Any], identity: int) -> dict[str, Any]:
    """A release definition as it is stored. Raises ServiceError 404."""
    found = azure.store.get(_KIND, key(identity))
    if found is None or found["project"] != project["id"]:
        raise ServiceError(
            404,
            "ReleaseDefinitionNotFoundException",
            f"VS402884: Release definition with ID {identity} does not exist.",
        )
    return found


def base(azure: Azure, project: dict[str, Any]) -> str:
    """Where the releases of a project answer."""
    return f"https://{HOST}/{organization(azure).name}/{project['id']}/_apis/Release"


def summary(azure: Azure, project: dict[str, Any], stored: dict[str, Any]) -> dict[str, Any]:
    """What releases show of their definition."""
    identity = stored["id"]
    return {
        "id": identity,
        "name": stored["body"]["name"],
        "path": stored["body"].get("path") or "\\",
        "projectReference": {"id": project["id"], "name": project["name"]},
        "url": f"{base(azure, project)}/definitions/{identity}",
    }


@area.on("POST", DEFINITIONS, "project")
def create_definition(azure: Azure, request: Request) -> Response:
    """Create a release definition."""
    project = project_of(azure, request)
    body = _checked(azure, project, request.json_object(), None)
    identity = azure.store.next_number(_KIND)
    stored = {"id": identity, "project": project["id"], "revision": 1, "body": body}
    stored["createdOn"] = azure.timestamp()
    azure.store.insert(_KIND, key(identity), stored)
    return json_response(_shown(azure, project, stored))


@area.on("PUT", DEFINITIONS, "project")
@area.on("PUT", DEFINITIONS, "project", "definitionId")
def update_definition(azure: Azure, request: Request) -> Response:
    """Replace a release definition; the revision that was read must be the present one."""
    project = project_of(azure, request)
    body = request.json_object()
    asked = request.params.get("definitionId") or str(body.get("id", ""))
    stored = definition_of(azure, project, number(asked, "id"))
    if body.get("revision") != stored["revision"]:
        raise ServiceError(
            400,
            "InvalidRequestException",
            "VS402962: You are using an old copy of the release pipeline: revision "
            f"{body.get('revision')}, and the present one is {stored['revision']}. Refresh it.",
        )
    body = _checked(azure, project, body, stored["id"])
    stored = {**stored, "revision": stored["revision"] + 1, "body": body}
    azure.store.put(_KIND, key(stored["id"]), stored)
    return json_response(_shown(azure, project, stored))


@area.on("GET", DEFINITIONS, "project", "definitionId")
def get_definition(azure: Azure, request: Request) -> Response:
    """One release definition in full."""
    project = project_of(azure, request)
    identity = number(request.params["definitionId"], "definitionId")
    return json_response(_shown(azure, project, definition_of(azure, project, identity)))


@area.on("DELETE", DEFINITIONS, "project", "definitionId")
def delete_definition(azure: Azure, request: Request) -> Response:
    """Remove a release definition; its releases stay."""
    project = project_of(azure, request)
    identity = number(request.params["definitionId"], "definitionId")
    azure.store.delete(_KIND, key(definition_of(azure, project, identity)["id"]))
    return Response(status=204)


@area.on("GET", DEFINITIONS, "project")
def list_definitions(azure: Azure, request: Request) -> Response:
    """Release definitions by a text in their name, or by the whole name."""
    project = project_of(azure, request)
    text = request.query.get("searchText", "").lower()
    exact = request.query.get("isExactNameMatch", "").lower() == "true"
    found = []
    for one in azure.store.list(_KIND):
        name = one["body"]["name"].lower()
        if one["project"] == project["id"] and (name == text if exact and text else text in name):
            found.append(_shown(azure, project, one))
    return collection(found)


def _shown(azure: Azure, project: dict[str, Any], stored: dict[str, Any]) -> dict[str, Any]:
    found = organization(azure)
    web = f"{found.url}/{project['id']}/_release?definitionId={stored['id']}"
    return {
        **stored["body"],
        **summary(azure, project, stored),
        "revision": stored["revision"],
        "createdOn": stored["createdOn"],
        "createdBy": found.user,
        "isDeleted": False,
        "_links": {"web": {"href": web}},
        "project": reference(azure, project),
    }


def _checked(
    azure: Azure, project: dict[str, Any], body: dict[str, Any], identity: int | None
) -> dict[str, Any]:
    name = fields.text(body, "name")
    for other in azure.store.list(_KIND):
        same = other["project"] == project["id"] and other["id"] != identity
        if same and other["body"]["name"].lower() == name.lower():
            raise ServiceError(
                400,
                "ReleaseDefinitionAlreadyExistsException",
                f"Release pipeline with name '{name}' already exists. Give it another name.",
            )
    stages = fields.objects(body, "environments")
    if not stages:
        raise ServiceError(
            400, "InvalidRequestException", "VS402881: A release pipeline needs a stage."
        )
    names = [re.sub(r"\s+", " ", fields.text(stage, "name")).lower() for stage in stages]
    if len(set(names)) < len(names):
        raise ServiceError(400, "InvalidRequestException", "Stage names must be unique.")
    numbered = [
        {**stage, "id": stage.get("id") or azure.store.next_number("devops-release-stage")}
        for stage in stages
    ]
    return {**body, "environments": numbered}
