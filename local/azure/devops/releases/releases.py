"""Releases (area `Release`): created from a definition, deployed stage by stage by an agent.

A stage that is set to `inProgress` is queued and gets an attempt with a plan of its own; the plan's
routes (see `plans`) tell how it goes: its job's first event begins the stage, the last ends it.
Approvals are not kept: the local agent asks for them itself.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import TypedDict, cast

from local.azure.devops.contracts import Page
from local.azure.devops.enumerations import ReleaseExpands, ReleaseQueryOrder, ReleaseStatus
from local.azure.devops.errors import unsupported
from local.azure.devops.organization.access import RELEASE, Owner, owner_kind
from local.azure.devops.organization.projects import (
    ProjectRecord,
    project_of,
    when_deleted,
)
from local.azure.devops.releases.definition_shapes import ArtifactBody, ReleaseDefinitionRecord
from local.azure.devops.releases.release_definitions import (
    NAME_FORMAT,
    area,
    definition_of,
    summary,
)
from local.azure.devops.releases.release_names import release_name
from local.azure.devops.releases.release_shapes import (
    ArtifactVersion,
    ChangedRelease,
    NewRelease,
    Release,
    ReleaseRecord,
    StageRecord,
)
from local.azure.devops.releases.release_views import shown
from local.azure.devops.rest import number
from local.azure.devops.variables import kept
from local.azure.identity.organization import organization
from local.azure.kernel.cloud import Cloud
from local.azure.kernel.http import Request, ServiceError
from local.azure.kernel.tables import Table

RELEASES = area.location(
    "a166fde7-27ad-408e-ba75-703c2cc9d500",
    "{project}/_apis/{area}/{resource}/{releaseId}",
    resource="releases",
    version=8,
)
_RELEASES = Table[ReleaseRecord]("devops-release")
_RUNNING = ("queued", "inProgress")
# Result of a job: status of its stage, of the attempt, of its phase.
_AFTER = {
    "succeeded": ("succeeded", "succeeded", "phaseSucceeded"),
    "partiallySucceeded": ("partiallySucceeded", "partiallySucceeded", "phasePartiallySucceeded"),
    "failed": ("rejected", "failed", "phaseFailed"),
    "canceled": ("canceled", "failed", "phaseCanceled"),
}
ReleasesQuery = TypedDict(
    "ReleasesQuery",
    {
        "definitionId": int,
        "searchText": str,
        "createdBy": str,
        "statusFilter": ReleaseStatus,
        "queryOrder": ReleaseQueryOrder,
        "releaseIdFilter": list[int],
        "$expand": list[ReleaseExpands],
        "$top": int,
        "continuationToken": int,
    },
    total=False,
)


def releases(cloud: Cloud) -> list[ReleaseRecord]:
    """All releases, the oldest first."""
    return list(_RELEASES.find(cloud))


def release_of(cloud: Cloud, request: Request) -> ReleaseRecord:
    """The release that a route names, as it is stored. Raises ServiceError 404."""
    project = project_of(cloud, request)
    identity = number(request.params["releaseId"], "releaseId")
    found = _RELEASES.get(cloud, identity)
    if found is None or found["project"] != project["id"]:
        raise ServiceError(
            404,
            "ReleaseNotFoundException",
            f"VS402881: Release with ID {identity} does not exist. Specify a valid ID.",
        )
    return found


@owner_kind(RELEASE)
def _owner(cloud: Cloud, identity: int) -> Owner | None:
    found = _RELEASES.get(cloud, identity)
    if found is None:
        return None
    return Owner(
        number=identity,
        name=found["name"],
        project=found["project"],
        definition=found["definition"]["id"],
        definition_name=found["definition"]["name"],
        running=any(stage["status"] in _RUNNING for stage in found["environments"]),
    )


def take(cloud: Cloud, identity: int) -> bool:
    """Give a release to an agent; False when another has it already."""
    before: list[bool] = []

    def change(stored: ReleaseRecord) -> None:
        before.append(stored["sent"])
        stored["sent"] = True

    _RELEASES.update(cloud, identity, change)
    return not before[0]


def change_release(
    cloud: Cloud, identity: int, change: Callable[[ReleaseRecord], None]
) -> ReleaseRecord:
    """Let `change` edit a stored release; returns it."""
    return _RELEASES.update(cloud, identity, change)


def next_number(cloud: Cloud, of: str) -> int:
    """The next id of an attempt or a phase."""
    return _RELEASES.next_number(cloud, of=of)


def change_stage(cloud: Cloud, release: int, plan: str, status: str, result: str) -> None:
    """Let the job of a plan begin or end the stage that it deploys."""

    def change(stored: ReleaseRecord) -> None:
        for stage in stored["environments"]:
            for step in stage["deploySteps"]:
                (phase,) = step["releaseDeployPhases"]
                if phase["runPlanId"] != plan:
                    continue
                step["hasStarted"] = True
                stage["modifiedOn"] = cloud.timestamp()
                if status == "inProgress":
                    stage["status"] = step["status"] = phase["status"] = "inProgress"
                    step["operationStatus"] = "phaseInProgress"
                else:
                    stage["status"], step["status"], step["operationStatus"] = _AFTER[result]
                    phase["status"] = result

    _RELEASES.update(cloud, release, change)


@area.on("POST", RELEASES, "project")
def create_release(cloud: Cloud, request: Request, body: NewRelease) -> Release:
    """Create a release of a definition; no stage begins by itself."""
    project = project_of(cloud, request)
    definition = definition_of(cloud, project, body["definitionId"])
    if definition["body"].get("isDisabled"):
        raise ServiceError(
            403,
            "ReleaseDefinitionDisabledException",
            f"Release pipeline {definition['body']['name']} is disabled.",
        )
    identity, now = _RELEASES.next_number(cloud), cloud.timestamp()
    known = definition["body"].get("variables", {})
    artifacts = _artifacts(definition["body"].get("artifacts", []), body.get("artifacts", []))
    record: ReleaseRecord = {
        "id": identity,
        "project": project["id"],
        "definition": summary(cloud, project, definition),
        "definitionRevision": definition["revision"],
        "name": _name(cloud, project, definition, identity, artifacts),
        "nameFormat": definition["body"].get("releaseNameFormat", NAME_FORMAT),
        "description": body.get("description", ""),
        "comment": "",
        "reason": body.get("reason", "manual"),
        "status": "draft" if body.get("isDraft") else "active",
        "keepForever": False,
        "createdOn": now,
        "modifiedOn": now,
        "artifacts": artifacts,
        "variables": {**known, **kept(known, body.get("variables", {}))},
        "variableGroups": definition["body"].get("variableGroups", []),
        "environments": _stages(cloud, definition, body),
        "job": str(uuid.uuid4()),
        "demands": body.get("properties", {}).get("demands", []),
        "sent": False,
    }
    _RELEASES.insert(cloud, identity, record)
    return shown(cloud, record)


@area.on("GET", RELEASES, "project", "releaseId")
def get_release(cloud: Cloud, request: Request) -> Release:
    """One release with its stages and their attempts."""
    return shown(cloud, release_of(cloud, request))


@area.on("PATCH", RELEASES, "project", "releaseId")
def update_release(cloud: Cloud, request: Request, body: ChangedRelease) -> Release:
    """Change the status, name or description of a release, or keep it forever."""
    release = release_of(cloud, request)
    if body.get("status") == "undefined":
        raise ServiceError(400, "InvalidRequestException", "A release has no undefined status.")

    def change(stored: ReleaseRecord) -> None:
        stored["status"] = body.get("status", stored["status"])
        stored["name"] = body.get("name", stored["name"])
        stored["description"] = body.get("description", stored["description"])
        stored["comment"] = body.get("comment", stored["comment"])
        stored["keepForever"] = body.get("keepForever", stored["keepForever"])
        stored["modifiedOn"] = cloud.timestamp()

    return shown(cloud, _RELEASES.update(cloud, release["id"], change))


@area.on("GET", RELEASES, "project")
def list_releases(cloud: Cloud, request: Request, query: ReleasesQuery) -> Page[Release]:
    """Releases of a definition, by status and text; newest first unless asked otherwise."""
    project, user = project_of(cloud, request), organization(cloud).user
    text, author = query.get("searchText", "").lower(), query.get("createdBy", user["id"])
    found = [
        one
        for one in _RELEASES.find(cloud, {"project": project["id"]})
        if query.get("definitionId", one["definition"]["id"]) == one["definition"]["id"]
        and query.get("statusFilter", one["status"]) == one["status"]
        and ("releaseIdFilter" not in query or one["id"] in query["releaseIdFilter"])
        and text in one["name"].lower()
        and author in (user["id"], user["displayName"], user["uniqueName"])
    ]
    if query.get("queryOrder", "descending") == "descending":
        found.reverse()
    start = query.get("continuationToken", 0)
    end = start + query.get("$top", 50)
    hidden = {"environments", "artifacts"} - set(query.get("$expand", []))
    values = [
        cast("Release", {name: value for name, value in one.items() if name not in hidden})
        for one in (shown(cloud, stored) for stored in found[start:end])
    ]
    return Page(values, str(end) if end < len(found) else "")


def _stages(
    cloud: Cloud, definition: ReleaseDefinitionRecord, body: NewRelease
) -> list[StageRecord]:
    more = {
        one.get("definitionEnvironmentId"): one.get("variables", {})
        for one in body.get("environmentsMetadata", [])
    }
    return [
        {
            "id": _RELEASES.next_number(cloud, of="stage"),
            "definitionEnvironmentId": stage["id"],
            "name": stage["name"],
            "rank": stage["rank"],
            "variables": {
                **stage["variables"],
                **kept(stage["variables"], more.get(stage["id"], {})),
            },
            "variableGroups": stage.get("variableGroups", []),
            "status": "notStarted",
            "modifiedOn": "",
            "deploySteps": [],
            "conditions": stage.get("conditions", []),
        }
        for stage in definition["body"]["environments"]
    ]


def _name(
    cloud: Cloud,
    project: ProjectRecord,
    definition: ReleaseDefinitionRecord,
    identity: int,
    artifacts: list[ArtifactBody],
) -> str:
    body = definition["body"]
    given = {
        name.lower(): str(one.get("value") or "")
        for name, one in body.get("variables", {}).items()
        if one.get("isSecret") is not True
    }
    version = artifacts[0].get("definitionReference", {}).get("version", {}) if artifacts else {}
    known = {
        **given,
        "release.releaseid": str(identity),
        "release.definitionname": body["name"],
        "system.teamproject": project["name"],
        "build.buildnumber": str(version.get("name") or ""),
    }

    def revision(rest: str) -> int:
        return _RELEASES.next_number(cloud, of=f"of-{definition['id']}-{rest}")

    form = body.get("releaseNameFormat") or NAME_FORMAT
    return release_name(form, variables=known, now=cloud.now(), revision=revision)


def _artifacts(definition: list[ArtifactBody], given: list[ArtifactVersion]) -> list[ArtifactBody]:
    """The definition's artifacts, each with the version that the release was created for."""
    versions = {one.get("alias", ""): one.get("instanceReference", {}) for one in given}
    found: list[ArtifactBody] = []
    for artifact in definition:
        version = versions.pop(artifact.get("alias", ""), {})
        if version.get("sourceRepositoryId") or version.get("sourceRepositoryType"):
            raise unsupported("The local Azure knows builds as artifacts, not repositories.")
        shown = {"id": version.get("id"), "name": version.get("name")}
        references = {**artifact.get("definitionReference", {}), "version": shown}
        for name, value in (
            ("branch", version.get("sourceBranch")),
            ("sourceVersion", version.get("sourceVersion")),
        ):
            if value is not None:
                references[name] = {"id": value, "name": value}
        found.append({**artifact, "definitionReference": references})
    if versions:
        raise ServiceError(
            400, "InvalidRequestException", f"There is no artifact '{next(iter(versions))}'."
        )
    return found


@when_deleted
def _forget(cloud: Cloud, project: str) -> None:
    for one in _RELEASES.find(cloud, {"project": project}):
        _RELEASES.delete(cloud, one["id"])
