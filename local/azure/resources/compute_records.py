"""Compute targets as they are kept and shown. A state is a function of the clock.

Shapes: Microsoft.MachineLearningServices workspaces/computes, api-version 2020-02-02.
"""

from __future__ import annotations

import math
import time
import uuid
from collections.abc import Mapping
from datetime import datetime, timezone
from typing import NotRequired, TypedDict

from local.azure.kernel import fields
from local.azure.kernel.cloud import PROVIDER, Cloud
from local.azure.kernel.tables import Table


class ScaleSettings(TypedDict):
    """How many nodes a cluster has. nodeIdleTimeBeforeScaleDown: a duration of ISO 8601."""

    minNodeCount: int
    maxNodeCount: int
    nodeIdleTimeBeforeScaleDown: str


class AmlComputeSettings(TypedDict, total=False):
    """What an AmlCompute has of its own; its nodes are told once they are allocated."""

    vmSize: str
    vmPriority: str
    scaleSettings: ScaleSettings
    subnet: object
    remoteLoginPortPublicAccess: str
    errors: list[Mapping[str, object]] | None
    osType: str
    virtualMachineImage: None
    isolatedNetwork: bool
    enableNodePublicIp: bool
    enableBatchPrivateLink: bool
    userAccountCredentials: Mapping[str, object]
    currentNodeCount: int | None
    targetNodeCount: int | None
    nodeStateCounts: Mapping[str, int] | None
    allocationState: str | None
    allocationStateTransitionTime: str
    propertyBag: Mapping[str, object]


class AksSettings(TypedDict, total=False):
    """What an AKS cluster has of its own."""

    agentVmSize: str | None
    agentCount: int
    clusterPurpose: str
    clusterFqdn: str
    loadBalancerType: str
    loadBalancerSubnet: object
    systemServices: None
    sslConfiguration: Mapping[str, object] | None


class KubernetesSettings(TypedDict, total=False):
    """What an attached Kubernetes cluster has of its own."""

    namespace: str
    defaultInstanceType: str
    instanceTypes: object
    extensionPrincipalId: None
    extensionInstanceReleaseTrain: None
    vcName: None


class Settings(AmlComputeSettings, AksSettings, KubernetesSettings, total=False):
    """The settings of a target of any type: `computeType` says which members there are."""


class ComputeProperties(TypedDict):
    """The properties of a compute target."""

    computeType: str
    computeLocation: NotRequired[str]
    description: object
    createdOn: str
    modifiedOn: str
    disableLocalAuth: bool
    resourceId: str | None
    provisioningState: NotRequired[str]
    provisioningErrors: list[Mapping[str, object]] | None
    provisioningWarnings: None
    isAttachedCompute: bool
    properties: Settings


class ComputeView(TypedDict):
    """A compute target as Resource Manager shows it."""

    id: str
    name: str
    type: str
    location: str
    tags: dict[str, str | None] | None
    identity: NotRequired[Mapping[str, object]]
    properties: ComputeProperties


class ComputeError(TypedDict):
    """Why a cluster could not be made."""

    code: str
    message: str


# learn.microsoft.com/troubleshoot/azure/virtual-machines/windows/allocation-failure
NO_CAPACITY: ComputeError = {
    "code": "AllocationFailed",
    "message": "Allocation failed. We do not have sufficient capacity for the requested VM size in "
    "this region. Read more about improving likelihood of allocation success at "
    "https://aka.ms/allocation-guidance",
}


class Phase(TypedDict):
    """What goes on with a target. until: seconds since the epoch; error: how it will end."""

    state: str
    until: float
    error: NotRequired[ComputeError | None]
    located: NotRequired[bool]


class ComputeRecord(TypedDict):
    """A compute target as it is kept."""

    view: ComputeView
    phase: Phase


COMPUTES: Table[ComputeRecord] = Table("compute")


def every_compute(cloud: Cloud) -> list[ComputeView]:
    """All compute targets as the service shows them now, oldest first."""
    names = [record["view"]["name"] for record in COMPUTES.list(cloud)]
    return [view for name in names if (view := get_compute(cloud, name))]


def get_compute(cloud: Cloud, name: str) -> ComputeView | None:
    """The compute target as the service shows it now, or None."""
    record = COMPUTES.get(cloud, name.lower())
    if record is None:
        return None
    phase = record["phase"]
    over = time.time() >= phase["until"]
    if phase["state"] == "Deleting" and over:
        COMPUTES.delete(cloud, name.lower())
        return None
    view = record["view"]
    error = phase.get("error") if over else None
    done = "Failed" if error else "Succeeded"
    view["properties"]["provisioningState"] = done if over else phase["state"]
    view["properties"]["provisioningErrors"] = [{"error": error}] if error else None
    is_creating = not over and phase["state"] == "Creating"
    if is_creating:
        view["tags"] = view["tags"] or None
        if not phase.get("located"):
            del view["properties"]["computeLocation"]
    if view["properties"]["computeType"] == "AmlCompute":
        _show_nodes(
            view["properties"]["properties"],
            allocated=error is None and not is_creating,
            since=phase["until"],
            waits_s=cloud.faults.allocating(name),
        )
    return view


def _show_nodes(cluster: Settings, *, allocated: bool, since: float, waits_s: float) -> None:
    """The nodes of a cluster; nothing is told of them while it is being created.

    waits_s: seconds until it has nodes; infinite when they cannot be allocated.
    """
    if not allocated:
        cluster["currentNodeCount"] = cluster["targetNodeCount"] = None
        cluster["nodeStateCounts"] = cluster["allocationState"] = None
        cluster.pop("userAccountCredentials", None)
        return
    target = cluster["scaleSettings"]["minNodeCount"]
    nodes = target if time.time() >= since + waits_s else 0
    counts = dict.fromkeys(("preparing", "running", "unusable", "leaving", "preempted"), 0)
    moment = datetime.fromtimestamp(since, timezone.utc)
    cluster["currentNodeCount"], cluster["targetNodeCount"] = nodes, target
    cluster["nodeStateCounts"] = {
        "idleNodeCount": nodes,
        **{f"{state}NodeCount": count for state, count in counts.items()},
    }
    is_dead = target > 0 and waits_s == math.inf
    cluster["allocationState"] = "Steady" if nodes == target or is_dead else "Resizing"
    cluster["errors"] = [{"error": NO_CAPACITY}] if is_dead else None
    cluster["allocationStateTransitionTime"] = moment.isoformat(timespec="milliseconds")
    cluster["propertyBag"] = {}


def creating(until: float, error: ComputeError | None = None, *, located: bool = False) -> Phase:
    """The phase of a target that is made, or made anew. located: its location is known."""
    return {"state": "Creating", "until": until, "error": error, "located": located}


def new_view(
    cloud: Cloud,
    name: str,
    kind: str,
    location: str,
    asked: Mapping[str, object],
    settings: Settings,
) -> ComputeView:
    """A new compute target. asked: the properties of the request; settings: those, checked."""
    attached = fields.optional_text(asked, "resourceId")
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
            "description": asked.get("description"),
            "createdOn": now,
            "modifiedOn": now,
            "disableLocalAuth": bool(asked.get("disableLocalAuth")),
            "resourceId": attached or resource_id(cloud, name, kind),
            "provisioningErrors": None,
            "provisioningWarnings": None,
            "isAttachedCompute": bool(attached),
            "properties": settings,
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
