"""What a release shall be: the inputs over the files; what cannot be had is refused."""

from __future__ import annotations

import dataclasses
import math
from dataclasses import dataclass
from typing import Any

from amltasks import errors
from amltasks.azure_pipelines import inputs
from amltasks.azure_pipelines.agent import Job
from amltasks.deploy_to_aks import settings
from amltasks.deploy_to_aks.asked import DeployInputs
from amltasks.deploy_to_aks.settings import Found
from amltasks.workspace.port import ClusterNetwork, Probe, RequestLimits, Scaling, Settings

_V1, _KUBERNETES, _MANAGED = "sdk v1", "sdk v2 and target kubernetes", "target managed"
_MANAGED_SCALES = "Azure Monitor scales managed deployments, by rules that are set beside them"
_SIZE_DECIDES = "the machine size decides (instanceType)"
_ONE_PROBE = "AKS in azureml-sdk has only the probe livenessProbeRequirements"
_NO_MACHINES = "AKS in azureml-sdk takes resources, no instance types"
_NOT_IN_V1 = "azureml-sdk has no such setting for AKS"
_AT_ATTACH = "the namespace is chosen when the cluster is attached"
_OF_CLUSTER = "it belongs to the Azure ML extension of the cluster, or to its attachment"
_FOLLOWS_LOAD = ("target_utilization", True)
# Setting, or the first part of its name -> where it cannot be had, and why.
_UNSUPPORTED: dict[str, dict[str, str]] = {
    "scaling": {_MANAGED: _MANAGED_SCALES},
    "gpus": {_MANAGED: _SIZE_DECIDES},
    "cpu": {_MANAGED: _SIZE_DECIDES},
    "cpu_limit": {_MANAGED: _SIZE_DECIDES},
    "memory": {_MANAGED: _SIZE_DECIDES},
    "memory_limit": {_MANAGED: _SIZE_DECIDES},
    "gpu_limit": {_MANAGED: _SIZE_DECIDES},
    "readiness": {_V1: _ONE_PROBE},
    "namespace": {_KUBERNETES: _AT_ATTACH, _MANAGED: "there is no cluster"},
    "instance_type": {_V1: _NO_MACHINES},
    "model_mount_path": {_V1: _NOT_IN_V1},
    "identity": {_V1: _NOT_IN_V1},
    "identities": {_V1: _NOT_IN_V1},
    "public_access": {_V1: _NOT_IN_V1, _KUBERNETES: _OF_CLUSTER},
    "egress": {_V1: _NOT_IN_V1, _KUBERNETES: "the cluster's network decides"},
    "cluster": {_KUBERNETES: _OF_CLUSTER, _MANAGED: "there is no cluster"},
    "compute": {_MANAGED: "there is no cluster"},
    "compute_type": {_MANAGED: "there is no cluster"},
}
# Setting -> the input that it is read into, where that is a text.
_TEXTS = {
    "model": "model_name",
    "compute": "aks_name",
    "instance_type": "instance_type",
    "entry_script": "entry_script",
    "environment_file": "environment_file",
    "environment": "environment",
    "source_directory": "source_directory",
    "description": "description",
}


@dataclass(frozen=True, kw_only=True)
class Size:
    """What a service takes: replicas, and of each the cores and the gigabytes.

    0 cores or gigabytes: the instance type decides.
    """

    replicas: int
    cpu_cores: float
    memory_gb: float


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """What a release shall be. ``given`` are the inputs, the empty ones filled from files."""

    given: DeployInputs
    size: Size
    limits: RequestLimits
    app_insights: bool
    image: str
    variables: dict[str, str]
    tags: dict[str, str]
    settings: Settings
    network: ClusterNetwork


def read(job: Job, given: DeployInputs) -> Wanted:
    """Read the files and the settings of a release.

    Raises:
        TaskError: ``FILE_NOT_FOUND``, ``SETTING_INVALID``, ``SETTING_UNSUPPORTED`` or
            ``INPUT_MISSING``
    """
    found = settings.read(given.deployment_files, given.settings, job.sources, given.service_name)
    _check(given, found)
    full = _filled(given, found)
    return Wanted(
        given=full,
        size=_size(full, found),
        limits=RequestLimits(
            timeout=_number(found, "request_timeout", "request_timeout", given.request_timeout, 60),
            concurrent=int(
                _number(
                    found, "concurrent", "max_concurrent_requests", given.max_concurrent_requests, 1
                )
            ),
            queue_wait=_number(found, "queue_wait", "max_queue_wait", given.max_queue_wait, 0.5),
        ),
        app_insights=given.app_insights == "true"
        or (given.app_insights == "auto" and bool(found.flag("app_insights"))),
        image=found.text("image"),
        variables=settings.merged(
            found.mappings["environment_variables"], given.environment_variables
        ),
        tags=settings.merged(found.mappings["tags"], given.tags),
        settings=_settings(found),
        network=_network(found),
    )


