"""The names that Azure ML's own files give a service's settings, and what each may say.

Sources: the YAML schemas of azure-ai-ml (managedOnlineEndpoint, kubernetesOnlineEndpoint,
managedOnlineDeployment, kubernetesOnlineDeployment); `deploy_config_dict_to_obj` of azureml-core
for ``deploymentconfig``, and its `InferenceConfig` for ``inferenceconfig``; the arguments of its
`AksCompute.provisioning_configuration` for a new cluster.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

Value = str | float | int | bool | tuple[str, ...]
Read = Callable[[object], Value]

MAPPINGS: Final = frozenset({"tags", "properties", "environment_variables"})
"""Members that hold names of the user's own."""

REFUSED: Final = {
    "traffic": "this task moves the requests itself (input 'ramp')",
    "mirror_traffic": "this task moves the requests itself (input 'ramp')",
    "keys": "Azure makes the keys, and a file is no place for them",
    "data_collector": "this task does not set up the collector",
    "model.path": "this task deploys registered models",
    "package_model": "this task deploys models without packaging them",
}
"""Known members that the task does not take, and why."""

_CPU = re.compile(r"(\d+(?:\.\d+)?)(m?)")
_MEMORY = re.compile(r"(\d+(?:\.\d+)?)(Gi|Mi|G|M)?")
# To gigabytes as a replica's memory is counted, 2**30 bytes.
_MEMORY_UNITS = {"Gi": 1.0, "": 1.0, "Mi": 1 / 1024, "G": 1e9 / 2**30, "M": 1e6 / 2**30}


@dataclass(frozen=True, kw_only=True)
class Setting:
    """Where a member of a file leads: the setting's name, and how its value is read.

    ``read`` raises ValueError, whose text continues "which is not …".
    """

    name: str
    read: Read


def text(value: object) -> Value:
    """A text that is not empty."""
    if not isinstance(value, str) or not value.strip():
        raise ValueError("a text")
    return value.strip()


def version(value: object) -> Value:
    """A version, which YAML may take for a number."""
    return text(str(value) if isinstance(value, int) and not isinstance(value, bool) else value)


def boolean(value: object) -> Value:
    """True or false."""
    if not isinstance(value, bool):
        raise ValueError("true or false")
    return value


def number(value: object) -> Value:
    """A finite number of 0 or more."""
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 <= value < math.inf:
        raise ValueError("a number of 0 or more")
    return value


def positive(value: object) -> Value:
    """A finite number above 0."""
    found = number(value)
    if not found:
        raise ValueError("a number above 0")
    return found


def whole(value: object) -> Value:
    """A whole number from 1."""
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        raise ValueError("a whole number from 1")
    return value


def count(value: object) -> Value:
    """A whole number from 0, also as a text (a GPU count in Kubernetes' notation)."""
    found = int(value) if isinstance(value, str) and value.isdecimal() else value
    if isinstance(found, bool) or not isinstance(found, int) or found < 0:
        raise ValueError("a whole number from 0")
    return found


def percent(value: object) -> Value:
    """A whole number from 1 to 100."""
    if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= 100:
        raise ValueError("a whole number from 1 to 100")
    return value


def milliseconds(value: object) -> Value:
    """Milliseconds, to seconds."""
    found = number(value)
    assert isinstance(found, (int, float))  # noqa: S101 - number() answers no other
    return found / 1000


def cpu(value: object) -> Value:
    """Cores: a number, or Kubernetes' notation (``0.5``, ``500m``)."""
    found = _CPU.fullmatch(value.strip()) if isinstance(value, str) else None
    if found is None:
        return positive(value)
    return positive(float(found[1]) / (1000 if found[2] else 1))


def memory(value: object) -> Value:
    """Gigabytes: a number, or Kubernetes' notation (``2Gi``, ``512Mi``)."""
    found = _MEMORY.fullmatch(value.strip()) if isinstance(value, str) else None
    if found is None:
        return positive(value)
    return positive(float(found[1]) * _MEMORY_UNITS[found[2] or ""])


def texts(value: object) -> Value:
    """A list of texts, or of objects with a ``resource_id`` (the identities of an endpoint)."""
    if not isinstance(value, list) or not value:
        raise ValueError("a list")
    found = [one.get("resource_id") if isinstance(one, dict) else one for one in value]
    return tuple(str(text(one)) for one in found)


def one_of(*options: str) -> Read:
    """One of these words, in any case; dashes may stand for underscores."""

    def read(value: object) -> Value:
        found = value.strip().lower().replace("-", "_") if isinstance(value, str) else ""
        if found not in options:
            raise ValueError("one of " + ", ".join(options))
        return found

    return read


def switch(value: object) -> Value:
    """``enabled`` or ``disabled``, to whether it is."""
    return one_of("enabled", "disabled")(value) == "enabled"


def _many(prefix: str, name: str, members: Mapping[str, tuple[str, Read]]) -> dict[str, Setting]:
    return {
        f"{prefix}.{member}": Setting(name=f"{name}.{to}", read=read)
        for member, (to, read) in members.items()
    }


