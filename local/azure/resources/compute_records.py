"""Compute targets as they are kept and shown. A state is a function of the clock."""

from __future__ import annotations

import time
import uuid
from datetime import datetime, timezone
from typing import Any

from local.azure.kernel.cloud import PROVIDER, Cloud
from local.azure.resources.tables import COMPUTES


def get_compute(cloud: Cloud, name: str) -> dict[str, Any] | None:
    """The compute target as the service shows it now, or None."""
    record = cloud.store.get(COMPUTES, name.lower())
    if record is None:
        return None
    phase = record["phase"]
    over = time.time() >= phase["until"]
    if phase["state"] == "Deleting" and over:
        cloud.store.delete(COMPUTES, name.lower())
        return None
    view: dict[str, Any] = record["view"]
    failed = over and phase.get("error")
    done = "Failed" if failed else "Succeeded"
    view["properties"]["provisioningState"] = done if over else phase["state"]
    view["properties"]["provisioningErrors"] = [{"error": phase["error"]}] if failed else None
    is_creating = not over and phase["state"] == "Creating"
    if is_creating:
        view["tags"] = view["tags"] or None
        if not phase.get("located"):
            del view["properties"]["computeLocation"]
    if view["properties"]["computeType"] == "AmlCompute":
        _show_nodes(
            view["properties"]["properties"],
            allocated=not failed and not is_creating,
            since=phase["until"],
        )
    return view


def _show_nodes(cluster: dict[str, Any], *, allocated: bool, since: float) -> None:
    """The nodes of a cluster; nothing is told of them while it is being created."""
    if not allocated:
        names = ("currentNodeCount", "targetNodeCount", "nodeStateCounts", "allocationState")
        cluster |= dict.fromkeys(names)
        cluster.pop("userAccountCredentials", None)
        return
    nodes = cluster["scaleSettings"]["minNodeCount"]
    counts = dict.fromkeys(("preparing", "running", "unusable", "leaving", "preempted"), 0)
    moment = datetime.fromtimestamp(since, timezone.utc)
    cluster |= {
        "currentNodeCount": nodes,
        "targetNodeCount": nodes,
        "nodeStateCounts": {
            "idleNodeCount": nodes,
            **{f"{state}NodeCount": count for state, count in counts.items()},
        },
        "allocationState": "Steady",
        "allocationStateTransitionTime": moment.isoformat(timespec="milliseconds"),
        "propertyBag": {},
    }


def creating(
    until: float, error: dict[str, str] | None = None, *, located: bool = False
) -> dict[str, Any]:
    """The phase of a target that is made, or made anew. located: its location is known."""
    return {"state": "Creating", "until": until, "error": error, "located": located}


def new_view(
    cloud: Cloud,
    name: str,
    kind: str,
    location: str,
    properties: dict[str, Any],
    inner: dict[str, Any],
) -> dict[str, Any]:
    """A new compute target as the service shows it. inner: its settings, checked."""
    now = cloud.ml_timestamp()
    return {
        "id": f"{cloud.workspace_scope}/computes/{name}",
        "name": name,
        "type": f"{PROVIDER}/workspaces/computes",
        "location": cloud.location,
        "tags": {},
        "properties": {
            "computeType": kind,
            "computeLocation": location,
            "description": properties.get("description"),
            "createdOn": now,
            "modifiedOn": now,
            "disableLocalAuth": bool(properties.get("disableLocalAuth")),
            "resourceId": properties.get("resourceId") or resource_id(cloud, name, kind),
            "provisioningErrors": None,
            "provisioningWarnings": None,
            "isAttachedCompute": bool(properties.get("resourceId")),
            "properties": inner,
        },
    }


def resource_id(cloud: Cloud, name: str, kind: str) -> str | None:
    """The ARM id of the cluster that a target stands for; None when it is nodes of its own."""
    if kind != "AKS":
        return None
    return (
        f"/subscriptions/{cloud.subscription_id}/resourceGroups/{cloud.resource_group}"
        f"/providers/Microsoft.ContainerService/managedClusters/{name}{uuid.uuid4().hex[:12]}"
    )
