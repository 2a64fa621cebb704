"""ProvisionAmlCompute: an AmlCompute cluster by name, created or found fit to be reused."""

from __future__ import annotations

import logging
from dataclasses import dataclass

from amltasks import clusters, errors
from amltasks.azure_pipelines import connection, inputs
from amltasks.azure_pipelines.agent import Job
from amltasks.workspace.port import Cluster, ClusterSpec, Workspace

log = logging.getLogger("amltasks")

# What Azure can change of a cluster; the rest stays as it was made.
_SCALE = frozenset({"minNodes", "maxNodes", "idleSecondsBeforeScaledown"})


@dataclass(frozen=True, kw_only=True)
class ProvisionInputs:
    """The task's inputs; ``task.json`` describes them."""

    resource_group: str = inputs.text(required=True, alias="resourceGroupName")
    workspace: str = inputs.text(required=True, alias="workspaceName")
    compute_name: str = inputs.text(required=True)
    location: str = inputs.text()
    vm_size: str = inputs.text(default="STANDARD_DS3_V2")
    min_nodes: int = inputs.whole(default=0, least=0, most=10_000)
    max_nodes: int = inputs.whole(default=4, least=1, most=10_000)
    vm_priority: str = inputs.choice("dedicated", "lowpriority")
    idle_seconds_before_scaledown: int = inputs.whole(default=1800, least=1, most=604_800)
    on_difference: str = inputs.choice("warn", "fail", "update")
    timeout_minutes: float = inputs.number(default="20", least=0.01, most=1440)
    sdk: str = inputs.choice("v2", "v1")


def run(job: Job) -> str:
    """Perform the task; returns what was done, in a sentence."""
    given = inputs.parse(ProvisionInputs, job.handover.inputs, job.handover.variables)
    spec = _spec(given)
    workspace = connection.open_workspace(
        job, resource_group=given.resource_group, workspace=given.workspace, sdk=given.sdk
    )

    found = workspace.compute.find_cluster(spec.name)
    outcome = "created"
    if found:
        outcome = _compare(job, given, spec, found, workspace)
    else:
        _warn_of_region(job, spec, workspace)
        log.info("Creating cluster %s: %s, %s", spec.name, spec.vm_size, _nodes(spec))
        workspace.compute.create_cluster(spec)
    cluster = _ready(job, given, spec, workspace, outcome)

    job.channel.output("computeName", cluster.name)
    job.channel.output("computeState", cluster.state)
    job.channel.output("computeOutcome", outcome)
    return f"Cluster {cluster.name} was {outcome}; it is {cluster.state}"


def _spec(given: ProvisionInputs) -> ClusterSpec:
    clusters.check_name(given.compute_name, "computeName")
    if given.min_nodes > given.max_nodes:
        raise errors.INPUT_INVALID.error(
            name="minNodes", value=given.min_nodes, expected=f"at most maxNodes {given.max_nodes}"
        )
    return ClusterSpec(
        name=given.compute_name,
        vm_size=given.vm_size,
        min_nodes=given.min_nodes,
        max_nodes=given.max_nodes,
        priority=given.vm_priority,
        idle_seconds=given.idle_seconds_before_scaledown,
        location=given.location,
    )


def differences(spec: ClusterSpec, found: Cluster, location: str) -> dict[str, str]:
    """What was asked and is not so, by input, like ``maxNodes is 2, asked for 4``."""
    pairs = [
        ("vmSize", spec.vm_size.lower(), found.vm_size.lower()),
        ("minNodes", spec.min_nodes, found.min_nodes),
        ("maxNodes", spec.max_nodes, found.max_nodes),
        ("vmPriority", spec.priority.lower(), found.priority.lower()),
        ("idleSecondsBeforeScaledown", spec.idle_seconds, found.idle_seconds),
    ]
    asked_location = spec.location or location
    if not clusters.same_region(asked_location, found.location):
        pairs.append(("location", asked_location, found.location))
    return {
        name: f"{name} is {is_}, asked for {asked}" for name, asked, is_ in pairs if asked != is_
    }


def _compare(
    job: Job, given: ProvisionInputs, spec: ClusterSpec, found: Cluster, workspace: Workspace
) -> str:
    """Deal with what differs, by the policy; returns whether it is ``reused`` or ``updated``."""
    if found.state in clusters.FAILED:
        raise clusters.failure(found)
    different = differences(spec, found, workspace.location)
    log.info("Found cluster %s: %s, %s", found.name, found.vm_size, _nodes(found))
    if not different:
        return "reused"
    fixed = [text for name, text in different.items() if name not in _SCALE]
    if given.on_difference == "update" and not fixed:
        log.info("Updating it: %s", "; ".join(different.values()))
        workspace.compute.scale_cluster(spec)
        return "updated"
    told = fixed if given.on_difference == "update" else different.values()
    error = errors.COMPUTE_DIFFERENT.error(name=spec.name, differences="; ".join(told))
    if given.on_difference != "warn":
        raise error
    job.warn(error.cause.code, f"{error.happened}; it is used as it is")
    return "reused"


def _warn_of_region(job: Job, spec: ClusterSpec, workspace: Workspace) -> None:
    if spec.location and not clusters.same_region(spec.location, workspace.location):
        job.warn(
            "COMPUTE_IN_OTHER_REGION",
            f"the cluster '{spec.name}' is created in {spec.location}, the workspace is in "
            f"{workspace.location}: data crosses regions, which is slower and billed",
        )


def _ready(
    job: Job, given: ProvisionInputs, spec: ClusterSpec, workspace: Workspace, outcome: str
) -> Cluster:
    """Wait until the cluster is there with its least number of nodes, and as it was updated."""
    name, location = spec.name, workspace.location

    def as_asked(cluster: Cluster) -> bool:
        return outcome != "updated" or not differences(spec, cluster, location)

    cluster = clusters.ready(
        name,
        lambda: workspace.compute.find_cluster(name),
        lambda c: (
            c.state == "Succeeded" and as_asked(c) and (c.nodes >= c.min_nodes or bool(c.problems))
        ),
        describe=lambda c: f"Cluster {name} is {c.state}, {_nodes(c)}",
        pause=job.cancellation.pause,
        minutes=given.timeout_minutes,
    )
    if cluster.problems and (outcome == "created" or cluster.nodes < cluster.min_nodes):
        raise clusters.failure(cluster)
    if cluster.problems:
        # Left over from an earlier resize: the nodes asked for are there, or none are.
        job.warn(
            "COMPUTE_REPORTS_ERRORS",
            f"the cluster '{name}' reports: " + "; ".join(cluster.problems),
        )
    return cluster


def _nodes(cluster: Cluster | ClusterSpec) -> str:
    now = f"{cluster.nodes} now, " if isinstance(cluster, Cluster) else ""
    return f"nodes {now}{cluster.min_nodes} to {cluster.max_nodes}"
