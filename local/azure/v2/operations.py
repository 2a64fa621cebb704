"""Long-running operations of the management front end, as clients follow them.

Protocol: Azure/azure-resource-manager-rpc, async-api-reference; forms as recorded. An operation may
end by itself at a time that is written down, so that it ends at a restart too.
"""

from __future__ import annotations

import time
import uuid
from datetime import datetime, timezone
from typing import TypedDict

from local.azure.kernel.cloud import PROVIDER, Cloud, ml_time
from local.azure.kernel.http import Detail, Request, Response, ServiceError, json_response
from local.azure.kernel.tables import Table
from local.azure.kernel.web import ARM_HOST
from local.azure.v2.resources import RETRY_AFTER_MS, front_end_router

# What an operation is about, as its id tells.
ENDPOINT = "oeidp"
ENDPOINT_KEYS = "oe"
DEPLOYMENT = "odidp"
JOB_CANCEL = "jc"
JOB_DELETE = "jd"

_NEVER = "0001-01-01T00:00:00+00:00"

router = front_end_router()


class Failure(TypedDict):
    """Why an operation failed."""

    code: str
    message: str


class Operation(TypedDict):
    """What is kept of an operation. `until`: the time in seconds at which it ends by itself."""

    id: str
    running: str
    started: str
    until: float | None
    ended: str | None
    error: Failure | None


_OPERATIONS: Table[Operation] = Table("mfe-operation")


def start(
    cloud: Cloud, kind: str, *, running: str, lasts_s: float | None = None, name: str | None = None
) -> str:
    """A new operation; returns its id.

    running: its status until it ends, the state of what it changes. lasts_s: how long it takes;
    None: until `finish`. name: ends the id, instead of a new guid.
    """
    operation_id = f"{kind}:{cloud.workspace_id}:{name or uuid.uuid4()}"
    record = Operation(
        id=operation_id,
        running=running,
        started=cloud.ml_timestamp(),
        until=None if lasts_s is None else time.time() + lasts_s,
        ended=None,
        error=None,
    )
    _OPERATIONS.put(cloud, operation_id, record)
    return operation_id


def finish(cloud: Cloud, operation_id: str, error: Failure | None = None) -> None:
    """End an operation: it failed when there is an error."""

    def change(record: Operation) -> None:
        record["error"], record["ended"] = error, cloud.ml_timestamp()

    _OPERATIONS.update(cloud, operation_id, change)


def finish_named(cloud: Cloud, kind: str, name: str) -> None:
    """End the operation of this kind and name, if there is one that runs."""
    operation_id = f"{kind}:{cloud.workspace_id}:{name}"
    record = _OPERATIONS.get(cloud, operation_id)
    if record and record["ended"] is None:
        finish(cloud, operation_id)


def status_headers(cloud: Cloud, request: Request, operation_id: str) -> dict[str, str]:
    """The headers of an answer whose end is asked for by `Azure-AsyncOperation` alone."""
    return {
        "Azure-AsyncOperation": status_url(cloud, request, operation_id),
        "x-ms-async-operation-timeout": "PT30M",
        "retry-after-ms": RETRY_AFTER_MS,
    }


def deletion_headers(cloud: Cloud, request: Request, operation_id: str) -> dict[str, str]:
    """The headers of a 202 to a DELETE, which clients may follow by `Location` too."""
    return {
        **status_headers(cloud, request, operation_id),
        "Location": _url(cloud, request, operation_id, "mfeOperationResults"),
    }


def accepted(
    cloud: Cloud, request: Request, operation_id: str, *, timeout: str | None = None
) -> Response:
    """202 to an action: `Location` alone leads on, and the body is the JSON null."""
    headers = {
        "Location": _url(cloud, request, operation_id, "mfeOperationResults"),
        "retry-after-ms": RETRY_AFTER_MS,
    }
    if timeout:
        headers["x-ms-async-operation-timeout"] = timeout
    return json_response(None, 202, headers)


def status_url(cloud: Cloud, request: Request, operation_id: str) -> str:
    """Where the status of an operation is asked for, in the caller's api-version."""
    return _url(cloud, request, operation_id, "mfeOperationsStatus")


def _url(cloud: Cloud, request: Request, operation_id: str, kind: str) -> str:
    return (
        f"https://{ARM_HOST}/subscriptions/{cloud.subscription_id}/providers/{PROVIDER}/locations/"
        f"{cloud.location}/{kind}/{operation_id}?api-version={request.query['api-version']}"
    )


_LOCATION = f"/subscriptions/{{subscription}}/providers/{PROVIDER}/locations/{{location}}"


@router.route("GET", _LOCATION + "/mfeOperationsStatus/{operation}", query=())
def show_status(cloud: Cloud, request: Request) -> Response:
    """How far an operation is."""
    record = _existing(cloud, request)
    ended = _ended(record)
    status = record["running"]
    if ended:
        status = "Failed" if record["error"] else "Succeeded"
    answer = {
        "id": request.path,
        "name": record["id"],
        "status": status,
        "startTime": record["started"],
        "endTime": ended or _NEVER,
        "percentComplete": 0.0,
        **({"error": record["error"]} if ended and record["error"] else {}),
    }
    return json_response(answer, headers={"retry-after-ms": RETRY_AFTER_MS})


@router.route("GET", _LOCATION + "/mfeOperationResults/{operation}", query=())
def show_result(cloud: Cloud, request: Request) -> Response:
    """202 while it runs, then an empty 200 or the error."""
    record = _existing(cloud, request)
    if not _ended(record):
        location = f"https://{ARM_HOST}{request.raw_path}?{request.raw_query}"
        headers = {"retry-after-ms": RETRY_AFTER_MS, "Location": location}
        return json_response({}, 202, headers)
    if record["error"]:
        raise ServiceError(400, record["error"]["code"], record["error"]["message"])
    return Response(status=200)


def _ended(record: Operation) -> str | None:
    if record["ended"]:
        return record["ended"]
    until = record["until"]
    if until is None or time.time() < until:
        return None
    return ml_time(datetime.fromtimestamp(until, timezone.utc))


def _existing(cloud: Cloud, request: Request) -> Operation:
    operation_id = request.params["operation"]
    record = _OPERATIONS.get(cloud, operation_id)
    if record is None:
        raise ServiceError(
            404,
            "NotFound",
            "The specified resource was not found.",
            details=[
                Detail(
                    code="OperationNotFound",
                    message=f"There is no operation with id {operation_id.rpartition(':')[2]}",
                )
            ],
        )
    return record
