"""Plans (area `distributedtask`): what an agent tells of a running job.

Timeline records, attachments and job events arrive by the routes of the real agent
(microsoft/azure-pipelines-agent, src/Microsoft.VisualStudio.Services.Agent/JobServer.cs) and are
read by those of area `build`; for logs see `logs`. A build's timeline has the id of its plan.
"""

from __future__ import annotations

import hashlib
from typing import Any

from local.azure.devops.builds.builds import change_build
from local.azure.devops.organization.access import RELEASE, owner_of
from local.azure.devops.organization.projects import project_of
from local.azure.devops.releases.releases import change_stage
from local.azure.devops.rest import Area, collection
from local.azure.identity.organization import organization
from local.azure.kernel import fields
from local.azure.kernel.cloud import Cloud
from local.azure.kernel.http import Request, Response, ServiceError, json_response

area = Area("distributedtask", id="a85b8835-c1a1-4aac-ae97-1c3d0ba72dbd")
PLAN = "{scopeIdentifier}/_apis/{area}/hubs/{hubName}/plans/{planId}/"
PLANS = area.location(
    "5cecd946-d704-471e-a45f-3b4064fcfaba",
    "{scopeIdentifier}/_apis/{area}/hubs/{hubName}/{resource}/{planId}",
    resource="plans",
    version=2,
    minimum=2.0,
)
TIMELINES = area.location(
    "83597576-cc2c-453c-bea6-2882ae6a1653",
    PLAN + "{resource}/{timelineId}",
    resource="timelines",
    version=2,
    minimum=2.0,
)
RECORDS = area.location(
    "8893bc5b-35b2-4be7-83cb-99e683551db4",
    PLAN + "timelines/{timelineId}/{resource}/{recordId}",
    resource="records",
    version=2,
    minimum=2.0,
)
ATTACHMENTS = area.location(
    "eb55e5d6-2f30-4295-b5ed-38da50b1fc52",
    PLAN + "{resource}/{type}",
    resource="attachments",
    minimum=2.1,
)
ATTACHMENT = area.location(
    "7898f959-9cdf-4096-b29e-7f293031629e",
    PLAN + "timelines/{timelineId}/records/{recordId}/{resource}/{type}/{name}",
    resource="attachments",
    minimum=2.1,
)
EVENTS = area.location(
    "557624af-b29e-4c20-8ab0-0399d2204f3f",
    PLAN + "{resource}",
    resource="events",
    minimum=2.0,
)
_RESULTS = {
    "succeeded": "succeeded",
    "succeededwithissues": "partiallySucceeded",
    "failed": "failed",
    "canceled": "canceled",
    "skipped": "succeeded",
    "abandoned": "failed",
}


def plan_of(cloud: Cloud, request: Request) -> dict[str, Any]:
    """The timeline of the plan that a route names, with the plan's id and its project's.

    Raises:
        ServiceError: 404 when there is none; 403 when a job asks for a plan that is not its own.
    """
    project = project_of(cloud, request)
    plan = request.params["planId"].lower()
    found = cloud.store.get("devops-timeline", plan)
    owner = owner_of(cloud, found["owner"], found["number"]) if found else None
    if found is None or owner is None or owner["project"] != project["id"]:
        raise ServiceError(
            404, "TaskOrchestrationPlanNotFoundException", f"No plan found for identifier {plan}."
        )
    caller = request.caller or found
    if (caller["owner"], caller["number"]) != (found["owner"], found["number"]):
        raise ServiceError(
            403, "AccessDeniedException", "The job's access token is limited to its own plan."
        )
    return {**found, "plan": plan, "project": project["id"]}


def timeline(cloud: Cloud, plan: str) -> dict[str, Any]:
    """The timeline of a plan as the service writes it."""
    found = cloud.store.get("devops-timeline", plan) or {"records": {}, "changeId": 0}
    records = sorted(
        found["records"].values(), key=lambda one: (one.get("order") or 0, one.get("startTime"))
    )
    return {"id": plan, "changeId": found["changeId"], "records": records}


def attachments(cloud: Cloud, plan: str, kind: str = "") -> list[dict[str, Any]]:
    """The attachments of a plan, of one type where it is given (in any case)."""
    found = cloud.store.list("devops-attachment", f"{plan}/")
    return [one for one in found if not kind or one["type"].lower() == kind.lower()]


def content(cloud: Cloud, attachment: dict[str, Any]) -> bytes:
    """The bytes of an attachment."""
    return (cloud.root / "devops-files" / str(attachment["digest"])).read_bytes()


def keep(cloud: Cloud, data: bytes) -> str:
    """Put bytes into a file of the state; returns the name that `content` reads, its digest."""
    digest = hashlib.sha256(data).hexdigest()
    folder = cloud.root / "devops-files"
    folder.mkdir(exist_ok=True)
    (folder / digest).write_bytes(data)
    return digest


