"""Requests for web services: their checks, and the service that a request describes.

Shapes: azureml.core.webservice (aks.py, aci.py) and its payload templates.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, cast

from local.azure.kernel.cloud import Cloud
from local.azure.kernel.http import ServiceError, required
from local.azure.registry import model_records
from local.azure.registry.model_records import Model
from local.azure.resources import compute_records
from local.azure.serving import rollout
from local.azure.serving.service_records import SERVICES, ImageRequest, Service

_NAME = re.compile(r"[a-z](?:[a-z0-9-]{1,30})[a-z0-9]")

# What a request may leave out, as the service fills it in.
_AKS_DEFAULTS: Mapping[str, object] = {
    "authEnabled": True,
    "aadAuthEnabled": False,
    "maxConcurrentRequestsPerContainer": 1,
    "maxQueueWaitMs": 500,
    "scoringTimeoutMs": 60000,
    "isDefault": False,
    "trafficPercentile": None,
    "type": None,
}
_ACI_DEFAULTS: Mapping[str, object] = {
    "authEnabled": False,
    "cname": None,
    "publicIp": None,
    "sslEnabled": False,
    "sslCertificate": None,
    "sslKey": None,
}


def check(cloud: Cloud, asked: Mapping[str, Any]) -> None:
    """Check a request to create a service. Raises ServiceError: 400, 404, 409, or 501."""
    name, kind = required(asked, "name"), str(required(asked, "computeType")).upper()
    if not _NAME.fullmatch(name):
        raise ServiceError(
            400,
            "BadArgument",
            f"The service name '{name}' is not valid: 3 to 32 lowercase letters, digits and "
            "dashes, of which the first is a letter and the last is no dash.",
        )
    check_name(cloud, name, overwrite=bool(asked.get("overwrite")))
    if kind not in ("AKS", "ACI"):
        raise ServiceError(501, "NotImplemented", f"The local Azure has no {kind} services.")
    if kind == "AKS":
        _cluster(cloud, asked.get("computeName"))
    if asked.get("aadAuthEnabled") and (kind == "ACI" or asked.get("authEnabled")):
        why = "have no tokens" if kind == "ACI" else "take keys or tokens, not both"
        raise ServiceError(400, "BadArgument", f"Services on {kind} {why}.")
    if not asked.get("environmentImageRequest"):
        raise ServiceError(
            501,
            "NotImplemented",
            "The local Azure deploys from an InferenceConfig with an environment, not from an "
            "image.",
        )
    check_image(cloud, asked["environmentImageRequest"])


def check_name(cloud: Cloud, name: str, *, overwrite: bool) -> None:
    """Check that a service of this name may be deployed. Raises ServiceError 409."""
    before = SERVICES.get(cloud, name)
    if before is None:
        return
    if not overwrite:
        raise ServiceError(
            409,
            "Conflict",
            f"Service {name} with the same name already exists, please use a different service "
            "name or delete the existing service.",
        )
    check_settled(name)


def check_settled(name: str) -> None:
    """Check that no rollout of the service is under way. Raises ServiceError 409."""
    if rollout.under_way(name):
        raise ServiceError(
            409,
            "Conflict",
            f"Service {name} is being deployed or updated. Wait for that to end, or delete it.",
        )


def check_image(cloud: Cloud, image: ImageRequest) -> None:
    """Check the models and the environment of a request. Raises ServiceError 404 or 501."""
    for model_id in image.get("modelIds") or []:
        find_model(cloud, model_id)
    if not image.get("environment"):
        raise ServiceError(
            501,
            "NotImplemented",
            "The local Azure does not deploy a model without code. Give an InferenceConfig with "
            "an entry script and an environment.",
        )


def find_model(cloud: Cloud, model_id: str) -> Model:
    """A registered model. Raises ServiceError 404."""
    found = model_records.get_model(cloud, model_id)
    if found is None:
        raise ServiceError(404, "ModelNotFound", f"Model with id {model_id} was not found.")
    return found


def _cluster(cloud: Cloud, name: str | None) -> compute_records.ComputeView:
    found = compute_records.get_compute(cloud, name) if name else None
    if found is None:
        raise ServiceError(404, "ComputeNotFound", f"Compute target '{name}' was not found.")
    if found["properties"]["computeType"] != "AKS":
        raise ServiceError(
            400,
            "BadArgument",
            f"Compute target '{name}' is not an AKS cluster, so no service can run there.",
        )
    if found["properties"]["provisioningState"] != "Succeeded":
        state = found["properties"]["provisioningState"]
        raise ServiceError(
            400, "ComputeNotReady", f"Compute target '{name}' is not ready: it is {state}."
        )
    return found


def build(cloud: Cloud, asked: Mapping[str, Any]) -> Service:
    """A service as the SDK reads it, from a request that was checked."""
    kind = str(asked["computeType"]).upper()
    name, image = asked["name"], asked["environmentImageRequest"]
    resources = asked.get("containerResourceRequirements") or {}
    service: dict[str, object] = {
        **(_AKS_DEFAULTS if kind == "AKS" else _ACI_DEFAULTS),
        "namespace": f"azureml-{cloud.workspace_name}",
        **{key: value for key, value in asked.items() if value is not None and key != "keys"},
        "id": name,
        "computeType": kind,
        "description": asked.get("description") or "",
        "kvTags": asked.get("kvTags") or {},
        "properties": asked.get("properties") or {},
        "createdTime": cloud.timestamp(),
        "updatedTime": cloud.timestamp(),
        "createdBy": {"userObjectId": cloud.object_id, "userName": "local"},
        "appInsightsEnabled": bool(asked.get("appInsightsEnabled")),
        "containerResourceRequirements": {
            key: resources.get(key)
            for key in ("cpu", "cpuLimit", "memoryInGB", "memoryInGBLimit", "gpu", "fpga")
        },
        "dataCollection": {
            "eventHubEnabled": False,
            "storageEnabled": bool((asked.get("dataCollection") or {}).get("storageEnabled")),
        },
        "models": [find_model(cloud, model_id) for model_id in image.get("modelIds") or []],
    }
    service.pop("overwrite", None)
    if kind == "AKS":
        cluster = _cluster(cloud, asked["computeName"])
        scaling = asked.get("autoScaler") or {}
        service |= {
            "computeName": cluster["name"],
            "location": cluster["location"],
            "numReplicas": asked.get("numReplicas") or 1,
            "livenessProbeRequirements": _liveness(asked.get("livenessProbeRequirements") or {}),
            "autoScaler": {
                "autoscaleEnabled": bool(scaling.get("autoscaleEnabled")),
                "minReplicas": scaling.get("minReplicas") or 1,
                "maxReplicas": scaling.get("maxReplicas") or 10,
                "targetUtilization": scaling.get("targetUtilization") or 70,
                "refreshPeriodInSeconds": scaling.get("refreshPeriodInSeconds") or 1,
            },
        }
        host = cluster["properties"]["properties"]["clusterFqdn"]
        address = f"https://{host}/api/v1/service/{name}/"
    else:
        location = asked.get("location") or cloud.location
        service["location"] = location
        address = f"https://{name}.{location}.azurecontainer.io/"
    service["scoringUri"] = address + "score"
    service["swaggerUri"] = address + "swagger.json"
    return cast("Service", service)


def _liveness(asked: Mapping[str, object]) -> Mapping[str, object]:
    return {
        "periodSeconds": asked.get("periodSeconds") or 10,
        "initialDelaySeconds": asked.get("initialDelaySeconds") or 310,
        "timeoutSeconds": asked.get("timeoutSeconds") or 2,
        "successThreshold": asked.get("successThreshold") or 1,
        "failureThreshold": asked.get("failureThreshold") or 3,
    }
