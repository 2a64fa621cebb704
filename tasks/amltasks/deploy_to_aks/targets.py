"""Where the service runs: the cluster that is named, and nowhere else."""

from __future__ import annotations

import logging

from amltasks import clusters, errors
from amltasks.azure_pipelines.agent import Job
from amltasks.deploy_to_aks.asked import DeployInputs
from amltasks.workspace.port import (
    AksCluster,
    AksSpec,
    ClusterNetwork,
    Service,
    Settings,
    Workspace,
)

log = logging.getLogger("amltasks")

_IN_CLUSTER = frozenset({"AKS", "Kubernetes"})
_ACCESS = {True: "enabled", False: "disabled"}


def check(given: DeployInputs, live: Service | None) -> None:
    """An existing service must be where the user says: nothing lands somewhere else."""
    if live is None:
        return
    in_cluster = live.kind in _IN_CLUSTER
    cluster = given.aks_name if given.target == "kubernetes" else ""
    if in_cluster == bool(cluster) and live.cluster == cluster:
        return
    raise errors.SERVICE_WRONG_TARGET.error(
        service=live.name,
        found=_where(live.kind, live.cluster if in_cluster else ""),
        expected=_where("Managed", cluster),
    )


def auth(given: DeployInputs, asked: str, live: Service | None) -> str:
    """How callers show who they are: as asked, or as before, or with a key.

    Raises:
        TaskError: ``SERVICE_AUTH_DIFFERENT``, because callers would be locked out;
            ``INPUT_INVALID`` if a key is to be exported where there is none.
    """
    if live is not None and asked and asked != live.auth:
        raise errors.SERVICE_AUTH_DIFFERENT.error(
            service=live.name, found=live.auth, expected=asked
        )
    mode = asked or (live.auth if live is not None else "key")
    if given.export_key and mode != "key":
        expected = f"possible with auth_mode {mode}: the service has no key"
        raise errors.INPUT_INVALID.error(name="exportKey", value="true", expected=expected)
    return mode


def check_endpoint(asked: Settings, live: Service | None) -> None:
    """A release makes no new endpoint where one is live, so the live one must be as asked.

    Raises:
        TaskError: ``SETTING_INVALID``
    """
    if live is None:
        return
    member = found = ""
    if asked.public_access not in (None, live.public_access):
        member, found = "public_network_access", _ACCESS[live.public_access]
    elif asked.identities and _folded(asked.identities) != _folded(live.identities):
        member, found = "identity", ", ".join(live.identities) or "system_assigned"
    if member:
        raise errors.SETTING_INVALID.error(
            where="the settings",
            member=member,
            detail=f"not that of the live service '{live.name}', {found}, which a release keeps",
        )


def _folded(identities: tuple[str, ...]) -> set[str]:
    """Resource ids, which Azure compares in any case."""
    return {one.lower() for one in identities}


def _where(kind: str, cluster: str) -> str:
    if cluster:
        return f"the AKS target '{cluster}'"
    return "machines that Azure ML runs (target 'managed')" if kind == "Managed" else kind


def make_ready(
    job: Job, given: DeployInputs, workspace: Workspace, network: ClusterNetwork
) -> None:
    """Find the AKS target, or create it if that is asked for, and wait until it is ready.

    Raises:
        TaskError: ``AKS_NOT_FOUND``, ``AKS_NETWORK_DIFFERENT``, or as :func:`clusters.ready`
    """
    name, asked = given.aks_name, given.aks_region or workspace.location
    found = workspace.compute.find_aks(name)
    location = found.location if found else asked
    if not clusters.same_region(location, workspace.location):
        job.warn(
            "AKS_IN_OTHER_REGION",
            f"the AKS cluster '{name}' is in {location}, the workspace is in "
            f"{workspace.location}: each image is copied across regions, which is slower and "
            "billed; prefer a cluster in the workspace's region",
        )
    if found and given.aks_region and not clusters.same_region(location, given.aks_region):
        job.warn(
            "AKS_REGION_DIFFERENT",
            f"the AKS cluster '{name}' is in {location}, asked for was {given.aks_region}",
        )
    if found is not None:
        _check_network(found, network)
    elif not given.create_if_missing and given.sdk == "v1":
        raise errors.AKS_NOT_FOUND.error(name=name, workspace=workspace.name, location=asked)
    else:
        workspace.compute.create_aks(
            AksSpec(
                name=name,
                location=given.aks_region,
                vm_size=given.aks_vm_size,
                agent_count=given.aks_agent_count,
                purpose=given.cluster_purpose,
                network=network,
            )
        )
        log.info("Creating AKS cluster %s in %s", name, asked)
    clusters.ready(
        name,
        lambda: workspace.compute.find_aks(name),
        lambda c: c.state == "Succeeded",
        describe=lambda c: f"AKS cluster {name} is {c.state}",
        pause=job.cancellation.pause,
        minutes=given.timeout_minutes,
    )


def _check_network(found: AksCluster, network: ClusterNetwork) -> None:
    """A cluster that is there must have the load balancer and the TLS that a file asks for."""
    tls = bool(network.host or network.leaf_domain)
    if network.load_balancer and network.load_balancer != found.load_balancer:
        detail = f"its load balancer is {found.load_balancer}, not {network.load_balancer}"
    elif network.host and network.host != found.host:
        detail = f"its host for TLS is {found.host or 'none'}, not {network.host}"
    elif tls and not found.tls:
        detail = "it has no TLS"
    else:
        return
    raise errors.AKS_NETWORK_DIFFERENT.error(name=found.name, detail=detail)
