"""The stages of releases (area `Release`): begun, and set to how they ended."""

from __future__ import annotations

import uuid

from local.azure.devops.builds.plan_records import open_plan
from local.azure.devops.organization.access import RELEASE
from local.azure.devops.releases.release_definitions import area
from local.azure.devops.releases.release_shapes import (
    ChangedStage,
    DeployStep,
    ReleaseRecord,
    Stage,
    StageRecord,
)
from local.azure.devops.releases.release_views import stage_shown
from local.azure.devops.releases.releases import (
    change_release,
    next_number,
    release_of,
)
from local.azure.devops.rest import number
from local.azure.devops.variables import kept
from local.azure.kernel.cloud import Cloud
from local.azure.kernel.http import Request, ServiceError

STAGES = area.location(
    "a7e426b1-03dc-48af-9dfe-c98bac612dcb",
    "{project}/_apis/{area}/releases/{releaseId}/{resource}/{environmentId}",
    resource="environments",
    version=7,
    minimum=2.2,
)
# What a caller may set a stage to; the rest comes from its jobs.
_SETTABLE = ("inProgress", "rejected", "canceled", "notStarted")


@area.on("GET", STAGES, "project", "releaseId", "environmentId")
def get_stage(cloud: Cloud, request: Request) -> Stage:
    """One stage of a release."""
    release = release_of(cloud, request)
    return stage_shown(cloud, release, _stage(release, request))


@area.on("PATCH", STAGES, "project", "releaseId", "environmentId")
def update_stage(cloud: Cloud, request: Request, body: ChangedStage) -> Stage:
    """Begin a stage (`inProgress`), which queues a new attempt at it, or set how it ended."""
    release = release_of(cloud, request)
    if request.caller:
        raise ServiceError(
            403, "AccessDeniedException", "VS402956: A job's access token cannot deploy stages."
        )
    status = body.get("status", "")
    if status not in _SETTABLE:
        raise ServiceError(
            400, "InvalidRequestException", f"A stage cannot be set to the status '{status}'."
        )
    begins = status == "inProgress"
    if begins and release["status"] != "active":
        raise ServiceError(
            400,
            "InvalidRequestException",
            f"A stage of a release whose status is '{release['status']}' cannot be deployed.",
        )
    plan = str(uuid.uuid4())

    def change(stored: ReleaseRecord) -> None:
        stage = _stage(stored, request)
        stage["status"] = "queued" if begins else status
        stage["modifiedOn"] = cloud.timestamp()
        given = kept(stage["variables"], body.get("variables", {}))
        stage["variables"] = {**stage["variables"], **given}
        if begins:
            count = len(stage["deploySteps"]) + 1
            stage["deploySteps"].append(_attempt(cloud, count, plan, body.get("comment", "")))

    changed = change_release(cloud, release["id"], change)
    if begins:
        open_plan(cloud, plan, owner=RELEASE, number=release["id"])
    return stage_shown(cloud, changed, _stage(changed, request))


def _attempt(cloud: Cloud, attempt: int, plan: str, comment: str) -> DeployStep:
    return {
        "id": next_number(cloud, "attempt"),
        "deploymentId": attempt,
        "attempt": attempt,
        "reason": "manual",
        "status": "notDeployed",
        "operationStatus": "queuedForAgent",
        "hasStarted": False,
        "queuedOn": cloud.timestamp(),
        "comment": comment,
        "releaseDeployPhases": [
            {
                "id": next_number(cloud, "phase"),
                "name": "Agent job",
                "phaseType": "agentBasedDeployment",
                "rank": 1,
                "runPlanId": plan,
                "status": "notStarted",
            }
        ],
    }


def _stage(release: ReleaseRecord, request: Request) -> StageRecord:
    identity = number(request.params["environmentId"], "environmentId")
    for stage in release["environments"]:
        if stage["id"] == identity:
            return stage
    raise ServiceError(
        404, "ReleaseEnvironmentNotFoundException", f"The release has no stage {identity}."
    )
