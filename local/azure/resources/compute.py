"""Compute targets: AmlCompute clusters and AKS inference clusters.

Shapes: Microsoft.MachineLearningServices workspaces/computes, api-version 2020-02-02. A state is a
function of the clock, so that a cluster that was being created at a restart becomes ready too.
"""

from __future__ import annotations

import re
import time
import uuid
from collections.abc import Mapping
from typing import TypedDict

from local.azure.kernel import fields
from local.azure.kernel.cloud import PROVIDER, Cloud
from local.azure.kernel.http import Request, Response, ServiceError, json_response
from local.azure.kernel.store import AlreadyExists
from local.azure.kernel.tables import Table
from local.azure.kernel.web import ARM_HOST, DATA_PLANE_HOST, Router
from local.azure.resources.clusters import (
    aks,
    aml_compute,
    kubernetes,
    scale_settings,
    short_of_cores,
)
from local.azure.resources.compute_bodies import check_compute
from local.azure.resources.compute_records import (
    COMPUTES,
    ComputeError,
    ComputeRecord,
    ComputeView,
    Phase,
    Settings,
    creating,
    every_compute,
    get_compute,
    new_view,
    resource_id,
)
from local.azure.resources.regions import REGIONS

# Seconds that each phase lasts; the SDK looks again after five.
CREATING_S = 2.0
UPDATING_S = 1.0
DELETING_S = 1.0

ATTACHED_CLUSTER = "k8s-cluster"

_NAME = re.compile(r"[A-Za-z](?:[A-Za-z0-9-]{0,22}[A-Za-z0-9])")

router = Router(host=ARM_HOST)


class Operation(TypedDict):
    """A change of a compute target. until: seconds since the epoch; error: how it will end."""

    until: float
    error: ComputeError | None


class Once(TypedDict):
    """What was done for a new workspace. name: of the resource that was made."""

    name: str


_OPERATIONS: Table[Operation] = Table("compute-operation")
_ONCE: Table[Once] = Table("workspace")


@router.route("GET", "{workspace}/computes/{name}", query=())
@router.route("GET", "/rp/workspaces{workspace}/computes/{name}", host=DATA_PLANE_HOST)
def show_compute(cloud: Cloud, request: Request) -> Response:
    """A compute target by name."""
    return json_response(_existing(cloud, request.params["name"]))


@router.route("GET", "{workspace}/computes", query=("$skip",))
@router.route("GET", "/rp/workspaces{workspace}/computes", host=DATA_PLANE_HOST)
def list_computes(cloud: Cloud, _request: Request) -> Response:
    """All compute targets. (No `nextLink` key: the SDK would follow even a null one.)"""
    return json_response({"value": every_compute(cloud)})


@router.route("PUT", "{workspace}/computes/{name}", query=())
def put_compute(cloud: Cloud, request: Request) -> Response:
    """Create, attach, or replace the settings of a compute target that may be changed."""
    name = request.params["name"]
    if not _NAME.fullmatch(name):
        raise ServiceError(
            400,
            "BadRequest",
            f"Compute name '{name}' is invalid: it can include letters, digits and dashes. It must "
            "start with a letter, end with a letter or digit, and be 2 to 24 characters long.",
        )
    check_compute(request)
    body = request.json_object()
    properties = fields.mapping(body, "properties")
    kind = fields.text(properties, "computeType")
    location = (
        fields.optional_text(properties, "computeLocation")
        or fields.optional_text(body, "location")
        or cloud.location
    )
    if location.lower() not in REGIONS:
        raise ServiceError(
            400,
            "LocationNotAvailableForResourceType",
            f"The provided location '{location}' is not available for resource type "
            f"'{PROVIDER}/workspaces/computes'.",
        )
    if kind == "AmlCompute":
        inner = aml_compute(fields.mapping(properties, "properties"))
    elif kind == "AKS":
        inner = aks(name, location.lower(), properties)
    elif kind == "Kubernetes":
        inner = kubernetes(properties)
    else:
        raise ServiceError(
            400,
            "BadRequest",
            f"The local Azure has no compute of type '{kind}': AmlCompute, Kubernetes, AKS.",
        )
    present = get_compute(cloud, name)
    if present is not None:
        return _replace(cloud, request, present, kind, inner, location.lower())
    error = short_of_cores(cloud, inner) if kind == "AmlCompute" else None
    view = new_view(cloud, name, kind, location.lower(), properties, inner)
    view["tags"] = fields.texts(body, "tags")
    if body.get("identity"):
        view["identity"] = fields.mapping(body, "identity")
    if properties.get("disableLocalAuth") is not None:
        view["properties"]["disableLocalAuth"] = bool(properties["disableLocalAuth"])
    asked_s = cloud.faults.creating
    until = time.time() + (CREATING_S if asked_s is None else asked_s)
    try:
        COMPUTES.insert(cloud, name.lower(), {"view": view, "phase": creating(until, error)})
    except AlreadyExists:
        raise _conflict(name, "Creating") from None
    return _accepted(cloud, request, _existing(cloud, name), until, 201, error)


