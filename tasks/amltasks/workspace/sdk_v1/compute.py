"""Compute targets with azureml-core."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from amltasks import errors
from amltasks.workspace.failures import creating, problems, translated
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
from amltasks.workspace.sign_in import SignIn


class SdkCompute(Compute):
    """The port's ``Compute``."""

    def __init__(self, sdk: Any, offers: Offers, sign_in: SignIn) -> None:
        """Work in this ``azureml.core.Workspace``, which signs in with ``sign_in``."""
        self._sdk = sdk
        self._offers = offers
        self._sign_in = sign_in

    def find_cluster(self, name: str) -> Cluster | None:
        found = self._find(name, "AmlCompute")
        return None if found is None else _cluster(found)

    def clusters(self) -> tuple[Cluster, ...]:
        from azureml.core.compute import ComputeTarget

        with translated("listing the clusters"):
            found = ComputeTarget.list(self._sdk)
        return tuple(_cluster(each) for each in found if each.type == "AmlCompute")

    def delete_cluster(self, name: str) -> None:
        found = self._find(name, "AmlCompute")
        if found is None:
            return

        def delete() -> None:
            with translated(f"deleting the cluster '{name}'"):
                found.delete()

        def gone() -> bool:
            left = self.find_cluster(name)
            return left is None or left.state == "Deleting"

        self._renewing_once(delete, gone)

    def sizes(self, location: str) -> tuple[VmSize, ...]:
        with translated(f"listing the VM sizes of {location}"):
            return self._offers.sizes(location)

    def quotas(self, location: str) -> tuple[Quota, ...]:
        with translated(f"reading the quota of {location}"):
            return self._offers.quotas(location)

    def create_cluster(self, spec: ClusterSpec) -> None:
        # No admin user is made: nobody logs in to the nodes.
        from azureml.core.compute import AmlCompute, ComputeTarget

        configuration = AmlCompute.provisioning_configuration(
            vm_size=spec.vm_size,
            vm_priority=spec.priority,
            min_nodes=spec.min_nodes,
            max_nodes=spec.max_nodes,
            idle_seconds_before_scaledown=spec.idle_seconds,
            location=spec.location or None,
            tags=dict(spec.tags) or None,
            remote_login_port_public_access="Enabled" if spec.ssh else "Disabled",
            **_network(spec),
            **_identity(spec),
        )

        def create() -> None:
            with creating("cluster", spec.name):
                ComputeTarget.create(self._sdk, spec.name, configuration)

        self._renewing_once(create, lambda: self.find_cluster(spec.name) is not None)

    def scale_cluster(self, spec: ClusterSpec) -> None:
        found = self._find(spec.name, "AmlCompute")

        def update() -> None:
            with translated(f"updating the cluster '{spec.name}'"):
                found.update(
                    min_nodes=spec.min_nodes,
                    max_nodes=spec.max_nodes,
                    idle_seconds_before_scaledown=spec.idle_seconds,
                )

        def updated() -> bool:
            now = self.find_cluster(spec.name)
            wanted = (spec.min_nodes, spec.max_nodes, spec.idle_seconds)
            return now is not None and (now.min_nodes, now.max_nodes, now.idle_seconds) == wanted

        self._renewing_once(update, updated)

    def find_aks(self, name: str) -> AksCluster | None:
        return self._in_cluster(name, "AKS")

    def find_kubernetes(self, name: str) -> AksCluster | None:
        return self._in_cluster(name, "Kubernetes")

    def _in_cluster(self, name: str, kind: str) -> AksCluster | None:
        found = self._find(name, kind)
        if found is None:
            return None
        # Only an AKS cluster that Azure ML made has these.
        tls = getattr(found, "ssl_configuration", None)
        load_balancer = getattr(found, "load_balancer_type", None)
        return AksCluster(
            name=found.name,
            state=found.provisioning_state,
            location=found.cluster_location or found.location or "",
            problems=problems(found.provisioning_errors),
            load_balancer=load_balancer or "PublicIp",
            host=str(getattr(tls, "cname", None) or ""),
            tls=str(getattr(tls, "status", None)) in ("Enabled", "Auto"),
        )

    def create_aks(self, spec: AksSpec) -> None:
        from azureml.core.compute import AksCompute, ComputeTarget

        network = spec.network
        configuration = AksCompute.provisioning_configuration(
            vm_size=spec.vm_size,
            agent_count=spec.agent_count,
            cluster_purpose=spec.purpose,
            location=spec.location or None,
            ssl_cname=network.host or None,
            ssl_cert_pem_file=network.certificate or None,
            ssl_key_pem_file=network.key or None,
            load_balancer_type=network.load_balancer or None,
            load_balancer_subnet=network.load_balancer_subnet or None,
        )
        if network.leaf_domain:
            configuration.enable_ssl(leaf_domain_label=network.leaf_domain)
        with creating("AKS cluster", spec.name):
            ComputeTarget.create(self._sdk, spec.name, configuration)

    def _renewing_once(self, change: Callable[[], None], made: Callable[[], bool]) -> None:
        """Make a change; if Azure refuses the token, sign in anew and make it unless it is made.

        A change of the SDK's sends several requests, and the first may have been obeyed. Raises as
        ``change`` does.
        """
        try:
            change()
        except errors.TaskError as error:
            if error.cause is not errors.UNAUTHORIZED:
                raise
            self._sign_in.renew()
            if not made():
                change()

    def _find(self, name: str, kind: str) -> Any:
        from azureml.core.compute import ComputeTarget
        from azureml.exceptions import ComputeTargetException

        with translated(f"looking for the compute target '{name}'"):
            try:
                found = ComputeTarget(self._sdk, name)
            except ComputeTargetException as cause:
                if "ComputeTargetNotFound" in str(cause):
                    return None
                raise
        if found.type != kind:
            raise errors.COMPUTE_WRONG_TYPE.error(name=name, found=found.type, expected=kind)
        return found


def _network(spec: ClusterSpec) -> dict[str, object]:
    """The SDK takes a subnet by its parts, a resource id by the port."""
    found: dict[str, object] = {}
    if spec.subnet:
        parts = spec.subnet.strip("/").split("/")
        group, network, subnet = parts[3], parts[7], parts[9]
        found = {
            "vnet_resourcegroup_name": group,
            "vnet_name": network,
            "subnet_name": subnet,
        }
    if not spec.public_address:
        found["enable_node_public_ip"] = False
    return found


def _identity(spec: ClusterSpec) -> dict[str, object]:
    if not spec.identities:
        return {}
    if spec.identities == (SYSTEM,):
        return {"identity_type": "SystemAssigned"}
    return {"identity_type": "UserAssigned", "identity_id": list(spec.identities)}


def _cluster(found: Any) -> Cluster:
    scale, status = found.scale_settings, found.status
    return Cluster(
        name=found.name,
        state=found.provisioning_state,
        location=found.cluster_location or found.location or "",
        vm_size=found.vm_size or "",
        priority=(found.vm_priority or "").lower(),
        min_nodes=int(scale.minimum_node_count or 0) if scale else 0,
        max_nodes=int(scale.maximum_node_count or 0) if scale else 0,
        idle_seconds=int(scale.idle_seconds_before_scaledown or 0) if scale else 0,
        nodes=int(status.current_node_count or 0) if status else 0,
        problems=problems(found.provisioning_errors, status.errors if status else None),
        tags=dict(found.tags or {}),
    )
