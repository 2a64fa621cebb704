"""Online endpoints as they are kept, and the states that they go through.

A state is a function of the clock, so that an endpoint that was being created at a restart becomes
ready too. What a change says counts once it has ended: until then the traffic is the old one.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import TypedDict

from local.azure.kernel.cloud import Cloud
from local.azure.kernel.http import ServiceError
from local.azure.kernel.tables import Table
from local.azure.serving.service_records import Keys

# Seconds that each phase lasts: long enough that a script which does not wait can see it.
CREATING_S = 2.0
UPDATING_S = 0.5
DELETING_S = 0.5


class Shares(TypedDict):
    """The percentages of calls, and of copies of calls, that go to each deployment."""

    traffic: dict[str, int]
    mirrorTraffic: dict[str, int]


class Properties(Shares):
    """The properties of an endpoint. compute: the ARM id of a cluster, None where managed."""

    description: str | None
    properties: dict[str, str]
    authMode: str
    compute: str | None
    publicNetworkAccess: str


class Phase(TypedDict):
    """What goes on with an endpoint. until: seconds since the epoch."""

    state: str
    until: float


class Progress(TypedDict):
    """The last change of an endpoint. before: the shares until it has ended; operation: its URL."""

    phase: Phase
    before: Shares
    operation: str


class Identity(TypedDict, total=False):
    """As whom an endpoint acts."""

    type: str
    principalId: str
    tenantId: str
    userAssignedIdentities: Mapping[str, object]


class Endpoint(Progress):
    """An online endpoint."""

    id: str
    name: str
    location: str
    tags: dict[str, str]
    identity: Identity
    kind: str
    properties: Properties
    keys: Keys
    created: str
    modified: str


_ENDPOINTS: Table[Endpoint] = Table("online-endpoint")


def find(cloud: Cloud, name: str) -> Endpoint | None:
    """The record of an endpoint, or None. Ends what is over: an endpoint that was deleted goes."""
    found = _ENDPOINTS.get(cloud, name.lower())
    if found is None:
        return None
    state = state_of(found)
    if state == "Deleted":
        _ENDPOINTS.delete(cloud, name.lower())
        return None
    return found


def every(cloud: Cloud) -> list[Endpoint]:
    """The records of all endpoints, oldest first."""
    names = [one["name"] for one in _ENDPOINTS.list(cloud)]
    return [found for name in names if (found := find(cloud, name))]


def existing(cloud: Cloud, name: str) -> Endpoint:
    """The record of an endpoint. Raises ServiceError 404."""
    found = find(cloud, name)
    if found is None:
        raise ServiceError(
            404,
            "UserError",
            f"An endpoint with the name '{name}' does not exist in the workspace "
            f"'{cloud.workspace_name}'. Please check the endpoint name and also ensure the current "
            "user has access to it.",
            inner=("NotFound", "EndpointNotFound"),
        )
    return found


def keep(cloud: Cloud, record: Endpoint) -> None:
    """Create or replace the record of an endpoint."""
    _ENDPOINTS.put(cloud, record["name"].lower(), record)


def change(cloud: Cloud, name: str, edit: Callable[[Endpoint], None]) -> None:
    """Let `edit` change the record of an endpoint in place, atomically. Raises KeyError."""
    _ENDPOINTS.update(cloud, name.lower(), edit)


def phase(state: str, lasts_s: float) -> Phase:
    """A phase that begins now."""
    return {"state": state, "until": time.time() + lasts_s}


def state_of(record: Endpoint) -> str:
    """Creating, Updating, Deleting, Succeeded, or Deleted when nothing is left of it."""
    state, until = record["phase"]["state"], record["phase"]["until"]
    if time.time() < until:
        return state
    return "Deleted" if state == "Deleting" else "Succeeded"


def traffic_of(record: Endpoint) -> Shares:
    """The shares that calls are split by now: `traffic` and `mirrorTraffic`."""
    if state_of(record) == "Updating":
        return record["before"]
    properties = record["properties"]
    return {"traffic": properties["traffic"], "mirrorTraffic": properties["mirrorTraffic"]}


def check_settled(record: Endpoint, *states: str) -> None:
    """Raises ServiceError 409 while an endpoint is in none of the states, or Succeeded."""
    state = state_of(record)
    if state not in ("Succeeded", *states):
        raise ServiceError(
            409,
            "Conflict",
            f"The endpoint '{record['name']}' is {state}. Wait for the end of its operation, then "
            "try again.",
        )


def check_location(now: str, asked: str | None) -> None:
    """Raises ServiceError 400 when a change asks for another location than the resource has."""
    if asked and asked.replace(" ", "").lower() != now.replace(" ", "").lower():
        raise ServiceError(
            400, "UserError", f"The location cannot be changed from '{now}' to '{asked}'."
        )