@router.at_start
def attach_cluster(cloud: Cloud) -> None:
    """Attach a Kubernetes cluster to a new workspace: v2 deploys to one, and cannot make one."""
    if _ONCE.get(cloud, "cluster-attached"):
        return
    attached = {"resourceId": resource_id(cloud, ATTACHED_CLUSTER, "AKS")}
    view = new_view(
        cloud, ATTACHED_CLUSTER, "Kubernetes", cloud.location, attached, kubernetes(attached)
    )
    COMPUTES.put(cloud, ATTACHED_CLUSTER, {"view": view, "phase": creating(0)})
    _ONCE.put(cloud, "cluster-attached", {"name": ATTACHED_CLUSTER})


@router.route("PATCH", "{workspace}/computes/{name}", query=())
def update_compute(cloud: Cloud, request: Request) -> Response:
    """Change the scale settings of an AmlCompute."""
    view = _existing(cloud, request.params["name"])
    body = request.json_object()
    change = fields.mapping(fields.mapping(body, "properties"), "properties")
    if body.get("identity") or set(change) - {"scaleSettings"}:
        raise ServiceError(
            501, "NotImplemented", "The local Azure changes only the scale settings of a cluster."
        )
    if view["properties"]["computeType"] != "AmlCompute":
        raise ServiceError(400, "BadRequest", "Only an AmlCompute has scale settings.")
    present = view["properties"]["properties"]
    scale = scale_settings({**present["scaleSettings"], **fields.mapping(change, "scaleSettings")})
    if scale == present["scaleSettings"]:
        return json_response(view)
    phase: Phase = {"state": "Updating", "until": time.time() + UPDATING_S}
    return _change(cloud, request, view, {"scaleSettings": scale}, phase, 200)


@router.route("DELETE", "{workspace}/computes/{name}", query=("underlyingResourceAction",))
def delete_compute(cloud: Cloud, request: Request) -> Response:
    """Delete or detach, as `underlyingResourceAction` says."""
    view = _existing(cloud, request.params["name"])
    properties = view["properties"]
    action = request.query.get("underlyingResourceAction", "").lower()
    if action not in ("delete", "detach"):
        raise ServiceError(400, "BadRequest", "underlyingResourceAction must be delete or detach.")
    if action == "detach" and properties["computeType"] == "AmlCompute":
        raise ServiceError(400, "BadRequest", "An AmlCompute cannot be detached; delete it.")
    if action == "delete" and properties["isAttachedCompute"]:
        raise ServiceError(400, "BadRequest", "An attached compute cannot be deleted; detach it.")
    if properties["provisioningState"] not in ("Succeeded", "Failed"):
        raise _conflict(view["name"], properties["provisioningState"])
    until = time.time() + DELETING_S

    def change(record: ComputeRecord) -> None:
        record["phase"] = {"state": "Deleting", "until": until}

    COMPUTES.update(cloud, view["name"].lower(), change)
    return _accepted(cloud, request, None, until, 202)


@router.route("POST", "{workspace}/computes/{name}/listKeys", query=())
def list_keys(cloud: Cloud, request: Request) -> Response:
    """Credentials: there is no Kubernetes cluster behind an AKS target to give any for."""
    _existing(cloud, request.params["name"])
    raise ServiceError(
        501, "NotImplemented", "The local Azure runs services as processes: there is no cluster."
    )


