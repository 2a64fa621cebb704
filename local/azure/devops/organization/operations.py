"""Operations that take their time (area `operations`): projects are created and deleted by them."""

from __future__ import annotations

import datetime
import uuid
from typing import TypedDict

from local.azure.devops.enumerations import OperationStatus
from local.azure.devops.rest import Area
from local.azure.devops.shapes import Links
from local.azure.identity.organization import organization
from local.azure.kernel.cloud import Cloud
from local.azure.kernel.http import Request, ServiceError
from local.azure.kernel.tables import Table

area = Area("operations", id=None)
OPERATIONS = area.location(
    "9a1b74b4-2ca8-4a9f-8470-c2f2e6fdc949",
    "_apis/{resource}/{operationId}",
    resource="operations",
    minimum=2.0,
)
_DURATION_S = 0.3


class OperationRecord(TypedDict):
    """An operation as it is stored; `deletes`: the project that is gone at its end."""

    id: str
    began: str
    deletes: str


_OPERATIONS = Table[OperationRecord]("devops-operation")


class OperationReference(TypedDict):
    """An operation when it begins."""

    id: str
    status: OperationStatus
    url: str


class Operation(OperationReference):
    """An operation when it is asked for."""

    _links: Links


def begin(cloud: Cloud, *, deletes: str = "") -> OperationReference:
    """Begin an operation; `deletes`: the project that is gone at its end."""
    identity = str(uuid.uuid4())
    _OPERATIONS.insert(
        cloud, identity, {"id": identity, "began": cloud.timestamp(), "deletes": deletes}
    )
    return {"id": identity, "status": "notSet", "url": _operation_url(cloud, identity)}


def has_ended(cloud: Cloud, identity: str) -> bool:
    """Whether an operation has ended; one that nobody began has."""
    found = _OPERATIONS.look_up(cloud, identity)
    return found is None or _has_ended(cloud, found)


def being_deleted(cloud: Cloud) -> set[str]:
    """The projects whose deletion has begun."""
    return {one["deletes"] for one in _OPERATIONS.find(cloud) if one["deletes"]}


def ended_deletions(cloud: Cloud) -> list[str]:
    """The projects whose deletion has ended; each is told once."""
    found = []
    for one in _OPERATIONS.find(cloud):
        if one["deletes"] and _has_ended(cloud, one):
            found.append(one["deletes"])
            _OPERATIONS.put(cloud, one["id"], {**one, "deletes": ""})
    return found


@area.on("GET", OPERATIONS, "operationId")
def get_operation(cloud: Cloud, request: Request) -> Operation:
    """The state of an operation."""
    found = _OPERATIONS.get(cloud, request.params["operationId"].lower())
    if found is None:
        raise ServiceError(
            404,
            "OperationNotFoundException",
            f"The operation {request.params['operationId']} was not found.",
        )
    url = _operation_url(cloud, found["id"])
    status = "succeeded" if _has_ended(cloud, found) else "inProgress"
    return {"id": found["id"], "status": status, "url": url, "_links": {"self": {"href": url}}}


def _has_ended(cloud: Cloud, operation: OperationRecord) -> bool:
    began = datetime.datetime.fromisoformat(operation["began"].replace("Z", "+00:00"))
    return (cloud.now() - began).total_seconds() >= _DURATION_S


def _operation_url(cloud: Cloud, identity: str) -> str:
    return f"{organization(cloud).url}/_apis/operations/{identity}"
