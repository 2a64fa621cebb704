"""Checks before an online endpoint or deployment is created or changed."""

from __future__ import annotations

import re
from collections.abc import Mapping

from local.azure.kernel.cloud import Cloud
from local.azure.kernel.http import ServiceError
from local.azure.resources import compute_records
from local.azure.resources.regions import find_vm_size
from local.azure.v2 import registries
from local.azure.v2.assets import environments
from local.azure.v2.online import collecting, deployment_records, rollout
from local.azure.v2.online.deployment_records import deployments_of
from local.azure.v2.online.records import Endpoint, Properties

_NAME = re.compile(r"[a-zA-Z](?:[-a-zA-Z0-9]{1,30})[a-zA-Z0-9]")
_WITH_SERVICES = ("Kubernetes", "AKS")


def check_name(name: str, what: str) -> None:
    """Check the name of an endpoint or deployment. Raises ServiceError 400."""
    if not _NAME.fullmatch(name):
        raise ServiceError(
            400,
            "UserError",
            f"The {what} name '{name}' is not valid: 3 to 32 letters, digits and dashes, of which "
            "the first is a letter and the last is no dash.",
        )


def check_compute(cloud: Cloud, compute_id: str) -> None:
    """Check that a compute can hold an endpoint. Raises ServiceError 404 or 400."""
    name = compute_id.rpartition("/")[2]
    found = compute_records.get_compute(cloud, name)
    if found is None:
        raise ServiceError(
            404, "ComputeNotFound", f"The compute '{name}' was not found in the workspace."
        )
    kind = found["properties"]["computeType"]
    if kind not in _WITH_SERVICES:
        raise ServiceError(
            400,
            "UserError",
            f"The compute '{name}' is of type {kind}; an online endpoint needs an attached "
            "Kubernetes cluster.",
        )
    if found["properties"]["provisioningState"] != "Succeeded":
        state = found["properties"]["provisioningState"]
        raise ServiceError(400, "UserError", f"The compute '{name}' is not ready: it is {state}.")


def shares(asked: Mapping[str, float | str] | None, known: dict[str, int]) -> dict[str, int]:
    """Percentages by deployment; none given leaves what is there."""
    return known if asked is None else {name: int(float(share)) for name, share in asked.items()}


def check_traffic(cloud: Cloud, name: str, properties: Properties) -> None:
    """Check that traffic and mirrored traffic fit the deployments. Raises ServiceError 400."""
    traffic, mirror = properties["traffic"], properties["mirrorTraffic"]
    there = {one["name"]: one["revision"] is not None for one in deployments_of(cloud, name)}
    for deployment, share in (*traffic.items(), *mirror.items()):
        if deployment not in there:
            raise ServiceError(
                400,
                "UserError",
                f"The deployment '{deployment}' in the traffic of the endpoint '{name}' does not "
                "exist.",
            )
        if share > 0 and not there[deployment]:
            raise ServiceError(
                400,
                "UserError",
                f"The deployment '{deployment}' of the endpoint '{name}' is not ready, so it can "
                "take no traffic.",
            )
    shares = [*traffic.values(), *mirror.values()]
    if any(share < 0 for share in shares) or sum(traffic.values()) not in (0, 100):
        raise ServiceError(
            400,
            "UserError",
            f"The sum of the traffic of the endpoint '{name}' is {sum(traffic.values())}; it must "
            "be 0 or 100.",
        )
    mirrored = [deployment for deployment, share in mirror.items() if share]
    if mirrored and properties["compute"]:
        raise ServiceError(400, "UserError", "Only managed online endpoints mirror traffic.")
    if len(mirrored) > 1 or any(mirror[one] > 50 or traffic.get(one) for one in mirrored):
        raise ServiceError(
            400,
            "UserError",
            "Mirror traffic can go to one deployment without live traffic, at most 50 percent.",
        )


def _check_registry(cloud: Cloud, kind: str, model: str) -> None:
    if kind == "Kubernetes" and registries.model_files(cloud, model):
        raise ServiceError(
            400, "UserError", "A Kubernetes deployment takes no model from a registry."
        )


def check_deployment(
    cloud: Cloud, endpoint: Endpoint, name: str, properties: deployment_records.Properties
) -> None:
    """Check what can be checked before a process is started. Raises ServiceError: 400, 404, 501."""
    kind = "Kubernetes" if endpoint["properties"]["compute"] else "Managed"
    if properties["endpointComputeType"] != kind:
        raise ServiceError(
            400,
            "UserError",
            f"The deployment '{name}' is {properties['endpointComputeType']}, and the endpoint "
            f"'{endpoint['name']}' is {kind}.",
        )
    _check_registry(cloud, kind, properties["model"] or "")
    size = properties.get("instanceType")
    if kind == "Managed" and (not size or find_vm_size(size) is None):
        raise ServiceError(
            400, "UserError", f"The instance type '{size}' of '{name}' is not supported."
        )
    if properties["scaleSettings"]["scaleType"].lower() != "default" and kind == "Managed":
        raise ServiceError(
            400,
            "UserError",
            "A managed deployment has the scale type Default; use autoscale rules.",
        )
    collecting.config(cloud, properties.get("dataCollector"), endpoint["name"], name)
    if not properties["codeConfiguration"] and not properties["environmentId"]:
        rollout.mlflow_definition(cloud, properties["model"])
        return
    code = properties["codeConfiguration"]
    if not properties["environmentId"] or not code or not code["codeId"]:
        raise ServiceError(
            501,
            "NotImplemented",
            f"Without code and an environment the deployment '{name}' would be an image of its "
            "own, which the local Azure cannot run. Give both, or an MLflow model and neither.",
        )
    rollout.code_folder(cloud, code["codeId"])
    if properties["model"] and not registries.model_files(cloud, properties["model"]):
        rollout.model_id(cloud, properties["model"])
    try:
        environments.definition(cloud, properties["environmentId"])
    except ServiceError as error:
        if error.code != "ImageBuildFailure":  # which is heard of when it is deployed
            raise
