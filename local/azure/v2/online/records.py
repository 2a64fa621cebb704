"""Online endpoints as they are kept, and the states that they go through.

A state is a function of the clock, so that an endpoint that was being created at a restart becomes
ready too. What a change says counts once it has ended: until then the traffic is the old one.
"""

from __future__ import annotations

import time
from typing import Any

from local.azure.kernel.cloud import Cloud
from local.azure.kernel.http import ServiceError

KIND = "online-endpoint"
# Seconds that each phase lasts: long enough that a script which does not wait can see it.
CREATING_S = 2.0
UPDATING_S = 0.5
DELETING_S = 0.5

Endpoint = dict[str, Any]


def find(cloud: Cloud, name: str) -> Endpoint | None:
    """The record of an endpoint, or None. Ends what is over: an endpoint that was deleted goes."""
    found = cloud.store.get(KIND, name.lower())
    if found is None:
        return None
    state = state_of(found)
    if state == "Deleted":
        cloud.store.delete(KIND, name.lower())
        return None
    return found


def every(cloud: Cloud) -> list[Endpoint]:
    """The records of all endpoints, oldest first."""
    names = [str(one["name"]) for one in cloud.store.list(KIND)]
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


def phase(state: str, lasts_s: float) -> dict[str, Any]:
    """A phase that begins now."""
    return {"state": state, "until": time.time() + lasts_s}


def state_of(record: Endpoint) -> str:
    """Creating, Updating, Deleting, Succeeded, or Deleted when nothing is left of it."""
    state, until = record["phase"]["state"], record["phase"]["until"]
    if time.time() < until:
        return str(state)
    return "Deleted" if state == "Deleting" else "Succeeded"


def traffic_of(record: Endpoint) -> dict[str, dict[str, int]]:
    """The shares that calls are split by now: `traffic` and `mirrorTraffic`."""
    if state_of(record) == "Updating":
        return dict(record["before"])
    return {name: record["properties"][name] for name in ("traffic", "mirrorTraffic")}


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
