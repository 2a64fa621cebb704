"""Logs: an agent appends lines to those of its plan, readers find them at its build.

Writing is of area `distributedtask`, reading of area `build`.
"""

from __future__ import annotations

from typing import TypedDict

from local.azure.devops.builds.builds import build_of
from local.azure.devops.builds.definitions import area as build_area
from local.azure.devops.builds.plans import PLAN, area, keep, kept, plan_of
from local.azure.devops.contracts import Date, ReadOnly
from local.azure.devops.rest import number
from local.azure.identity.organization import organization
from local.azure.kernel.cloud import Cloud
from local.azure.kernel.http import Request, Response, ServiceError
from local.azure.kernel.tables import Table

OF_PLAN = area.location(
    "46f5667d-263a-4684-91b1-dff7fdcf64e2",
    PLAN + "{resource}/{logId}",
    resource="logs",
    minimum=2.0,
)
OF_BUILD = build_area.location(
    "35a80daf-7f30-45fc-86e8-6b813d9c90df",
    "{project}/_apis/{area}/builds/{buildId}/{resource}/{logId}",
    resource="logs",
    version=2,
    minimum=2.0,
)


class LogRecord(TypedDict):
    """A log as it is stored: the digests of its parts."""

    id: int
    path: str
    parts: list[str]
    lineCount: int
    createdOn: str


_LOGS = Table[LogRecord]("devops-log")


class NewLog(TypedDict, total=False):
    """The body that begins a log."""

    path: str
    id: ReadOnly
    createdOn: ReadOnly
    lastChangedOn: ReadOnly
    lineCount: ReadOnly
    location: ReadOnly
    indexLocation: ReadOnly


class TaskLog(TypedDict):
    """A log as its agent sees it."""

    id: int
    path: str
    lineCount: int
    createdOn: Date
    lastChangedOn: Date
    location: str


class BuildLog(TypedDict):
    """A log as the readers of a build see it."""

    id: int
    type: str
    url: str
    lineCount: int
    createdOn: Date
    lastChangedOn: Date


class LinesQuery(TypedDict, total=False):
    """Which lines of a log are shown."""

    startLine: int
    endLine: int


@area.on("POST", OF_PLAN, "scopeIdentifier", "hubName", "planId", status=201)
def create_log(cloud: Cloud, request: Request, body: NewLog) -> TaskLog:
    """Begin a log; lines are appended to it, a record refers to it."""
    plan, _, _ = plan_of(cloud, request)
    identity = _LOGS.next_number(cloud, of=plan)
    record: LogRecord = {
        "id": identity,
        "path": body.get("path", ""),
        "parts": [],
        "lineCount": 0,
        "createdOn": cloud.timestamp(),
    }
    _LOGS.insert(cloud, _key(plan, identity), record)
    return _of_plan(cloud, request, record)


@area.on("POST", OF_PLAN, "scopeIdentifier", "hubName", "planId", "logId")
def append_log(cloud: Cloud, request: Request, body: bytes) -> TaskLog:
    """Append lines to a log."""
    plan, _, _ = plan_of(cloud, request)

    def change(log: LogRecord) -> None:
        log["parts"].append(keep(cloud, body))
        log["lineCount"] += len(body.splitlines())

    try:
        log = _LOGS.update(cloud, _key(plan, number(request.params["logId"], "logId")), change)
    except KeyError:
        raise ServiceError(404, "TaskLogNotFoundException", "There is no such log.") from None
    return _of_plan(cloud, request, log)


@build_area.on("GET", OF_BUILD, "project", "buildId")
def list_logs(cloud: Cloud, request: Request) -> list[BuildLog]:
    """The logs of a build; a timeline record refers to its own by id."""
    build = build_of(cloud, request)
    base = f"{organization(cloud).url}/{build['project']}/_apis/build/builds/{build['id']}/logs"
    return [
        {
            "id": log["id"],
            "type": "Container",
            "url": f"{base}/{log['id']}",
            "lineCount": log["lineCount"],
            "createdOn": log["createdOn"],
            "lastChangedOn": log["createdOn"],
        }
        for log in _LOGS.list(cloud, f"{build['plan']}/")
    ]


@build_area.on("GET", OF_BUILD, "project", "buildId", "logId")
def get_log(cloud: Cloud, request: Request, query: LinesQuery) -> Response | list[str]:
    """The lines from `startLine` to `endLine`: text when text is accepted, else a list."""
    build = build_of(cloud, request)
    log = _LOGS.get(cloud, _key(build["plan"], number(request.params["logId"], "logId")))
    if log is None:
        raise ServiceError(404, "BuildLogNotFoundException", "There is no such log.")
    text = b"".join(kept(cloud, digest) for digest in log["parts"]).decode("utf-8", "replace")
    lines = text.splitlines()
    chosen = lines[max(query.get("startLine", 0) - 1, 0) : query.get("endLine", len(lines))]
    if request.headers.get("accept", "").startswith("text/plain"):
        body = "".join(f"{line}\n" for line in chosen).encode()
        return Response(body=body, headers={"content-type": "text/plain"})
    return chosen


def _of_plan(cloud: Cloud, request: Request, log: LogRecord) -> TaskLog:
    base = f"{organization(cloud).url}/{request.params['scopeIdentifier']}/_apis/distributedtask"
    plan = f"hubs/{request.params['hubName']}/plans/{request.params['planId']}"
    return {
        "id": log["id"],
        "path": log["path"],
        "lineCount": log["lineCount"],
        "createdOn": log["createdOn"],
        "lastChangedOn": log["createdOn"],
        "location": f"{base}/{plan}/logs/{log['id']}",
    }


def _key(plan: str, identity: int) -> str:
    return f"{plan}/{identity:06}"
