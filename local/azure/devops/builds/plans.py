"""Plans (area `distributedtask`): what an agent tells of a running job.

Timeline records, attachments and job events arrive by the routes of the real agent
(microsoft/azure-pipelines-agent, src/Microsoft.VisualStudio.Services.Agent/JobServer.cs) and are
read by those of area `build`; for logs see `logs`. A build's timeline has the id of its plan.
"""

from __future__ import annotations

import hashlib
from typing import TypedDict

from local.azure.devops.builds.builds import set_state
from local.azure.devops.builds.plan_records import PLANS, PlanRecord
from local.azure.devops.builds.plan_shapes import (
    JobEvent,
    Plan,
    SentRecords,
    TaskAttachment,
)
from local.azure.devops.builds.timeline_shapes import Timeline, TimelineRecord
from local.azure.devops.errors import missing, unsupported
from local.azure.devops.organization.access import RELEASE, Owner, owner_of
from local.azure.devops.organization.projects import project_of
from local.azure.devops.releases.releases import change_stage
from local.azure.devops.rest import Area
from local.azure.identity.organization import organization
from local.azure.kernel.cloud import Cloud
from local.azure.kernel.http import Request, ServiceError
from local.azure.kernel.tables import Table

area = Area("distributedtask", id="a85b8835-c1a1-4aac-ae97-1c3d0ba72dbd")
PLAN = "{scopeIdentifier}/_apis/{area}/hubs/{hubName}/plans/{planId}/"
PLAN_LOCATION = area.location(
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
    "succeededWithIssues": "partiallySucceeded",
    "failed": "failed",
    "canceled": "canceled",
    "skipped": "succeeded",
    "abandoned": "failed",
}


_FILES = "devops-files"


class AttachmentRecord(TypedDict):
    """A file beside a timeline record, as it is stored."""

    timeline: str
    record: str
    type: str
    name: str
    digest: str
    createdOn: str


_ATTACHMENTS = Table[AttachmentRecord]("devops-attachment")


def plan_of(cloud: Cloud, request: Request) -> tuple[str, PlanRecord, Owner]:
    """The plan that a route names: its id, its timeline, and whose it is.

    Raises:
        ServiceError: 404 when there is none; 403 when a job asks for a plan that is not its own.
    """
    project = project_of(cloud, request)
    plan = request.params["planId"].lower()
    found = PLANS.get(cloud, plan)
    owner = owner_of(cloud, found["owner"], found["number"]) if found else None
    if found is None or owner is None or owner.project != project["id"]:
        raise ServiceError(
            404, "TaskOrchestrationPlanNotFoundException", f"No plan found for identifier {plan}."
        )
    caller = request.caller or found
    if (caller["owner"], caller["number"]) != (found["owner"], found["number"]):
        raise ServiceError(
            403, "AccessDeniedException", "The job's access token is limited to its own plan."
        )
    return plan, found, owner


def timeline(cloud: Cloud, plan: str, url: str) -> Timeline:
    """The timeline of a plan as the service writes it; `url`: where it answers."""
    found = PLANS.get(cloud, plan)
    stored = list(found["records"].values()) if found else []
    records = sorted(stored, key=lambda one: (one.get("order", 0), one.get("startTime", "")))
    changes = [one["lastModified"] for one in records if "lastModified" in one]
    return {
        "id": plan,
        "changeId": found["changeId"] if found else 0,
        "records": records,
        "lastChangedOn": max(changes, default="0001-01-01T00:00:00"),
        "lastChangedBy": organization(cloud).user_id,
        "url": url,
    }


def attachments(cloud: Cloud, plan: str, kind: str = "") -> list[AttachmentRecord]:
    """The attachments of a plan, of one type where it is given (in any case)."""
    found = _ATTACHMENTS.list(cloud, f"{plan}/")
    return [one for one in found if not kind or one["type"].lower() == kind.lower()]


def content(cloud: Cloud, attachment: AttachmentRecord) -> bytes:
    """The bytes of an attachment."""
    return kept(cloud, attachment["digest"])


def keep(cloud: Cloud, data: bytes) -> str:
    """Put bytes into a file of the state; returns the name that `kept` reads, its digest."""
    digest = hashlib.sha256(data).hexdigest()
    folder = cloud.root / _FILES
    folder.mkdir(exist_ok=True)
    (folder / digest).write_bytes(data)
    return digest


def kept(cloud: Cloud, digest: str) -> bytes:
    """The bytes that `keep` named."""
    return (cloud.root / _FILES / digest).read_bytes()


@area.on("GET", PLAN_LOCATION, "scopeIdentifier", "hubName", "planId")
def get_plan(cloud: Cloud, request: Request) -> Plan:
    """A plan."""
    plan, stored, owner = plan_of(cloud, request)
    return {
        "planId": plan,
        "planType": stored["owner"].capitalize(),
        "scopeIdentifier": owner.project,
        "timeline": {"id": plan, "changeId": stored["changeId"]},
        "owner": {"id": owner.number, "name": owner.name},
        "definition": {"id": owner.definition, "name": owner.definition_name},
    }