@area.on("GET", PLANS, "scopeIdentifier", "hubName", "planId")
def get_plan(cloud: Cloud, request: Request) -> Response:
    """A plan."""
    found = plan_of(cloud, request)
    owner = owner_of(cloud, found["owner"], found["number"]) or {}
    name = owner.get("buildNumber") or owner.get("name")
    return json_response(
        {
            "planId": found["plan"],
            "planType": found["owner"].capitalize(),
            "scopeIdentifier": found["project"],
            "timeline": {"id": found["plan"], "changeId": found["changeId"]},
            "owner": {"id": owner["id"], "name": name},
            "definition": {name: owner["definition"][name] for name in ("id", "name")},
        }
    )


@area.on("GET", TIMELINES, "scopeIdentifier", "hubName", "planId", "timelineId")
def get_timeline(cloud: Cloud, request: Request) -> Response:
    """A timeline."""
    return json_response(timeline(cloud, _timeline_of(cloud, request)))


@area.on("GET", RECORDS, "scopeIdentifier", "hubName", "planId", "timelineId")
def get_records(cloud: Cloud, request: Request) -> Response:
    """The records of a timeline."""
    return collection(timeline(cloud, _timeline_of(cloud, request))["records"])


@area.on("PATCH", RECORDS, "scopeIdentifier", "hubName", "planId", "timelineId")
def update_records(cloud: Cloud, request: Request) -> Response:
    """Add records, or change what is sent of those that are there."""
    plan = _timeline_of(cloud, request)
    sent = fields.objects(request.json_object(), "value")

    def change(stored: dict[str, Any]) -> None:
        stored["changeId"] += 1
        for record in sent:
            identity = fields.text(record, "id").lower()
            present = stored["records"].setdefault(identity, {})
            present.update({name: value for name, value in record.items() if value is not None})
            present.update(id=identity, changeId=stored["changeId"])
            present["lastModified"] = cloud.timestamp()

    stored = cloud.store.update("devops-timeline", plan, change)
    return collection([stored["records"][str(one["id"]).lower()] for one in sent])


@area.on(
    "PUT",
    ATTACHMENT,
    *("scopeIdentifier", "hubName", "planId", "timelineId", "recordId", "type", "name"),
)
def put_attachment(cloud: Cloud, request: Request) -> Response:
    """Keep a file beside a record; one of the same type and name is replaced."""
    plan, params = _timeline_of(cloud, request), request.params
    record = params["recordId"].lower()
    stored = {
        "timeline": plan,
        "record": record,
        "type": params["type"],
        "name": params["name"],
        "digest": keep(cloud, request.body),
        "createdOn": cloud.timestamp(),
    }
    key = "/".join((plan, record, stored["type"].lower(), stored["name"]))
    cloud.store.put("devops-attachment", key, stored)
    return json_response(_attachment(cloud, stored), 201)


@area.on("GET", ATTACHMENTS, "scopeIdentifier", "hubName", "planId", "type")
def list_attachments(cloud: Cloud, request: Request) -> Response:
    """The attachments of a plan of one type."""
    plan = str(plan_of(cloud, request)["plan"])
    found = attachments(cloud, plan, request.params["type"])
    return collection([_attachment(cloud, one) for one in found])


@area.on("POST", EVENTS, "scopeIdentifier", "hubName", "planId")
def raise_event(cloud: Cloud, request: Request) -> Response:
    """An event of a job: `JobStarted` and `JobCompleted` (with its result) move its owner."""
    found = plan_of(cloud, request)
    body = request.json_object()
    name = fields.text(body, "name")
    result = None
    if name == "JobStarted":
        status = "inProgress"
    elif name == "JobCompleted":
        status, result = "completed", _RESULTS.get(fields.text(body, "result").lower())
        if result is None:
            raise ServiceError(
                400, "VssPropertyValidationException", f"There is no result '{body['result']}'."
            )
    else:
        raise ServiceError(
            501, "NotImplemented", f"The local Azure does not know the job event '{name}'."
        )
    if found["owner"] == RELEASE:
        change_stage(cloud, found["number"], found["plan"], status, result)
    else:
        change_build(cloud, found["number"], status=status, result=result)
    return Response(status=204)


def _timeline_of(cloud: Cloud, request: Request) -> str:
    plan = str(plan_of(cloud, request)["plan"])
    if request.params["timelineId"].lower() != plan:
        raise ServiceError(
            404,
            "TimelineNotFoundException",
            f"No timeline found for plan {plan} and timeline {request.params['timelineId']}.",
        )
    return plan


def _attachment(cloud: Cloud, stored: dict[str, Any]) -> dict[str, Any]:
    names = ("type", "name", "createdOn")
    return {
        **{name: stored[name] for name in names},
        "timelineId": stored["timeline"],
        "recordId": stored["record"],
        "lastChangedOn": stored["createdOn"],
        "lastChangedBy": organization(cloud).user_id,
    }
