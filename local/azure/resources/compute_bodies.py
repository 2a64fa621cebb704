"""Shapes of compute bodies (AmlCompute, Kubernetes), which v1 and v2 send to one address.

Shapes: Microsoft.MachineLearningServices 2023-08-01-preview, machineLearningServices.json.
"""

from __future__ import annotations

from local.azure.kernel import bodies
from local.azure.kernel.bodies import (
    TAGS,
    Choice,
    Object,
    Shape,
    boolean,
    number,
    text,
)
from local.azure.kernel.http import Request

_COMPUTE: dict[str, Shape] = {
    **dict.fromkeys(("computeLocation", "computeType", "createdOn", "description"), text),
    **dict.fromkeys(("modifiedOn", "provisioningState", "resourceId"), text),
    **dict.fromkeys(("disableLocalAuth", "isAttachedCompute"), boolean),
    "provisioningErrors": bodies.anything,
}
_AML = Object(
    name="AmlComputeProperties",
    members={
        **dict.fromkeys(("osType", "vmSize", "vmPriority", "remoteLoginPortPublicAccess"), text),
        **dict.fromkeys(("allocationState", "allocationStateTransitionTime"), text),
        **dict.fromkeys(("currentNodeCount", "targetNodeCount"), number),
        **dict.fromkeys(("enableNodePublicIp", "isolatedNetwork"), boolean),
        **dict.fromkeys(("errors", "nodeStateCounts", "propertyBag"), bodies.anything),
        "scaleSettings": Object(
            name="ScaleSettings",
            members={
                "maxNodeCount": number,
                "minNodeCount": number,
                "nodeIdleTimeBeforeScaleDown": text,
            },
            required=("maxNodeCount",),
        ),
        "subnet": Object(name="ResourceId", members={"id": text}),
        "userAccountCredentials": bodies.anything,
        "virtualMachineImage": bodies.anything,
    },
)
_KUBERNETES = Object(
    name="KubernetesProperties",
    members={
        **dict.fromkeys(("defaultInstanceType", "extensionInstanceReleaseTrain"), text),
        **dict.fromkeys(("extensionPrincipalId", "namespace", "vcName"), text),
        **dict.fromkeys(("relayConnectionString", "serviceBusConnectionString"), text),
        "instanceTypes": bodies.anything,
    },
)
_OTHER = {
    kind: Object(name=kind, members={**_COMPUTE, "properties": bodies.anything})
    for kind in ("AKS", "ComputeInstance", "VirtualMachine", "SynapseSpark")
}
COMPUTE = bodies.resource(
    Choice(
        by="computeType",
        choices={
            "AmlCompute": Object(name="AmlCompute", members={**_COMPUTE, "properties": _AML}),
            "Kubernetes": Object(
                name="Kubernetes", members={**_COMPUTE, "properties": _KUBERNETES}
            ),
            **_OTHER,
        },
    ),
    location=text,
    tags=TAGS,
    identity=bodies.anything,
    sku=bodies.anything,
)


def check_compute(request: Request) -> None:
    """Raises ServiceError 400 for a body of v2 that does not fit; v1's are looser."""
    if request.query.get("api-version", "") >= "2022-02-01":
        bodies.check(COMPUTE, request.json())