@router.route("POST", "{workspace}/computes/{name}/listNodes", query=("$skip",))
def list_nodes(cloud: Cloud, request: Request) -> Response:
    """The nodes of a cluster: idle ones without an address, for they are numbers only."""
    view = _existing(cloud, request.params["name"])
    if view["properties"]["computeType"] != "AmlCompute":
        raise ServiceError(400, "BadRequest", "Only an AmlCompute has nodes to list.")
    count = view["properties"]["properties"]["currentNodeCount"]
    nodes = [{"nodeId": f"node-{index}", "nodeState": "idle"} for index in range(count or 0)]
    return json_response({"computeType": "AmlCompute", "nodes": nodes})


_LOCATION = f"/subscriptions/{{subscription}}/providers/{PROVIDER}/locations/{{location}}"


@router.route("GET", _LOCATION + "/computeOperationsStatus/{operation}", query=("service",))
def show_operation(cloud: Cloud, request: Request) -> Response:
    """How far a create, update or delete is."""
    operation = _OPERATIONS.get(cloud, request.params["operation"])
    if operation is None:
        raise ServiceError(404, "NotFound", "There is no operation with this id.")
    over = time.time() >= operation["until"]
    if over and operation["error"]:
        return json_response({"status": "Failed", "error": operation["error"]})
    answer = {"status": "Succeeded", "percentComplete": 100.0} if over else {"status": "InProgress"}
    return json_response(answer, headers={"retry-after-ms": "200"})


def _existing(cloud: Cloud, name: str) -> ComputeView:
    view = get_compute(cloud, name)
    if view is None:
        raise ServiceError(
            404,
            "ComputeNotFound",
            f"The compute '{name}' in the workspace '{cloud.workspace_name}' was not found.",
            empty=True,
        )
    return view


def _replace(
    cloud: Cloud,
    request: Request,
    present: ComputeView,
    kind: str,
    inner: Settings,
    location: str,
) -> Response:
    properties = present["properties"]
    if properties["provisioningState"] != "Succeeded":
        raise _conflict(present["name"], properties["provisioningState"])
    fixed = {
        "AmlCompute": ("vmSize", "vmPriority"),
        "AKS": ("agentVmSize", "clusterPurpose"),
        "Kubernetes": ("namespace",),
    }
    same = properties["computeType"] == kind and properties["computeLocation"] == location
    before: Mapping[str, object] = properties["properties"]
    after: Mapping[str, object] = inner
    if not same or any(before[key] != after[key] for key in fixed[kind]):
        raise ServiceError(
            400,
            "BadRequest",
            f"The compute '{present['name']}' exists with another type, size, priority, purpose or "
            "location, which cannot be changed. Delete it first or choose another name.",
        )
    until = time.time() + UPDATING_S
    # A target that is put anew is created anew, as far as its states tell.
    phase = creating(until, located=True)
    return _change(cloud, request, present, inner, phase, 201)


def _change(
    cloud: Cloud,
    request: Request,
    view: ComputeView,
    inner: Settings,
    phase: Phase,
    status: int,
) -> Response:
    def change(record: ComputeRecord) -> None:
        if time.time() < record["phase"]["until"]:
            raise _conflict(view["name"], record["phase"]["state"])
        record["view"]["properties"]["properties"].update(inner)
        record["view"]["properties"]["modifiedOn"] = cloud.ml_timestamp()
        record["phase"] = phase

    COMPUTES.update(cloud, view["name"].lower(), change)
    return _accepted(cloud, request, _existing(cloud, view["name"]), phase["until"], status)


def _conflict(name: str, state: str) -> ServiceError:
    return ServiceError(409, "Conflict", f"The compute '{name}' is in state '{state}'; wait.")


def _accepted(
    cloud: Cloud,
    request: Request,
    view: ComputeView | None,
    until: float,
    status: int,
    error: ComputeError | None = None,
) -> Response:
    """The answer to a change, whose end is asked for by `Azure-AsyncOperation` alone."""
    operation = str(uuid.uuid4())
    _OPERATIONS.put(cloud, operation, {"until": until, "error": error})
    version = request.query.get("api-version") or "2020-02-02"
    url = (
        f"https://{ARM_HOST}/subscriptions/{cloud.subscription_id}/providers/{PROVIDER}/locations/"
        f"{cloud.location}/computeOperationsStatus/{operation}?api-version={version}&service=new"
    )
    # Milliseconds, which v2's poller reads: without it that would wait for 30 seconds.
    headers = {"Azure-AsyncOperation": url, "retry-after-ms": "200"}
    if view is None:
        return Response(status=status, headers={**headers, "content-length": "0"})
    return json_response(view, status, headers)