def _check(given: DeployInputs, found: Found) -> None:
    """Refuse what cannot be had where the service is to run, by its name in the file."""
    where = _V1 if given.sdk == "v1" else _MANAGED if given.target == "managed" else _KUBERNETES
    for name, told in found.told.items():
        why = _UNSUPPORTED.get(name.partition(".")[0], {}).get(where)
        if why is not None and (name != "scaling" or told.value in _FOLLOWS_LOAD):
            raise errors.SETTING_UNSUPPORTED.error(
                where=told.where, member=told.member, why=f"with {where}, {why}"
            )
    if found.flag("collect"):
        told = found.told["collect"]
        raise errors.SETTING_UNSUPPORTED.error(
            where=told.where, member=told.member, why="this task does not set up the collector"
        )
    target = found.text("target")
    if target and target != given.target:
        raise found.invalid("target", f"{target}, and the task's target is {given.target}")
    _check_auth(given, found)


def _check_auth(given: DeployInputs, found: Found) -> None:
    if given.sdk == "v1":
        if found.text("auth") == "aad_token":
            told = found.told["auth"]
            raise errors.SETTING_UNSUPPORTED.error(
                where=told.where,
                member=told.member,
                why="with sdk v1, AKS takes keys or Azure ML's tokens",
            )
        if found.flag("key_auth") and found.flag("token_auth"):
            raise found.invalid("token_auth", "true, and so is authEnabled: choose one")
        return
    if found.flag("key_auth") is False and not found.flag("token_auth"):
        told = found.told["key_auth"]
        raise errors.SETTING_UNSUPPORTED.error(
            where=told.where,
            member=told.member,
            why="with sdk v2, every endpoint asks for a key or a token",
        )


def _filled(given: DeployInputs, found: Found) -> DeployInputs:
    """The inputs, of which what is empty comes from the files."""
    texts: dict[str, Any] = {
        name: found.text(setting)
        for setting, name in _TEXTS.items()
        if setting in found.told and not getattr(given, name)
    }
    if given.environment_file or given.environment:  # the input decides between the two
        texts.pop("environment_file", None)
        texts.pop("environment", None)
    else:
        texts |= _environment(found)
    if "model_name" in texts:
        texts |= _model(given, found, texts["model_name"])
    if given.model_source == "evalInfo":
        texts.pop("model_name", None)
        texts.pop("model_version", None)
    if "aks_name" in texts:
        texts["aks_name"] = _compute(texts["aks_name"])
    elif "compute" in found.told and _compute(found.text("compute")) != given.aks_name:
        raise found.invalid("compute", f"not the task's aksName, '{given.aks_name}'")
    full = dataclasses.replace(given, **texts)
    if full.sdk == "v1" and full.instance_type:
        raise errors.INPUT_INVALID.error(
            name="instanceType", value=full.instance_type, expected="for sdk v1: leave it empty"
        )
    if full.target == "managed" and not full.instance_type:
        full = dataclasses.replace(full, instance_type="Standard_DS3_v2")
    _check_filled(full)
    return full


def _environment(found: Found) -> dict[str, str]:
    """The registered environment that a file names by its members; empty if none does."""
    name, version = found.text("environment_name"), found.text("environment_version")
    if version and not name:
        raise found.invalid("environment_version", "given without a name")
    if name and ("image" in found.told or "environment_file" in found.told):
        raise found.invalid("environment_name", "a registered environment beside an own one")
    if not name:
        return {}
    return {"environment": f"{name}:{version}" if version else f"{name}@latest"}


def _compute(reference: str) -> str:
    """The name of a compute target: ``azureml:name``, or the end of its resource id."""
    return reference.removeprefix("azureml:").rpartition("/computes/")[2]


def _model(given: DeployInputs, found: Found, reference: str) -> dict[str, str]:
    """Name and version of ``azureml:name:version`` or of an address in a registry."""
    name, _, version = reference.removeprefix("azureml:").rpartition(":")
    if reference.startswith("azureml://"):
        name, _, version = reference.rpartition("/versions/")
    if not name or not version:
        raise found.invalid("model", "no azureml:<name>:<version> of a registered model")
    return {"model_name": name, "model_version": given.model_version or version}


def _check_filled(full: DeployInputs) -> None:
    """See that what must be given is given, by an input or a file."""
    needed = {"aksName": full.aks_name} if full.target == "kubernetes" else {}
    if full.model_source == "version":
        needed |= {"modelName": full.model_name, "modelVersion": full.model_version}
    for name, value in needed.items():
        if not value:
            why = ", and no file or setting says it"
            raise errors.INPUT_MISSING.error(name=name, why=why)