_PROBE: Final[Mapping[str, tuple[str, Read]]] = {
    "initial_delay": ("initial_delay", whole),
    "period": ("period", whole),
    "timeout": ("timeout", whole),
    "success_threshold": ("successes", whole),
    "failure_threshold": ("failures", whole),
}
_FILES: Final = {
    "model": Setting(name="model", read=text),
    "code_configuration.code": Setting(name="source_directory", read=text),
    "code_configuration.scoring_script": Setting(name="entry_script", read=text),
    "environment": Setting(name="environment", read=text),
    "environment.name": Setting(name="environment_name", read=text),
    "environment.version": Setting(name="environment_version", read=version),
    "environment.image": Setting(name="image", read=text),
    "environment.conda_file": Setting(name="environment_file", read=text),
    "sourceDirectory": Setting(name="source_directory", read=text),
    "entryScript": Setting(name="entry_script", read=text),
    "condaFile": Setting(name="environment_file", read=text),
    "baseImage": Setting(name="image", read=text),
    "runtime": Setting(name="runtime", read=one_of("python")),
}
_V2: Final = {
    "description": Setting(name="description", read=text),
    "type": Setting(name="target", read=one_of("managed", "kubernetes")),
    "compute": Setting(name="compute", read=text),
    "endpoint_name": Setting(name="service", read=text),
    "auth_mode": Setting(name="auth", read=one_of("key", "aml_token", "aad_token")),
    "public_network_access": Setting(name="public_access", read=switch),
    "identity.type": Setting(name="identity", read=one_of("system_assigned", "user_assigned")),
    "identity.user_assigned_identities": Setting(name="identities", read=texts),
    "app_insights_enabled": Setting(name="app_insights", read=boolean),
    "egress_public_network_access": Setting(name="egress", read=switch),
    "instance_type": Setting(name="instance_type", read=text),
    "instance_count": Setting(name="replicas", read=whole),
    "model_mount_path": Setting(name="model_mount_path", read=text),
    "request_settings.request_timeout_ms": Setting(name="request_timeout", read=milliseconds),
    "request_settings.max_concurrent_requests_per_instance": Setting(name="concurrent", read=whole),
    "request_settings.max_queue_wait_ms": Setting(name="queue_wait", read=milliseconds),
    "scale_settings.type": Setting(name="scaling", read=one_of("default", "target_utilization")),
    "scale_settings.min_instances": Setting(name="scaling.least", read=whole),
    "scale_settings.max_instances": Setting(name="scaling.most", read=whole),
    "scale_settings.polling_interval": Setting(name="scaling.seconds", read=whole),
    "scale_settings.target_utilization_percentage": Setting(name="scaling.percent", read=percent),
    "resources.requests.cpu": Setting(name="cpu", read=cpu),
    "resources.requests.memory": Setting(name="memory", read=memory),
    "resources.requests.nvidia.com/gpu": Setting(name="gpus", read=count),
    "resources.limits.cpu": Setting(name="cpu_limit", read=cpu),
    "resources.limits.memory": Setting(name="memory_limit", read=memory),
    "resources.limits.nvidia.com/gpu": Setting(name="gpu_limit", read=count),
    **_many("liveness_probe", "liveness", _PROBE),
    **_many("readiness_probe", "readiness", _PROBE),
}
_V1: Final = {
    "computeType": Setting(name="compute_type", read=one_of("aks")),
    "computeTargetName": Setting(name="compute", read=text),
    "namespace": Setting(name="namespace", read=text),
    "authEnabled": Setting(name="key_auth", read=boolean),
    "tokenAuthEnabled": Setting(name="token_auth", read=boolean),
    "appInsightsEnabled": Setting(name="app_insights", read=boolean),
    "scoringTimeoutMs": Setting(name="request_timeout", read=milliseconds),
    "maxConcurrentRequestsPerContainer": Setting(name="concurrent", read=whole),
    "maxQueueWaitMs": Setting(name="queue_wait", read=milliseconds),
    "dataCollection.storageEnabled": Setting(name="collect", read=boolean),
    "numReplicas": Setting(name="replicas", read=whole),
    "gpuCores": Setting(name="gpus", read=count),
    "autoScaler.autoscaleEnabled": Setting(name="scaling", read=boolean),
    "autoScaler.minReplicas": Setting(name="scaling.least", read=whole),
    "autoScaler.maxReplicas": Setting(name="scaling.most", read=whole),
    "autoScaler.refreshPeriodInSeconds": Setting(name="scaling.seconds", read=whole),
    "autoScaler.targetUtilization": Setting(name="scaling.percent", read=percent),
    "containerResourceRequirements.cpu": Setting(name="cpu", read=cpu),
    "containerResourceRequirements.memoryInGB": Setting(name="memory", read=memory),
    "containerResourceRequirements.cpuLimit": Setting(name="cpu_limit", read=cpu),
    "containerResourceRequirements.memoryInGBLimit": Setting(name="memory_limit", read=memory),
    **_many(
        "livenessProbeRequirements",
        "liveness",
        {
            "initialDelaySeconds": ("initial_delay", whole),
            "periodSeconds": ("period", whole),
            "timeoutSeconds": ("timeout", whole),
            "successThreshold": ("successes", whole),
            "failureThreshold": ("failures", whole),
        },
    ),
}
_CLUSTER: Final = {
    name: Setting(name=f"cluster.{name}", read=read)
    for name, read in {
        "load_balancer_type": one_of("publicip", "internalloadbalancer"),
        "load_balancer_subnet": text,
        "ssl_cname": text,
        "ssl_cert_pem_file": text,
        "ssl_key_pem_file": text,
        "leaf_domain_label": text,
    }.items()
}

KNOWN: Final[Mapping[str, Setting]] = {**_FILES, **_V2, **_V1, **_CLUSTER}
"""Member of a file, with dots between its levels -> the setting."""

PATHS: Final = frozenset(
    {
        "source_directory",
        "entry_script",
        "environment_file",
        "cluster.ssl_cert_pem_file",
        "cluster.ssl_key_pem_file",
    }
)
"""Settings that name a file or folder."""
