"""The bodies of online endpoints and deployments, and what the service fills in.

Shapes: Microsoft.MachineLearningServices 2024-10-01 (and the previews since 2022-02-01), mfe.json.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, cast

from local.azure.kernel import bodies
from local.azure.kernel.bodies import (
    TAGS,
    Choice,
    Object,
    Shape,
    boolean,
    map_of,
    number,
    one_of,
    text,
)
from local.azure.v2.online.collecting import DATA_COLLECTOR
from local.azure.v2.online.deployment_records import Properties

_DURATION = re.compile(r"P(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+(?:\.\d+)?)S)?)?")

_IDENTITY = Object(
    name="ManagedServiceIdentity",
    members={
        "type": text,
        "principalId": text,
        "tenantId": text,
        "userAssignedIdentities": bodies.anything,
    },
)
_SKU = Object(
    name="Sku",
    members={**dict.fromkeys(("name", "tier", "size", "family"), text), "capacity": number},
)
_TRACKED: dict[str, Shape] = {
    "location": text,
    "tags": TAGS,
    "kind": text,
    "identity": _IDENTITY,
    "sku": _SKU,
}

_KEYS = Object(name="EndpointAuthKeys", members={"primaryKey": text, "secondaryKey": text})
ENDPOINT = bodies.resource(
    Object(
        name="OnlineEndpoint",
        members={
            "authMode": one_of("Key", "AMLToken", "AADToken"),
            "compute": text,
            "description": text,
            "keys": _KEYS,
            "mirrorTraffic": map_of(number),
            "properties": TAGS,
            "provisioningState": text,
            "publicNetworkAccess": one_of("Enabled", "Disabled"),
            "scoringUri": text,
            "swaggerUri": text,
            "traffic": map_of(number),
        },
        required=("authMode",),
    ),
    **_TRACKED,
)
# Properties could be changed so in the first previews, and azureml-mlflow does.
ENDPOINT_PATCH = Object(
    name="PartialOnlineEndpointPartialTrackedResource",
    members={
        **_TRACKED,
        "properties": Object(
            name="PartialOnlineEndpoint",
            members={"traffic": map_of(number), "mirrorTraffic": map_of(number)},
        ),
    },
)
REGENERATE = Object(
    name="RegenerateEndpointKeysRequest",
    members={"keyType": one_of("Primary", "Secondary"), "keyValue": text},
    required=("keyType",),
)

_PROBE = Object(
    name="ProbeSettings",
    members={
        **dict.fromkeys(("failureThreshold", "successThreshold"), number),
        **dict.fromkeys(("initialDelay", "period", "timeout"), text),
        "httpMethod": text,
        "path": text,
        "port": number,
        "scheme": text,
    },
)
_RESOURCES = Object(
    name="ContainerResourceSettings", members=dict.fromkeys(("cpu", "memory", "gpu"), text)
)
_SCALE = Choice(
    by="scaleType",
    choices={
        "Default": Object(name="DefaultScaleSettings", members={"scaleType": text}),
        "TargetUtilization": Object(
            name="TargetUtilizationScaleSettings",
            members={
                "scaleType": text,
                "pollingInterval": text,
                **dict.fromkeys(
                    ("minInstances", "maxInstances", "targetUtilizationPercentage"), number
                ),
            },
        ),
    },
)
_DEPLOYMENT: dict[str, Shape] = {
    "appInsightsEnabled": boolean,
    "codeConfiguration": Object(
        name="CodeConfiguration",
        members={"codeId": text, "scoringScript": text},
        required=("scoringScript",),
    ),
    "dataCollector": DATA_COLLECTOR,
    "description": text,
    "egressPublicNetworkAccess": one_of("Enabled", "Disabled"),
    "endpointComputeType": text,
    "environmentId": text,
    "environmentVariables": map_of(text),
    "instanceType": text,
    "livenessProbe": _PROBE,
    "model": text,
    "modelMountPath": text,
    "privateNetworkConnection": boolean,
    "properties": TAGS,
    "provisioningState": text,
    "readinessProbe": _PROBE,
    "requestSettings": Object(
        name="OnlineRequestSettings",
        members={
            "maxConcurrentRequestsPerInstance": number,
            "maxQueueWait": text,
            "requestTimeout": text,
        },
    ),
    "scaleSettings": _SCALE,
    "startupProbe": _PROBE,
}
_CONTAINER = Object(
    name="ContainerResourceRequirements",
    members={"containerResourceLimits": _RESOURCES, "containerResourceRequests": _RESOURCES},
)
_OF_EITHER_KIND = Choice(
    by="endpointComputeType",
    choices={
        "Managed": Object(name="ManagedOnlineDeployment", members=_DEPLOYMENT),
        "Kubernetes": Object(
            name="KubernetesOnlineDeployment",
            members={**_DEPLOYMENT, "containerResourceRequirements": _CONTAINER},
        ),
    },
)
DEPLOYMENT = bodies.resource(_OF_EITHER_KIND, **_TRACKED)
# azureml-mlflow changes a deployment so, and sends its location along.
DEPLOYMENT_PATCH = Object(
    name="OnlineDeploymentPatch",
    members={"location": text, "properties": _OF_EITHER_KIND, "tags": TAGS, "sku": _SKU},
)
LOGS = Object(
    name="DeploymentLogsRequest",
    members={"containerType": one_of("StorageInitializer", "InferenceServer"), "tail": number},
)

# Defaults: learn.microsoft.com/azure/machine-learning/reference-yaml-deployment-managed-online.
_DEFAULT_PROBE = {
    "initialDelay": "PT10S",
    "period": "PT10S",
    "timeout": "PT2S",
    "successThreshold": 1,
    "failureThreshold": 30,
}
_DEFAULT_REQUESTS = {
    "maxConcurrentRequestsPerInstance": 1,
    "maxQueueWait": "PT0S",
    "requestTimeout": "PT5S",
}
_DEFAULT_RESOURCES = {
    "containerResourceRequests": {"cpu": "0.1", "memory": "0.5Gi", "gpu": None},
    "containerResourceLimits": {"cpu": "2", "memory": "4Gi", "gpu": None},
}


def filled(asked: Mapping[str, Any]) -> Properties:
    """The properties of a deployment with what a request may leave out."""
    is_managed = str(asked["endpointComputeType"]).lower() == "managed"
    full: dict[str, object] = {
        **dict.fromkeys(("description", "model", "environmentId", "codeConfiguration")),
        **dict.fromkeys(("modelMountPath", "dataCollector") if is_managed else ()),
        "appInsightsEnabled": False,
        "environmentVariables": {},
        "properties": {},
        "scaleSettings": {"scaleType": "Default"},
        **({"egressPublicNetworkAccess": "Enabled"} if is_managed else {}),
        **{name: value for name, value in asked.items() if value is not None},
        "endpointComputeType": "Managed" if is_managed else "Kubernetes",
    }
    for name in ("livenessProbe", "readinessProbe"):
        full[name] = {**_DEFAULT_PROBE, **_given(asked.get(name))}
    full["requestSettings"] = {**_DEFAULT_REQUESTS, **_given(asked.get("requestSettings"))}
    if not is_managed:
        needs = _given(asked.get("containerResourceRequirements"))
        full["containerResourceRequirements"] = {
            part: {**amounts, **_given(needs.get(part))}
            for part, amounts in _DEFAULT_RESOURCES.items()
        }
    return cast("Properties", full)


def _given(settings: Mapping[str, Any] | None) -> Mapping[str, Any]:
    return {name: value for name, value in (settings or {}).items() if value is not None}


def seconds(duration: str) -> float:
    """An ISO 8601 duration of days, hours, minutes and seconds. 0 for what is none."""
    found = _DURATION.fullmatch(duration)
    if not found:
        return 0.0
    return sum(
        float(amount or 0) * unit
        for amount, unit in zip(found.groups(), (86400, 3600, 60, 1), strict=True)
    )
