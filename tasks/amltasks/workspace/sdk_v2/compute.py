"""Compute targets through Resource Manager."""

from __future__ import annotations

import re

import requests

from amltasks import errors
from amltasks.workspace.failures import creating, http_status, problems, translated
from amltasks.workspace.offers import Offers
from amltasks.workspace.port import (
    AksCluster,
    AksSpec,
    Cluster,
    ClusterSpec,
    Compute,
    Quota,
    VmSize,
)
from amltasks.workspace.port.compute import SYSTEM
from amltasks.workspace.sdk_v2.bodies import ClusterProperties, ComputeBody, ScaleSettings
from amltasks.workspace.sdk_v2.rest import Rest

_PRIORITIES = {"dedicated": "Dedicated", "lowpriority": "LowPriority"}
_DURATION = re.compile(r"P(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+)(?:\.\d+)?S)?)?")


class RestCompute(Compute):
    """The port's ``Compute``."""

    def __init__(self, rest: Rest) -> None:
        """Work in this workspace."""
        self._rest = rest
        self._offers = Offers(rest.principal, rest.sign_in)

    def find_cluster(self, name: str) -> Cluster | None:
        found = self._find(name, "AmlCompute")
        return None if found is None else self._cluster(found)

    def clusters(self) -> tuple[Cluster, ...]:
        with translated("listing the clusters"):
            found: list[ComputeBody] = list(self._rest.every("computes"))
        return tuple(
            self._cluster(each)
            for each in found
            if each["properties"].get("computeType") == "AmlCompute"
        )

    def delete_cluster(self, name: str) -> None:
        with translated(f"deleting the cluster '{name}'"):
            try:
                query = {"underlyingResourceAction": "Delete"}
                self._rest.arm("DELETE", f"computes/{name}", query=query)
            except requests.HTTPError as cause:
                if http_status(cause) != 404:
                    raise

    def sizes(self, location: str) -> tuple[VmSize, ...]:
        with translated(f"listing the VM sizes of {location}"):
            return self._offers.sizes(location)

    def quotas(self, location: str) -> tuple[Quota, ...]:
        with translated(f"reading the quota of {location}"):
            return self._offers.quotas(location)

    def _cluster(self, found: ComputeBody) -> Cluster:
        target = found["properties"]
        inner: ClusterProperties = target.get("properties") or {}
        scale: ScaleSettings = inner.get("scaleSettings") or {}
        return Cluster(
            name=found["name"],
            state=str(target.get("provisioningState") or ""),
            location=_location(found),
            vm_size=str(inner.get("vmSize") or ""),
            priority=str(inner.get("vmPriority") or "").lower(),
            min_nodes=int(scale.get("minNodeCount") or 0),
            max_nodes=int(scale.get("maxNodeCount") or 0),
            idle_seconds=_seconds(str(scale.get("nodeIdleTimeBeforeScaleDown") or "")),
            nodes=int(inner.get("currentNodeCount") or 0),
            problems=problems(target.get("provisioningErrors"), inner.get("errors")),
            tags=found.get("tags") or {},
        )

    def create_cluster(self, spec: ClusterSpec) -> None:
        # No admin user is made: nobody logs in to the nodes.
        with creating("cluster", spec.name):
            location = spec.location or self._rest.workspace["location"]
            inner: dict[str, object] = {
                "vmSize": spec.vm_size,
                "vmPriority": _PRIORITIES[spec.priority],
                "scaleSettings": _scale(spec),
                "remoteLoginPortPublicAccess": "Enabled" if spec.ssh else "Disabled",
            }
            if spec.subnet:
                inner["subnet"] = {"id": spec.subnet}
            if not spec.public_address:
                inner["enableNodePublicIp"] = False
            body: dict[str, object] = {
                "location": location,
                "tags": dict(spec.tags),
                "properties": {
                    "computeType": "AmlCompute",
                    "computeLocation": location,
                    "disableLocalAuth": True,
                    "properties": inner,
                },
            }
            if spec.identities:
                body["identity"] = _identity(spec.identities)
            self._rest.arm("PUT", f"computes/{spec.name}", body)

    def scale_cluster(self, spec: ClusterSpec) -> None:
        with translated(f"updating the cluster '{spec.name}'"):
            body = {"properties": {"properties": {"scaleSettings": _scale(spec)}}}
            self._rest.arm("PATCH", f"computes/{spec.name}", body)

    def find_aks(self, name: str) -> AksCluster | None:
        # The cluster is attached to the workspace as Kubernetes compute.
        return self.find_kubernetes(name)

    def find_kubernetes(self, name: str) -> AksCluster | None:
        found = self._find(name, "Kubernetes")
        if found is None:
            return None
        return AksCluster(
            name=found["name"],
            state=str(found["properties"].get("provisioningState") or ""),
            location=_location(found),
            problems=problems(found["properties"].get("provisioningErrors")),
        )

    def create_aks(self, spec: AksSpec) -> None:
        # An AKS cluster cannot be made through the workspace in v2.
        raise errors.KUBERNETES_NOT_ATTACHED.error(name=spec.name, workspace=self._rest.name)

    def _find(self, name: str, kind: str) -> ComputeBody | None:
        with translated(f"looking for the compute target '{name}'"):
            found: ComputeBody | None = self._rest.find(f"computes/{name}")
        if found is None:
            return None
        is_ = str(found["properties"].get("computeType"))
        if is_ != kind:
            raise errors.COMPUTE_WRONG_TYPE.error(name=name, found=is_, expected=kind)
        return found


def _scale(spec: ClusterSpec) -> ScaleSettings:
    return {
        "minNodeCount": spec.min_nodes,
        "maxNodeCount": spec.max_nodes,
        "nodeIdleTimeBeforeScaleDown": f"PT{spec.idle_seconds}S",
    }


def _identity(identities: tuple[str, ...]) -> dict[str, object]:
    if identities == (SYSTEM,):
        return {"type": "SystemAssigned"}
    return {
        "type": "UserAssigned",
        "userAssignedIdentities": {identity: {} for identity in identities},
    }


def _location(found: ComputeBody) -> str:
    return str(found["properties"].get("computeLocation") or found.get("location") or "")


def _seconds(duration: str) -> int:
    """An ISO 8601 duration of days to seconds, such as ``PT30M``; 0 for anything else."""
    match = _DURATION.fullmatch(duration)
    days, hours, minutes, seconds = (
        (int(part or 0) for part in match.groups()) if match else [0] * 4
    )
    return ((days * 24 + hours) * 60 + minutes) * 60 + seconds
