"""Releases (area `Release`): created from a definition, deployed stage by stage by an agent.

A stage that is set to `inProgress` gets an attempt with a plan of its own; the plan's routes (see
`plans`) tell how it goes, and the end of its job is the stage's. Approvals are not kept: the local
agent asks for them itself.
"""

from __future__ import annotations

import uuid
from typing import Any

from local.azure.devops import secrets
from local.azure.devops.organization.access import RELEASE, key, open_plan
from local.azure.devops.organization.projects import find_project, project_of
from local.azure.devops.releases.release_definitions import (
    area,
    base,
    definition_of,
    summary,
)
from local.azure.devops.rest import collection, number
from local.azure.identity.organization import organization
from local.azure.kernel import fields
from local.azure.kernel.cloud import Cloud
from local.azure.kernel.http import Request, Response, ServiceError, json_response

RELEASES = area.location(
    "a166fde7-27ad-408e-ba75-703c2cc9d500",
    "{project}/_apis/{area}/{resource}/{releaseId}",
    resource="releases",
    version=8,
)
STAGES = area.location(
    "a7e426b1-03dc-48af-9dfe-c98bac612dcb",
    "{project}/_apis/{area}/releases/{releaseId}/{resource}/{environmentId}",
    resource="environments",
    version=7,
    minimum=2.2,
)
KIND = "devops-release"
# What a caller may set a stage to; the rest comes from its jobs.
_SETTABLE = ("inProgress", "rejected", "canceled", "notStarted")
_AFTER = {
    "succeeded": "succeeded",
    "partiallySucceeded": "partiallySucceeded",
    "failed": "rejected",
    "canceled": "canceled",
}


def release_of(cloud: Cloud, request: Request) -> dict[str, Any]:
    """The release that a route names, as it is stored. Raises ServiceError 404."""
    project = project_of(cloud, request)
    identity = number(request.params["releaseId"], "releaseId")
    found = cloud.store.get(KIND, key(identity))
    if found is None or found["project"] != project["id"]:
        raise ServiceError(
            404,
            "ReleaseNotFoundException",
            f"VS402881: Release with ID {identity} does not exist. Specify a valid ID.",
        )
    return found


def change_stage(cloud: Cloud, release: int, plan: str, status: str, result: str | None) -> None:
    """Let the job of a plan begin or end the stage that it deploys."""

    def change(stored: dict[str, Any]) -> None:
        for stage in stored["environments"]:
            for step in stage["deploySteps"]:
                (phase,) = step["releaseDeployPhases"]
                if phase["runPlanId"] == plan and status == "completed" and result is not None:
                    stage["status"] = _AFTER[result]
                    step["status"] = phase["status"] = result
                    step["hasStarted"] = True
                    stage["modifiedOn"] = cloud.timestamp()

    cloud.store.update(KIND, key(release), change)


@area.on("POST", RELEASES, "project")
def create_release(cloud: Cloud, request: Request) -> Response:
    """Create a release of a definition; no stage begins by itself."""
    project = project_of(cloud, request)
    body = request.json_object()
    definition = definition_of(
        cloud, project, number(str(body.get("definitionId", "")), "definitionId")
    )
    identity = cloud.store.next_number(KIND)
    own = cloud.store.next_number(f"{KIND}-of-{definition['id']}")
    now = cloud.timestamp()
    stored = {
        "id": identity,
        "project": project["id"],
        "definition": summary(cloud, project, definition),
        "name": f"Release-{own}",
        "description": fields.optional_text(body, "description") or "",
        "reason": body.get("reason") or "manual",
        "status": "active",
        "createdOn": now,
        "modifiedOn": now,
        "artifacts": _artifacts(definition["body"], fields.objects(body, "artifacts")),
        "variables": {
            **fields.mapping(definition["body"], "variables"),
            **secrets.kept(
                fields.mapping(definition["body"], "variables"), fields.mapping(body, "variables")
            ),
        },
        "environments": [
            {
                "id": cloud.store.next_number("devops-release-environment"),
                "definitionEnvironmentId": stage["id"],
                "name": stage["name"],
                "rank": stage.get("rank") or position,
                "variables": stage.get("variables") or {},
                "status": "notStarted",
                "deploySteps": [],
                "preDeployApprovals": [],
                "postDeployApprovals": [],
            }
            for position, stage in enumerate(definition["body"]["environments"], start=1)
        ],
        "job": str(uuid.uuid4()),
        "demands": fields.mapping(body, "properties").get("demands") or [],
        "sent": False,
    }
    cloud.store.insert(KIND, key(identity), stored)
    return json_response(_shown(cloud, stored))


@area.on("GET", RELEASES, "project", "releaseId")
def get_release(cloud: Cloud, request: Request) -> Response:
    """One release with its stages and their attempts."""
    return json_response(_shown(cloud, release_of(cloud, request)))


@area.on("PATCH", RELEASES, "project", "releaseId")
def update_release(cloud: Cloud, request: Request) -> Response:
    """Change the status, name or description of a release."""
    release = release_of(cloud, request)
    body = request.json_object()
    if body.get("status") not in (None, "active", "abandoned", "draft"):
        raise ServiceError(
            400, "InvalidRequestException", f"There is no status '{body['status']}'."
        )
    names = ("status", "name", "description")
    changes = {name: body[name] for name in names if body.get(name) is not None}
    return json_response(
        _shown(cloud, cloud.store.update(KIND, key(release["id"]), lambda one: one.update(changes)))
    )


