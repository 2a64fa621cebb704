"""Long-running operations of the model management service, as the SDK polls them."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from typing import TypedDict

from local.azure.kernel.cloud import Cloud
from local.azure.kernel.errors import model_management_error
from local.azure.kernel.http import Request, Response, ServiceError, json_response
from local.azure.kernel.tables import Table
from local.azure.kernel.web import Router

router = Router(errors=model_management_error)


class Details(TypedDict):
    """What an operation does at present."""

    subOperationType: str


class Operation(TypedDict):
    """An operation as the SDK reads it. progress: entries of a time and a text, see `tell`."""

    id: str
    operationType: str
    state: str
    createdTime: str
    endTime: str | None
    resourceLocation: str
    operationLog: None
    operationDetails: Details
    error: Mapping[str, object] | None
    progress: str


_OPERATIONS: Table[Operation] = Table("operation")


def start(cloud: Cloud, kind: str, resource: str) -> str:
    """A new operation that runs; returns its id."""
    operation_id = str(uuid.uuid4())
    _OPERATIONS.insert(
        cloud,
        operation_id,
        {
            "id": operation_id,
            "operationType": kind,
            "state": "Running",
            "createdTime": cloud.ml_timestamp(),
            "endTime": None,
            "resourceLocation": f"{cloud.workspace_scope}/{resource}",
            "operationLog": None,
            "operationDetails": {"subOperationType": "BuildEnvironment"},
            "error": None,
            "progress": "",
        },
    )
    return operation_id


def accepted(operation_id: str) -> Response:
    """202, with the address at which the SDK asks for the operation's end."""
    return Response(status=202, headers={"operation-location": f"/api/operations/{operation_id}"})


def tell(cloud: Cloud, operation_id: str, text: str, *, part: str) -> None:
    """Add a line to what `wait_for_deployment(show_output=True)` shows. part: subOperationType."""
    # The SDK splits entries at '#' and the time from the text at '|'.
    line = f"{cloud.now():%Y%m%d%H%M%S}|{text.replace('#', ' ').replace('|', ' ')}#"

    def change(operation: Operation) -> None:
        operation["progress"] += line
        operation["operationDetails"]["subOperationType"] = part

    _OPERATIONS.update(cloud, operation_id, change)


def finish(cloud: Cloud, operation_id: str, error: Mapping[str, object] | None = None) -> None:
    """End an operation: it failed when there is an error."""

    def change(operation: Operation) -> None:
        operation["state"] = "Failed" if error else "Succeeded"
        operation["error"], operation["endTime"] = error, cloud.ml_timestamp()

    _OPERATIONS.update(cloud, operation_id, change)


@router.route("GET", "/modelmanagement/v1.0{workspace}/operations/{id}", query=("offset",))
def show(cloud: Cloud, request: Request) -> Response:
    """An operation; with `offset`, its progress from there on."""
    operation = _OPERATIONS.get(cloud, request.params["id"])
    if operation is None:
        raise ServiceError(404, "NotFound", f"There is no operation {request.params['id']}.")
    shown = {name: value for name, value in operation.items() if name != "progress"}
    offset = request.query.get("offset", "")
    if offset.isdigit():
        shown["streamingOperationLog"] = operation["progress"][int(offset) :]
    return json_response(shown)
