"""Online endpoints and deployments as Resource Manager has them: bodies to send, bodies read.

Shapes: Microsoft.MachineLearningServices 2024-10-01, onlineEndpoints.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from amltasks.workspace.port import Kept, Model, Probe, Revision, Scaling, ServiceSpec
from amltasks.workspace.sdk_v2.rest import Rest

MARK = "azure-machine-learning-tasks"
"""The property of what a task made. It deletes nothing but that and what it replaces."""

SERVED_TAG = "azure-machine-learning-tasks-served"
"""The endpoint's tag with the deployments that were in service, the last one first."""

_LONGEST_TAG = 256
_AUTH_MODES = {"key": "Key", "aml_token": "AMLToken", "aad_token": "AADToken"}
_ACCESS = {True: "Enabled", False: "Disabled"}
# The service's own limits for a container; a request above them raises the limit.
_LEAST_CPU_LIMIT, _LEAST_MEMORY_LIMIT_GB = 2.0, 4.0


def new_endpoint(rest: Rest, spec: ServiceSpec) -> dict[str, Any]:
    """The endpoint, without traffic."""
    settings = spec.settings
    properties: dict[str, Any] = {
        "authMode": _AUTH_MODES[settings.auth or "key"],
        "traffic": {},
        "properties": {MARK: "1"},
    }
    if spec.description:
        properties["description"] = spec.description
    if spec.target == "kubernetes":
        properties["compute"] = f"{rest.scope}/computes/{spec.cluster}"
    if settings.public_access is not None:
        properties["publicNetworkAccess"] = _ACCESS[settings.public_access]
    identity: dict[str, Any] = {"type": "SystemAssigned"}
    if settings.identities:
        users: dict[str, Any] = {one: {} for one in settings.identities}
        identity = {"type": "UserAssigned", "userAssignedIdentities": users}
    return {
        "location": rest.workspace["location"],
        "kind": "K8S" if spec.target == "kubernetes" else "Managed",
        "identity": identity,
        "tags": dict(spec.tags),
        "properties": properties,
    }


def new_deployment(rest: Rest, spec: ServiceSpec, code: str, environment: str) -> dict[str, Any]:
    """The deployment: what runs, on which machines; ``code`` is empty for an MLflow model alone."""
    model = f"{rest.scope}/models/{spec.model.name}/versions/{spec.model.version}"
    settings = spec.settings
    properties: dict[str, Any] = {
        "model": spec.model.address or model,
        "environmentVariables": dict(spec.variables),
        "appInsightsEnabled": spec.app_insights,
        # The default timeout of the service, 5 s, fails a cold start.
        "requestSettings": {
            "requestTimeout": _duration(spec.limits.timeout),
            "maxConcurrentRequestsPerInstance": spec.limits.concurrent,
            "maxQueueWait": _duration(spec.limits.queue_wait),
        },
        "scaleSettings": _scale(settings.scaling),
        "properties": {**settings.properties, MARK: "1"},
    }
    for name, probe in (
        ("livenessProbe", settings.liveness),
        ("readinessProbe", settings.readiness),
    ):
        if probe is not None:
            properties[name] = _probe(probe)
    if settings.model_mount_path:
        properties["modelMountPath"] = settings.model_mount_path
    if settings.egress is not None:
        properties["egressPublicNetworkAccess"] = _ACCESS[settings.egress]
    if spec.instance_type:
        properties["instanceType"] = spec.instance_type
    if spec.entry_script is not None and spec.source_directory is not None:
        properties["environmentId"] = environment
        script = spec.entry_script.relative_to(spec.source_directory).as_posix()
        properties["codeConfiguration"] = {"codeId": code, "scoringScript": script}
    if spec.description:
        properties["description"] = spec.description
    if spec.target == "kubernetes":
        properties["endpointComputeType"] = "Kubernetes"
        if needs := _needs(spec):
            properties["containerResourceRequirements"] = needs
    else:
        properties["endpointComputeType"] = "Managed"
    return {
        "location": rest.workspace["location"],
        "sku": {"name": "Default", "capacity": spec.replicas},
        "tags": dict(spec.tags),
        "properties": properties,
    }


def _needs(spec: ServiceSpec) -> dict[str, Any]:
    """Requests and limits of a replica; empty where the instance type decides on all of them."""
    settings = spec.settings
    cpu_limit, memory_limit = settings.cpu_limit, settings.memory_limit
    if not spec.instance_type:
        cpu_limit = cpu_limit or max(spec.cpu_cores, _LEAST_CPU_LIMIT)
        memory_limit = memory_limit or max(spec.memory_gb, _LEAST_MEMORY_LIMIT_GB)
    parts = {
        "containerResourceRequests": _resources(spec.cpu_cores, spec.memory_gb, settings.gpus),
        "containerResourceLimits": _resources(
            cpu_limit or spec.cpu_cores, memory_limit or spec.memory_gb, settings.gpus
        ),
    }
    return {name: amounts for name, amounts in parts.items() if amounts}


def _scale(scaling: Scaling | None) -> dict[str, Any]:
    if scaling is None:
        return {"scaleType": "Default"}
    given = {
        "minInstances": scaling.least,
        "maxInstances": scaling.most,
        "targetUtilizationPercentage": scaling.percent,
        "pollingInterval": None if scaling.seconds is None else _duration(scaling.seconds),
    }
    said = {name: value for name, value in given.items() if value is not None}
    return {"scaleType": "TargetUtilization", **said}


