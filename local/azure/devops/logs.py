"""Logs of a build, as an agent sent them to its plan (area `build`)."""

from __future__ import annotations

from typing import Any

from local.azure.azure import Azure
from local.azure.devops.builds import build_of
from local.azure.devops.definitions import area
from local.azure.devops.organization import organization
from local.azure.devops.plans import log_text, logs
from local.azure.devops.rest import collection, number
from local.azure.web import Request, Response, ServiceError

LOGS = area.location(
    "35a80daf-7f30-45fc-86e8-6b813d9c90df",
    "{project}/_apis/{area}/builds/{buildId}/{resource}/{logId}",
    resource="logs",
    version=2,
    minimum=2.0,
)


@area.on("GET", LOGS, "project", "buildId")
def list_logs(azure: Azure, request: Request) -> Response:
    """The logs of a build; a timeline record refers to its own by id."""
    build = build_of(azure, request)
    base = f"{organization(azure).url}/{build['project']}/_apis/build/builds/{build['id']}/logs"
    found = [
        {
            "id": log["id"],
            "type": "Container",
            "url": f"{base}/{log['id']}",
            "lineCount": log["lineCount"],
        }
        for log in logs(azure, build["plan"])
    ]
    return collection(found)


@area.on("GET", LOGS, "project", "buildId", "logId")
def get_log(azure: Azure, request: Request) -> Response:
    """The lines from `startLine` to `endLine`: text when text is accepted, else a list."""
    build: dict[str, Any] = build_of(azure, request)
    text = log_text(azure, build["plan"], number(request.params["logId"], "logId"))
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
