"""Release definitions (area `Release`): kept as clients send them, with ids for their stages."""

from __future__ import annotations

import re
from typing import Any

from local.azure.devops import secrets
from local.azure.devops.organization.access import key
from local.azure.devops.organization.projects import project_of, reference
from local.azure.devops.rest import Area, collection, number
from local.azure.identity.organization import ORGANIZATION_HOST, organization
from local.azure.kernel import fields
from local.azure.kernel.cloud import Cloud
from local.azure.kernel.http import Request, Response, ServiceError, json_response

HOST = f"vsrm.{ORGANIZATION_HOST}"
area = Area("Release", id="efc2f575-36ef-48e9-b672-0c6fb4a48ac5", host=HOST)
DEFINITIONS = area.location(
    "d8f96f24-8ea7-4cb6-baab-2df8fc515665",
    "{project}/_apis/{area}/{resource}/{definitionId}",
    resource="definitions",
    version=4,
)
_KIND = "devops-release-definition"


def definition_of(cloud: Cloud, project: dict[str, Any], identity: int) -> dict[str, Any]:
    """A release definition as it is stored. Raises ServiceError 404."""
    found = cloud.store.get(_KIND, key(identity))
    if found is None or found["project"] != project["id"]:
        raise ServiceError(
            404,
            "ReleaseDefinitionNotFoundException",
            f"VS402884: Release definition with ID {identity} does not exist.",
        )
    return found


def base(cloud: Cloud, project: dict[str, Any]) -> str:
    """Where the releases of a project answer."""
    return f"https://{HOST}/{organization(cloud).name}/{project['id']}/_apis/Release"


def summary(cloud: Cloud, project: dict[str, Any], stored: dict[str, Any]) -> dict[str, Any]:
    """What releases show of their definition."""
    identity = stored["id"]
    return {
        "id": identity,
        "name": stored["body"]["name"],
        "path": stored["body"].get("path") or "\\",
        "projectReference": {"id": project["id"], "name": project["name"]},
        "url": f"{base(cloud, project)}/definitions/{identity}",
    }


@area.on("POST", DEFINITIONS, "project")
def create_definition(cloud: Cloud, request: Request) -> Response:
    """Create a release definition."""
    project = project_of(cloud, request)
    body = _checked(cloud, project, request.json_object(), None)
    identity = cloud.store.next_number(_KIND)
    stored = {"id": identity, "project": project["id"], "revision": 1, "body": body}
    stored["createdOn"] = cloud.timestamp()
    cloud.store.insert(_KIND, key(identity), stored)
    return json_response(_shown(cloud, project, stored))


@area.on("PUT", DEFINITIONS, "project")
@area.on("PUT", DEFINITIONS, "project", "definitionId")
def update_definition(cloud: Cloud, request: Request) -> Response:
    """Replace a release definition; the revision that was read must be the present one."""
    project = project_of(cloud, request)
    body = request.json_object()
    asked = request.params.get("definitionId") or str(body.get("id", ""))
    stored = definition_of(cloud, project, number(asked, "id"))
    if body.get("revision") != stored["revision"]:
        raise ServiceError(
            400,
            "InvalidRequestException",
            "VS402962: You are using an old copy of the release pipeline: revision "
            f"{body.get('revision')}, and the present one is {stored['revision']}. Refresh it.",
        )
    body = _checked(cloud, project, body, stored["id"])
    body = _with_secrets(stored["body"], body)
    stored = {**stored, "revision": stored["revision"] + 1, "body": body}
    cloud.store.put(_KIND, key(stored["id"]), stored)
    return json_response(_shown(cloud, project, stored))


@area.on("GET", DEFINITIONS, "project", "definitionId")
def get_definition(cloud: Cloud, request: Request) -> Response:
    """One release definition in full."""
    project = project_of(cloud, request)
    identity = number(request.params["definitionId"], "definitionId")
    return json_response(_shown(cloud, project, definition_of(cloud, project, identity)))


@area.on("DELETE", DEFINITIONS, "project", "definitionId")
def delete_definition(cloud: Cloud, request: Request) -> Response:
    """Remove a release definition; its releases stay."""
    project = project_of(cloud, request)
    identity = number(request.params["definitionId"], "definitionId")
    cloud.store.delete(_KIND, key(definition_of(cloud, project, identity)["id"]))
    return Response(status=204)


@area.on("GET", DEFINITIONS, "project")
def list_definitions(cloud: Cloud, request: Request) -> Response:
    """Release definitions by a text in their name, or by the whole name."""
    project = project_of(cloud, request)
    text = request.query.get("searchText", "").lower()
    exact = request.query.get("isExactNameMatch", "").lower() == "true"
    found = []
    for one in cloud.store.list(_KIND):
        name = one["body"]["name"].lower()
        if one["project"] == project["id"] and (name == text if exact and text else text in name):
            found.append(_shown(cloud, project, one))
    return collection(found)


def _shown(cloud: Cloud, project: dict[str, Any], stored: dict[str, Any]) -> dict[str, Any]:
    found = organization(cloud)
    web = f"{found.url}/{project['id']}/_release?definitionId={stored['id']}"
    return {
        **stored["body"],
        **summary(cloud, project, stored),
        "revision": stored["revision"],
        "createdOn": stored["createdOn"],
        "createdBy": found.user,
        "isDeleted": False,
        "_links": {"web": {"href": web}},
        "project": reference(cloud, project),
    }


def _with_secrets(present: dict[str, Any], body: dict[str, Any]) -> dict[str, Any]:
    """The body of an update with the secrets that it leaves as they are."""
    before = {stage["id"]: stage for stage in present["environments"]}
    stages = [
        {**stage, "variables": _kept(before.get(stage["id"], {}), stage)}
        for stage in body["environments"]
    ]
    return {**body, "variables": _kept(present, body), "environments": stages}


def _kept(present: dict[str, Any], given: dict[str, Any]) -> dict[str, Any]:
    return secrets.kept(fields.mapping(present, "variables"), fields.mapping(given, "variables"))


def _checked(
    cloud: Cloud, project: dict[str, Any], body: dict[str, Any], identity: int | None
) -> dict[str, Any]:
    name = fields.text(body, "name")
    for other in cloud.store.list(_KIND):
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
        {**stage, "id": stage.get("id") or cloud.store.next_number("devops-release-stage")}
        for stage in stages
    ]
    return {**body, "environments": numbered}