def _probe(probe: Probe) -> dict[str, Any]:
    times = {"initialDelay": probe.initial_delay, "period": probe.period, "timeout": probe.timeout}
    counts = {"successThreshold": probe.successes, "failureThreshold": probe.failures}
    return {
        **{name: _duration(value) for name, value in times.items() if value is not None},
        **{name: value for name, value in counts.items() if value is not None},
    }


def _duration(seconds: float) -> str:
    """ISO 8601."""
    return f"PT{seconds:g}S"


def endpoint(name: str) -> str:
    """The path of an endpoint."""
    return f"onlineEndpoints/{name}"


def traffic_of(found: Mapping[str, Any]) -> dict[str, int]:
    """Deployment -> percent of the requests."""
    return {str(k): int(v) for k, v in (found["properties"].get("traffic") or {}).items()}


def shared(before: Mapping[str, int], name: str, percent: int) -> dict[str, int]:
    """Traffic in whole percent: ``percent`` for one revision, the rest as it was shared before."""
    rest, traffic = 100 - percent, {}
    served = {one: share for one, share in before.items() if share > 0 and one != name}
    total = sum(served.values())
    for number, (one, share) in enumerate(served.items(), start=1):
        part = rest if number == len(served) else round((100 - percent) * share / total)
        traffic[one] = min(part, rest)
        rest -= traffic[one]
    return {**{one: share for one, share in traffic.items() if share}, name: percent}


def state_of(found: Mapping[str, Any], serving: list[dict[str, Any]]) -> str:
    """``Healthy``, as in azureml-sdk, or Azure's state of the first part that is not."""
    states = [str(each["properties"].get("provisioningState")) for each in (found, *serving)]
    unwell = next((state for state in states if state != "Succeeded"), None)
    return unwell or ("Healthy" if serving else "Unserved")


def model_of(model_id: str) -> Model | None:
    """The model of the workspace that an ARM id names; None for any other."""
    found = re.search(r"/models/([^/]+)/versions/(\d+)$", model_id)
    if found is None:
        return None
    return Model(name=found[1], version=int(found[2]), run_id="", description="", tags={})


def _resources(cpu_cores: float, memory_gb: float, gpus: int) -> dict[str, str]:
    return {
        **({"cpu": f"{cpu_cores:g}"} if cpu_cores else {}),
        **({"memory": f"{memory_gb:g}Gi"} if memory_gb else {}),
        **({"gpu": str(gpus)} if gpus else {}),
    }


def auth_of(found: Mapping[str, Any]) -> str:
    """How callers of an endpoint show who they are, as the port names it."""
    modes = {mode: name for name, mode in _AUTH_MODES.items()}
    return modes.get(str(found["properties"].get("authMode")), "key")


def identity_of(found: Mapping[str, Any]) -> dict[str, Any]:
    """The identity without the fields that only the service may set."""
    identity = found.get("identity") or {"type": "SystemAssigned"}
    users: dict[str, Any] = {name: {} for name in identity.get("userAssignedIdentities") or {}}
    return {"type": identity["type"], **({"userAssignedIdentities": users} if users else {})}


def served_of(found: Mapping[str, Any]) -> list[str]:
    """The deployments that were in service, the last one first."""
    return str((found.get("tags") or {}).get(SERVED_TAG) or "").split()


def served_tag(names: list[str]) -> str:
    """The value of :data:`SERVED_TAG`; the oldest names are left out where a tag has no room."""
    while len(" ".join(names)) > _LONGEST_TAG:
        names = names[:-1]
    return " ".join(names)


def ours(found: Mapping[str, Any]) -> bool:
    """Whether a task made this endpoint or deployment."""
    return MARK in (found["properties"].get("properties") or {})


def kept(found: Mapping[str, Any], deployments: list[dict[str, Any]]) -> tuple[Kept, ...]:
    """The deployments that could go back into service, the last served one first."""
    service, served, traffic = str(found["name"]), served_of(found), traffic_of(found)
    serving = [position for position, one in enumerate(served) if traffic.get(one, 0) > 0]
    before = served[max(serving, default=-1) + 1 :]

    def order(each: dict[str, Any]) -> int:
        return before.index(each["name"]) if each["name"] in before else len(before)

    return tuple(
        Kept(
            revision=Revision(
                service=service, name=each["name"], label=f"{service}/{each['name']}", fresh=False
            ),
            build=str((each.get("tags") or {}).get("build_number") or ""),
            model=model_of(str(each["properties"].get("model") or "")),
            served=each["name"] in before,
        )
        for each in sorted(deployments, key=order)
        if traffic.get(each["name"], 0) == 0
        and each["properties"].get("provisioningState") == "Succeeded"
        and (each["name"] in served or ours(each))
    )


def useless(
    found: Mapping[str, Any],
    deployments: list[dict[str, Any]],
    name: str,
    before: Mapping[str, int],
    keep: int,
) -> list[str]:
    """The deployments to remove while ``name`` serves, in this order.

    What never served goes first, and of the others the one that served last goes last.

    Args:
        found: the endpoint.
        deployments: those of the endpoint.
        name: the one in service.
        before: the traffic before this release.
        keep: how many of those that served before stay.
    """
    there = {str(each["name"]) for each in deployments}
    served = [one for one in served_of(found) if one in there and one != name]
    gone = [
        str(each["name"])
        for each in deployments
        if each["name"] not in (name, *served[:keep])
        and (ours(each) or before.get(each["name"], 0) > 0)
    ]
    return sorted(gone, key=lambda n: -served.index(n) if n in served else -len(served))