@area.on("GET", RELEASES, "project")
def list_releases(cloud: Cloud, request: Request) -> Response:
    """Releases of a definition, by status and text; newest first unless asked otherwise."""
    project = project_of(cloud, request)
    query = request.query
    found = [one for one in cloud.store.list(KIND) if one["project"] == project["id"]]
    if query.get("definitionId"):
        wanted = number(query["definitionId"], "definitionId")
        found = [one for one in found if one["definition"]["id"] == wanted]
    if query.get("statusFilter"):
        found = [one for one in found if one["status"] == query["statusFilter"]]
    if query.get("searchText"):
        found = [one for one in found if query["searchText"].lower() in one["name"].lower()]
    if query.get("queryOrder", "descending").lower() != "ascending":
        found.reverse()
    top = number(query.get("$top") or "50", "$top")
    return collection([_shown(cloud, one) for one in found[:top]])


@area.on("GET", STAGES, "project", "releaseId", "environmentId")
def get_stage(cloud: Cloud, request: Request) -> Response:
    """One stage of a release."""
    release = release_of(cloud, request)
    return json_response(_stage_shown(cloud, release, _stage(release, request)))


@area.on("PATCH", STAGES, "project", "releaseId", "environmentId")
def update_stage(cloud: Cloud, request: Request) -> Response:
    """Begin a stage (`inProgress`), which is a new attempt at it, or set how it ended."""
    release = release_of(cloud, request)
    if request.caller:
        raise ServiceError(
            403, "AccessDeniedException", "VS402956: A job's access token cannot deploy stages."
        )
    status = fields.text(request.json_object(), "status")
    if status not in _SETTABLE:
        raise ServiceError(
            400, "InvalidRequestException", f"A stage cannot be set to the status '{status}'."
        )
    plan = str(uuid.uuid4())

    def change(stored: dict[str, Any]) -> None:
        stage = _stage(stored, request)
        stage["status"] = status
        stage["modifiedOn"] = cloud.timestamp()
        if status == "inProgress":
            stage["deploySteps"].append(_attempt(cloud, len(stage["deploySteps"]) + 1, plan))

    changed = cloud.store.update(KIND, key(release["id"]), change)
    if status == "inProgress":
        open_plan(cloud, plan, owner=RELEASE, number=release["id"])
    return json_response(_stage_shown(cloud, changed, _stage(changed, request)))


def _attempt(cloud: Cloud, attempt: int, plan: str) -> dict[str, Any]:
    return {
        "id": cloud.store.next_number("devops-release-attempt"),
        "deploymentId": attempt,
        "attempt": attempt,
        "reason": "manual",
        "status": "inProgress",
        "operationStatus": "PhaseInProgress",
        "hasStarted": False,
        "queuedOn": cloud.timestamp(),
        "releaseDeployPhases": [
            {
                "id": cloud.store.next_number("devops-release-phase"),
                "name": "Agent job",
                "phaseType": "agentBasedDeployment",
                "rank": 1,
                "runPlanId": plan,
                "status": "inProgress",
            }
        ],
    }


def _stage(release: dict[str, Any], request: Request) -> dict[str, Any]:
    identity = number(request.params["environmentId"], "environmentId")
    for stage in release["environments"]:
        if stage["id"] == identity:
            found: dict[str, Any] = stage
            return found
    raise ServiceError(
        404, "ReleaseEnvironmentNotFoundException", f"The release has no stage {identity}."
    )


def _artifacts(definition: dict[str, Any], given: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The definition's artifacts, each with the version that the release was created for."""
    versions = {str(one.get("alias")): fields.mapping(one, "instanceReference") for one in given}
    found = []
    for artifact in definition.get("artifacts") or []:
        version = versions.pop(artifact.get("alias"), {})
        told = {"version": {"id": version.get("id"), "name": version.get("name")}}
        definitions = {**(artifact.get("definitionReference") or {}), **told}
        found.append({**artifact, "definitionReference": definitions})
    if versions:
        raise ServiceError(
            400, "InvalidRequestException", f"There is no artifact '{next(iter(versions))}'."
        )
    return found


def _shown(cloud: Cloud, stored: dict[str, Any]) -> dict[str, Any]:
    project = find_project(cloud, stored["project"])
    found = organization(cloud)
    names = ("id", "name", "description", "reason", "status", "createdOn", "modifiedOn")
    web = f"{found.url}/{project['id']}/_release?releaseId={stored['id']}"
    return {
        **{name: stored[name] for name in (*names, "artifacts", "variables")},
        "environments": [_stage_shown(cloud, stored, one) for one in stored["environments"]],
        "releaseDefinition": stored["definition"],
        "createdBy": found.user,
        "createdFor": found.user,
        "keepForever": False,
        "projectReference": {"id": project["id"], "name": project["name"]},
        "tags": [],
        "url": f"{base(cloud, project)}/releases/{stored['id']}",
        "_links": {"web": {"href": web}},
    }


def _stage_shown(cloud: Cloud, release: dict[str, Any], stage: dict[str, Any]) -> dict[str, Any]:
    told = {"id": release["id"], "name": release["name"]}
    return {
        **stage,
        "releaseId": release["id"],
        "release": told,
        "releaseDefinition": release["definition"],
        "releaseCreatedBy": organization(cloud).user,
    }