def _number(found: Found, setting: str, name: str, given: float | None, default: float) -> float:
    """The input, or what a file says within the same limits, or the default."""
    if given is not None:
        return given
    value = found.number(setting)
    if value is None:
        return default
    spec = inputs.spec_of(
        next(each for each in dataclasses.fields(DeployInputs) if each.name == name)
    )
    least, most = spec.least or 0.0, spec.most or math.inf
    if not least <= value <= most:
        raise found.invalid(setting, f"{value:g}, and must be from {least:g} to {most:g}")
    return value


def _size(given: DeployInputs, found: Found) -> Size:
    if given.target == "managed":
        asked, name = given.instance_count, "instance_count"
    else:
        asked, name = given.num_replicas, "num_replicas"
    decided = given.target == "kubernetes" and bool(given.instance_type)
    size = Size(
        replicas=int(_number(found, "replicas", name, asked, 1)),
        cpu_cores=_number(found, "cpu", "cpu_cores", given.cpu_cores, 0 if decided else 0.5),
        memory_gb=_number(found, "memory", "memory_gb", given.memory_gb, 0 if decided else 1),
    )
    for limit, least in (("cpu_limit", size.cpu_cores), ("memory_limit", size.memory_gb)):
        if limit in found.told and (found.number(limit) or 0) < least:
            raise found.invalid(limit, f"less than the {least:g} that each replica asks for")
    scales = "scaling" in found.told and found.told["scaling"].value in _FOLLOWS_LOAD
    if given.sdk == "v1" and scales and (asked is not None or "replicas" in found.told):
        raise found.invalid("scaling", "on, and a number of replicas is given: choose one")
    return size


def _settings(found: Found) -> Settings:
    gpus, limit = found.whole("gpus"), found.whole("gpu_limit")
    if gpus is not None and limit is not None and gpus != limit:
        raise found.invalid("gpu_limit", "another number than the one requested")
    if found.text("identity") == "user_assigned" and not found.texts("identities"):
        raise found.invalid("identity", "user_assigned without user_assigned_identities")
    if found.text("identity") == "system_assigned" and found.texts("identities"):
        raise found.invalid("identity", "system_assigned beside user_assigned_identities")
    return Settings(
        auth=_auth(found),
        scaling=_scaling(found),
        gpus=gpus or limit or 0,
        cpu_limit=found.number("cpu_limit") or 0.0,
        memory_limit=found.number("memory_limit") or 0.0,
        liveness=_probe(found, "liveness"),
        readiness=_probe(found, "readiness"),
        namespace=found.text("namespace"),
        model_mount_path=found.text("model_mount_path"),
        identities=found.texts("identities"),
        public_access=found.flag("public_access"),
        egress=found.flag("egress"),
        properties=dict(found.mappings["properties"]),
    )


def _auth(found: Found) -> str:
    """v2's ``auth_mode``, or what v1's two switches say; empty if nothing is said."""
    switches = {"key_auth", "token_auth"} & found.told.keys()
    if "auth" in found.told and switches:
        raise found.invalid("auth", "said beside " + found.told[min(switches)].member)
    if "auth" in found.told:
        return found.text("auth")
    if found.flag("token_auth"):
        return "aml_token"
    if not found.flag("key_auth"):
        return "none" if "key_auth" in found.told else ""
    return "key"


def _scaling(found: Found) -> Scaling | None:
    asked = found.group("scaling")
    on = "scaling" in found.told and found.told["scaling"].value in _FOLLOWS_LOAD
    if not on:
        if asked:
            first = next(name for name in found.told if name.startswith("scaling."))
            raise found.invalid(first, "only for a scale type that follows the load")
        return None
    scaling = Scaling(**asked)
    if scaling.least and scaling.most and scaling.least > scaling.most:
        raise found.invalid("scaling.least", "more than the most")
    return scaling


def _probe(found: Found, name: str) -> Probe | None:
    asked = found.group(name)
    return Probe(**asked) if asked else None


def _network(found: Found) -> ClusterNetwork:
    kinds = {"internalloadbalancer": "InternalLoadBalancer", "publicip": "PublicIp"}
    network = ClusterNetwork(
        load_balancer=kinds.get(found.text("cluster.load_balancer_type"), ""),
        load_balancer_subnet=found.text("cluster.load_balancer_subnet"),
        host=found.text("cluster.ssl_cname"),
        certificate=found.text("cluster.ssl_cert_pem_file"),
        key=found.text("cluster.ssl_key_pem_file"),
        leaf_domain=found.text("cluster.leaf_domain_label"),
    )
    own = (network.host, network.certificate, network.key)
    if any(own) and not all(own):
        name = next(n for n in found.told if n.startswith("cluster.ssl_"))
        raise found.invalid(name, "without ssl_cname, ssl_cert_pem_file and ssl_key_pem_file all")
    if any(own) and network.leaf_domain:
        raise found.invalid("cluster.leaf_domain_label", "given beside a certificate of one's own")
    return network