@area.on("GET", TIMELINES, "scopeIdentifier", "hubName", "planId", "timelineId")
def get_timeline(cloud: Cloud, request: Request) -> Timeline:
    """A timeline."""
    plan = _timeline_of(cloud, request)
    return timeline(cloud, plan, f"{organization(cloud).url}{request.path}")


@area.on("GET", RECORDS, "scopeIdentifier", "hubName", "planId", "timelineId")
def get_records(cloud: Cloud, request: Request) -> list[TimelineRecord]:
    """The records of a timeline."""
    return timeline(cloud, _timeline_of(cloud, request), "")["records"]


@area.on("PATCH", RECORDS, "scopeIdentifier", "hubName", "planId", "timelineId")
def update_records(cloud: Cloud, request: Request, body: SentRecords) -> list[TimelineRecord]:
    """Add records, or change what is sent of those that are there."""
    plan = _timeline_of(cloud, request)
    sent = body.get("value", [])
    for record in sent:
        if "id" not in record:
            raise missing("value[].id")

    def change(stored: PlanRecord) -> None:
        stored["changeId"] += 1
        for record in sent:
            identity = record["id"].lower()
            present = stored["records"].setdefault(identity, {})
            present.update(record)
            present["id"], present["changeId"] = identity, stored["changeId"]
            present["lastModified"] = cloud.timestamp()

    stored = PLANS.update(cloud, plan, change)
    return [stored["records"][one["id"].lower()] for one in sent]


@area.on(
    "PUT",
    ATTACHMENT,
    *("scopeIdentifier", "hubName", "planId", "timelineId", "recordId", "type", "name"),
    status=201,
)
def put_attachment(cloud: Cloud, request: Request, body: bytes) -> TaskAttachment:
    """Keep a file beside a record; one of the same type and name is replaced."""
    plan, params = _timeline_of(cloud, request), request.params
    record: AttachmentRecord = {
        "timeline": plan,
        "record": params["recordId"].lower(),
        "type": params["type"],
        "name": params["name"],
        "digest": keep(cloud, body),
        "createdOn": cloud.timestamp(),
    }
    key = "/".join((plan, record["record"], record["type"].lower(), record["name"]))
    _ATTACHMENTS.put(cloud, key, record)
    return _attachment(cloud, record)


@area.on("GET", ATTACHMENTS, "scopeIdentifier", "hubName", "planId", "type")
def list_attachments(cloud: Cloud, request: Request) -> list[TaskAttachment]:
    """The attachments of a plan of one type."""
    plan, _, _ = plan_of(cloud, request)
    return [_attachment(cloud, one) for one in attachments(cloud, plan, request.params["type"])]


@area.on("POST", EVENTS, "scopeIdentifier", "hubName", "planId")
def raise_event(cloud: Cloud, request: Request, body: JobEvent) -> None:
    """Take an event: `JobStarted` and `JobCompleted` move the build, `TaskCompleted` a step."""
    plan, stored, _ = plan_of(cloud, request)
    if body["name"] == "TaskCompleted":
        _complete_task(cloud, plan, body)
        return
    if body["name"] == "JobStarted":
        status, result = "inProgress", ""
    elif body["name"] == "JobCompleted":
        if "result" not in body:
            raise missing("result")
        status, result = "completed", _RESULTS[body["result"]]
    else:
        raise unsupported(f"The local Azure does not know the job event '{body['name']}'.")
    if stored["owner"] == RELEASE:
        change_stage(cloud, stored["number"], plan, status, result)
    else:
        set_state(cloud, stored["number"], status, result)


def _complete_task(cloud: Cloud, plan: str, body: JobEvent) -> None:
    """Complete the record of a step that somebody outside was asked to do."""
    for name in ("taskId", "result"):
        if name not in body:
            raise missing(name)
    task, result = body["taskId"].lower(), body["result"]

    def change(stored: PlanRecord) -> None:
        record = stored["records"].get(task)
        if record is None:
            raise unsupported(f"The local Azure has no record of the task {task} in its plan.")
        if record.get("state") == "completed":
            return
        stored["changeId"] += 1
        record["state"], record["result"] = "completed", result
        record["changeId"], record["lastModified"] = stored["changeId"], cloud.timestamp()

    PLANS.update(cloud, plan, change)


def _timeline_of(cloud: Cloud, request: Request) -> str:
    plan, _, _ = plan_of(cloud, request)
    if request.params["timelineId"].lower() != plan:
        raise ServiceError(
            404,
            "TimelineNotFoundException",
            f"No timeline found for plan {plan} and timeline {request.params['timelineId']}.",
        )
    return plan


def _attachment(cloud: Cloud, stored: AttachmentRecord) -> TaskAttachment:
    return {
        "type": stored["type"],
        "name": stored["name"],
        "createdOn": stored["createdOn"],
        "timelineId": stored["timeline"],
        "recordId": stored["record"],
        "lastChangedOn": stored["createdOn"],
        "lastChangedBy": organization(cloud).user_id,
    }
