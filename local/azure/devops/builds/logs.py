"""Logs: an agent appends lines to those of its plan, readers find them at its build.

Writing is of area `distributedtask`, reading of area `build`.
"""

from __future__ import annotations

from typing import Any

from local.azure.devops.builds.builds import build_of
from local.azure.devops.builds.definitions import area as build_area
from local.azure.devops.builds.plans import (
    PLAN,
    area,
    keep,
    plan_of,
)
from local.azure.devops.rest import collection, number
from local.azure.identity.organization import organization
from local.azure.kernel.cloud import Cloud
from local.azure.kernel.http import Request, Response, ServiceError, json_response

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
_KIND = "devops-log"


@area.on("POST", OF_PLAN, "scopeIdentifier", "hubName", "planId")
def create_log(cloud: Cloud, request: Request) -> Response:
    """Begin a log; lines are appended to it, a record refers to it."""
    found = plan_of(cloud, request)
    identity = cloud.store.next_number(f"devops-log-{found['plan']}")
    log: dict[str, Any] = {
        "id": identity,
        "path": request.json_object().get("path"),
        "parts": [],
        "lineCount": 0,
    }
    cloud.store.insert(_KIND, f"{found['plan']}/{identity:06}", log)
    return json_response(_log(cloud, request, log), 201)


@area.on("POST", OF_PLAN, "scopeIdentifier", "hubName", "planId", "logId")
def append_log(cloud: Cloud, request: Request) -> Response:
    """Append lines to a log."""
    found = plan_of(cloud, request)
    key = f"{found['plan']}/{number(request.params['logId'], 'logId'):06}"

    def change(log: dict[str, Any]) -> None:
        log["parts"].append(keep(cloud, request.body))
        log["lineCount"] += len(request.body.splitlines())

    try:
        log = cloud.store.update(_KIND, key, change)
    except KeyError:
        raise ServiceError(404, "TaskLogNotFoundException", "There is no such log.") from None
    return json_response(_log(cloud, request, log))


@build_area.on("GET", OF_BUILD, "project", "buildId")
def list_logs(cloud: Cloud, request: Request) -> Response:
    """The logs of a build; a timeline record refers to its own by id."""
    build = build_of(cloud, request)
    base = f"{organization(cloud).url}/{build['project']}/_apis/build/builds/{build['id']}/logs"
    found = [
        {
            "id": log["id"],
            "type": "Container",
            "url": f"{base}/{log['id']}",
            "lineCount": log["lineCount"],
        }
        for log in cloud.store.list(_KIND, f"{build['plan']}/")
    ]
    return collection(found)


@build_area.on("GET", OF_BUILD, "project", "buildId", "logId")
def get_log(cloud: Cloud, request: Request) -> Response:
    """The lines from `startLine` to `endLine`: text when text is accepted, else a list."""
    build: dict[str, Any] = build_of(cloud, request)
    text = _text(cloud, build["plan"], number(request.params["logId"], "logId"))
    if text is None:
        raise ServiceError(404, "BuildLogNotFoundException", "There is no such log.")
    lines = text.splitlines()
    start = number(request.query.get("startLine", "0"), "startLine")
    end = number(request.query.get("endLine", str(len(lines))), "endLine")
    chosen = lines[max(start - 1, 0) : end]
    if request.headers.get("accept", "").startswith("text/plain"):
        body = "".join(f"{line}\n" for line in chosen).encode()
        return Response(body=body, headers={"content-type": "text/plain"})
    return collection(chosen)


def _text(cloud: Cloud, plan: str, identity: int) -> str | None:
    """The text of a log of a plan, None when there is none of that number."""
    log = cloud.store.get(_KIND, f"{plan}/{identity:06}")
    if log is None:
        return None
    parts = [(cloud.root / "devops-files" / digest).read_bytes() for digest in log["parts"]]
    return b"".join(parts).decode("utf-8", "replace")


def _log(cloud: Cloud, request: Request, log: dict[str, Any]) -> dict[str, Any]:
    base = f"{organization(cloud).url}/{request.params['scopeIdentifier']}/_apis/distributedtask"
    plan = f"hubs/{request.params['hubName']}/plans/{request.params['planId']}"
    return {
        "id": log["id"],
        "path": log["path"],
        "lineCount": log["lineCount"],
        "location": f"{base}/{plan}/logs/{log['id']}",
    }
