"""What a request may ask of an AmlCompute or AKS cluster, checked and with defaults filled in."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping

from local.azure.kernel import fields
from local.azure.kernel.cloud import Cloud
from local.azure.kernel.http import ServiceError, required
from local.azure.resources.compute_records import ComputeError, ScaleSettings, Settings
from local.azure.resources.regions import find_vm_size

_PURPOSES = ("DevTest", "FastProd", "DenseProd")


def aml_compute(asked: Mapping[str, object]) -> Settings:
    """The settings of a cluster of nodes. Raises ServiceError 400."""
    priority = fields.optional_text(asked, "vmPriority") or "dedicated"
    if priority.lower() not in ("dedicated", "lowpriority"):
        raise ServiceError(400, "BadRequest", f"The VM priority '{priority}' is not known.")
    account = fields.mapping(asked, "userAccountCredentials")
    settings: Settings = {
        "vmSize": _vm_size(fields.optional_text(asked, "vmSize") or "Standard_DS3_v2").upper(),
        "vmPriority": "LowPriority" if priority.lower() == "lowpriority" else "Dedicated",
        "scaleSettings": scale_settings(fields.mapping(asked, "scaleSettings")),
        "subnet": asked.get("subnet"),
        "remoteLoginPortPublicAccess": (
            fields.optional_text(asked, "remoteLoginPortPublicAccess") or "NotSpecified"
        ),
        "errors": None,
        "osType": "Linux",
        "virtualMachineImage": None,
        "isolatedNetwork": bool(asked.get("isolatedNetwork")),
        "enableNodePublicIp": asked.get("enableNodePublicIp") is not False,
        "enableBatchPrivateLink": False,
    }
    if account:
        settings["userAccountCredentials"] = _shown_account(account)
    return settings


def _shown_account(given: Mapping[str, object]) -> Mapping[str, object]:
    """Who may log in to the nodes; the password is nothing to keep."""
    return {
        "adminUserName": given.get("adminUserName"),
        "adminUserPassword": None,
        "adminUserSshPublicKey": given.get("adminUserSshPublicKey"),
    }


def scale_settings(asked: Mapping[str, object]) -> ScaleSettings:
    """How many nodes, and how long they idle. Raises ServiceError 400."""
    required(asked, "maxNodeCount")
    least, most = (_count(asked, f"{end}NodeCount", 0) for end in ("min", "max"))
    if least < 0 or most < least or most < 1:
        raise ServiceError(
            400,
            "InvalidScaleSettings",
            f"The scale settings are invalid: minNodeCount {least}, maxNodeCount {most}. The "
            "maximum must be at least 1 and not below the minimum, which must not be negative.",
        )
    idle = fields.optional_text(asked, "nodeIdleTimeBeforeScaleDown") or "PT120S"
    return {"minNodeCount": least, "maxNodeCount": most, "nodeIdleTimeBeforeScaleDown": idle}


def aks(name: str, location: str, properties: Mapping[str, object]) -> Settings:
    """The settings of an inference cluster. Raises ServiceError 400."""
    asked = fields.mapping(properties, "properties")
    purpose = fields.optional_text(asked, "clusterPurpose") or "FastProd"
    if purpose not in _PURPOSES:
        raise ServiceError(400, "BadRequest", f"The cluster purpose '{purpose}' is not known.")
    size = find_vm_size(_vm_size(fields.optional_text(asked, "agentVmSize") or "Standard_D3_v2"))
    tls = fields.mapping(asked, "sslConfiguration")
    return {
        "agentVmSize": size.name if size else None,
        "agentCount": _count(asked, "agentCount", 1 if purpose == "DevTest" else 3),
        "clusterPurpose": purpose,
        "clusterFqdn": f"{name.lower()}.{location}.cloudapp.azure.com",
        "loadBalancerType": fields.optional_text(asked, "loadBalancerType") or "PublicIp",
        "loadBalancerSubnet": asked.get("loadBalancerSubnet"),
        "systemServices": None,
        # The private key that may be among these is nothing to keep.
        "sslConfiguration": {**tls, "key": None} if tls else None,
    }


def kubernetes(properties: Mapping[str, object]) -> Settings:
    """The settings of an attached Kubernetes cluster. Raises ServiceError 400."""
    asked = fields.mapping(properties, "properties")
    fields.text(properties, "resourceId")
    usual = {"defaultinstancetype": {"nodeSelector": None, "resources": {"requests": None}}}
    return {
        "namespace": fields.optional_text(asked, "namespace") or "default",
        "defaultInstanceType": (
            fields.optional_text(asked, "defaultInstanceType") or "defaultinstancetype"
        ),
        "instanceTypes": asked.get("instanceTypes") or usual,
        "extensionPrincipalId": None,
        "extensionInstanceReleaseTrain": None,
        "vcName": None,
    }


def _count(asked: Mapping[str, object], name: str, usual: int) -> int:
    value = asked.get(name) or usual
    if isinstance(value, int | float | str):
        with contextlib.suppress(ValueError):
            return int(value)
    raise ServiceError(400, "BadRequest", f"{name} must be a whole number.")


def _vm_size(asked: str) -> str:
    size = find_vm_size(asked)
    if size is None:
        raise ServiceError(
            400,
            "InvalidVmSize",
            f"The specified VM size '{asked}' is not supported. See the supported sizes with "
            "AmlCompute.supported_vmsizes(workspace).",
        )
    return size.name


def short_of_cores(cloud: Cloud, inner: Settings) -> ComputeError | None:
    """The error in which creating a cluster will end for lack of quota, or None.

    What cannot hold one node is refused at once, as in Azure/mlops-v2#81 (ServiceError 400); what
    cannot hold the least number of nodes fails later, as in Azure/MachineLearningNotebooks#613.
    """
    size = find_vm_size(inner["vmSize"])
    if size is None:
        return None
    quota = cloud.faults.quota(size.family, low_priority=inner["vmPriority"] == "LowPriority")
    if quota is None:
        return None
    if size.cpus > quota:
        raise ServiceError(
            400,
            "BadRequest",
            f"The specified subscription has a total vCPU quota of {quota} and cannot accomodate "
            "for at least 1 requested managed compute node which maps to "
            f"{size.cpus} vCPUs.",
        )
    wanted = size.cpus * inner["scaleSettings"]["minNodeCount"]
    if wanted <= quota:
        return None
    return {
        "code": "ClusterCoreQuotaReached",
        "message": "Operation results in exceeding quota limits of Core. Maximum allowed: "
        f"{quota}, Current in use: 0, Additional requested: {wanted}.",
    }
