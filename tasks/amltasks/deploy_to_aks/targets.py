"""Where the service runs: the cluster that is named, and nowhere else."""

from __future__ import annotations

import logging

from amltasks import clusters, errors
from amltasks.azure_pipelines.agent import Job
from amltasks.deploy_to_aks.asked import DeployInputs
from amltasks.workspace.port import AksSpec, Service, Workspace

log = logging.getLogger("amltasks")

_IN_CLUSTER = frozenset({"AKS", "Kubernetes"})


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


def _where(kind: str, cluster: str) -> str:
    if cluster:
        return f"the AKS target '{cluster}'"
    return "machines that Azure ML runs (target 'managed')" if kind == "Managed" else kind


def make_ready(job: Job, given: DeployInputs, workspace: Workspace) -> None:
    """Find the AKS target, or create it, and wait until it is ready."""
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
    if found is None:
        workspace.compute.create_aks(
            AksSpec(
                name=name,
                location=given.aks_region,
                vm_size=given.aks_vm_size,
                agent_count=given.aks_agent_count,
                purpose=given.cluster_purpose,
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
