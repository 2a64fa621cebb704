"""What the tasks of a release attached, by stage and attempt (area `Release`)."""

from __future__ import annotations

from typing import TypedDict
from urllib.parse import quote

from local.azure.devops.builds.plans import attachments, content
from local.azure.devops.contracts import Date
from local.azure.devops.organization.projects import find_project
from local.azure.devops.releases.release_definitions import area, base
from local.azure.devops.releases.release_shapes import ReleaseRecord
from local.azure.devops.releases.releases import release_of
from local.azure.devops.shapes import Links
from local.azure.kernel.cloud import Cloud
from local.azure.kernel.http import Request, Response, ServiceError

_ATTEMPT = (
    "{project}/_apis/{area}/releases/{releaseId}/environments/{environmentId}"
    "/attempts/{attemptId}/plan/{planId}/"
)
_NAMES = ("project", "releaseId", "environmentId", "attemptId", "planId")
LIST = area.location(
    "a4d06688-0dfa-4895-82a5-f43ec9452306",
    _ATTEMPT + "{resource}/{type}",
    resource="attachments",
    minimum=3.2,
    released=0.0,
)
CONTENT = area.location(
    "60b86efb-7b8c-4853-8f9f-aa142b77b479",
    _ATTEMPT + "timelines/{timelineId}/records/{recordId}/{resource}/{type}/{name}",
    resource="attachments",
    minimum=3.2,
    released=0.0,
)


class ReleaseTaskAttachment(TypedDict):
    """An attachment and where its content is."""

    type: str
    name: str
    createdOn: Date
    modifiedOn: Date
    timelineId: str
    recordId: str
    _links: Links


@area.on("GET", LIST, *_NAMES, "type")
def list_attachments(cloud: Cloud, request: Request) -> list[ReleaseTaskAttachment]:
    """The attachments of one type."""
    release, params = release_of(cloud, request), request.params
    place = (
        f"{base(cloud, find_project(cloud, release['project']))}/releases/{release['id']}"
        f"/environments/{params['environmentId']}/attempts/{params['attemptId']}"
    )
    found: list[ReleaseTaskAttachment] = []
    for one in attachments(cloud, _plan(release, request), params["type"]):
        kind, name = quote(one["type"], safe=""), quote(one["name"], safe="")
        path = f"timelines/{one['timeline']}/records/{one['record']}/attachments/{kind}/{name}"
        found.append(
            {
                "type": one["type"],
                "name": one["name"],
                "createdOn": one["createdOn"],
                "modifiedOn": one["createdOn"],
                "timelineId": one["timeline"],
                "recordId": one["record"],
                "_links": {"self": {"href": f"{place}/plan/{one['timeline']}/{path}"}},
            }
        )
    return found


@area.on("GET", CONTENT, *_NAMES, "timelineId", "recordId", "type", "name")
def get_attachment(cloud: Cloud, request: Request) -> Response:
    """The bytes of an attachment."""
    params = request.params
    wanted = (params["recordId"].lower(), params["name"])
    for one in attachments(cloud, _plan(release_of(cloud, request), request), params["type"]):
        if (one["record"], one["name"]) == wanted:
            kind = {"content-type": "application/octet-stream"}
            return Response(body=content(cloud, one), headers=kind)
    raise ServiceError(
        404, "AttachmentNotFoundException", f"There is no attachment '{params['name']}'."
    )


def _plan(release: ReleaseRecord, request: Request) -> str:
    asked = request.params["planId"].lower()
    for stage in release["environments"]:
        for step in stage["deploySteps"]:
            plans = [phase["runPlanId"] for phase in step["releaseDeployPhases"]]
            place = (str(stage["id"]), str(step["attempt"]))
            if asked in plans and place == (
                request.params["environmentId"],
                request.params["attemptId"],
            ):
                return asked
    raise ServiceError(404, "DeploymentNotFoundException", "The release has no such attempt.")
