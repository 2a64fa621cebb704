"""ProvisionAmlCompute: a cluster that is reused from job to job, or one for this job alone."""

from __future__ import annotations

import logging
import re
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace

from amltasks import clusters, errors, waiting
from amltasks.azure_pipelines import connection, inputs
from amltasks.azure_pipelines.agent import Job
from amltasks.provision_aml_compute import attached, lifecycle, preflight
from amltasks.workspace.port import Cluster, ClusterSpec, Workspace
from amltasks.workspace.port.compute import SYSTEM

log = logging.getLogger("amltasks")

# What Azure can change of a cluster; the rest stays as it was made.
_SCALE = frozenset({"minNodes", "maxNodes", "idleSecondsBeforeScaledown"})
_OF_NODES = (
    *("location", "vmSize", "minNodes", "maxNodes", "vmPriority", "idleSecondsBeforeScaledown"),
    *("waitFor", "subnet", "publicIp", "identity", "ssh", "tags"),
)
_SUBNET = re.compile(
    r"/subscriptions/[^/]+/resourceGroups/[^/]+/providers/Microsoft\.Network"
    r"/virtualNetworks/[^/]+/subnets/[^/]+",
    re.IGNORECASE,
)
# The agent gives a canceled job five minutes by default, and this is its last step but one.
_DELETE_MINUTES = 4.0
# How long asking for a cluster outlives an outage.
_CREATE_MINUTES = 0.5


@dataclass(frozen=True, kw_only=True)
class ProvisionInputs:
    """The task's inputs; ``task.json`` describes them."""

    resource_group: str = inputs.text(required=True, alias="resourceGroupName")
    workspace: str = inputs.text(required=True, alias="workspaceName")
    compute_name: str = inputs.text(required=True)
    lifecycle: str = inputs.choice("reuse", lifecycle.PER_RUN)
    location: str = inputs.text()
    vm_size: str = inputs.text(default="STANDARD_DS3_V2")
    min_nodes: int = inputs.whole(default=0, least=0, most=10_000)
    max_nodes: int = inputs.whole(default=4, least=1, most=10_000)
    vm_priority: str = inputs.choice("dedicated", "lowpriority")
    idle_seconds_before_scaledown: int = inputs.whole(default=1800, least=1, most=604_800)
    on_difference: str = inputs.choice("warn", "fail", "update")
    timeout_minutes: float = inputs.number(default="20", least=0.01, most=1440)
    wait_for: str = inputs.choice("leastNodes", "firstNode", "created")
    expire_after_hours: float = inputs.number(default="24", least=0.001, most=720)
    sweep_expired: bool = inputs.boolean(default=False)
    subnet: str = inputs.text()
    public_ip: bool = inputs.boolean(default=True)
    identity: tuple[str, ...] = inputs.lines()
    ssh: bool = inputs.boolean(default=False)
    tags: Mapping[str, str] = inputs.texts()
    sdk: str = inputs.choice("v2", "v1")


def run(job: Job) -> str:
    """Perform the task; returns what was done, in a sentence."""
    given = inputs.parse(ProvisionInputs, job.handover.inputs, job.handover.variables)
    spec, sizes = _spec(given, job), _sizes(given)
    workspace = connection.open_workspace(
        job, resource_group=given.resource_group, workspace=given.workspace, sdk=given.sdk
    )
    if given.sweep_expired:
        _sweep(job, workspace)

    try:
        found = workspace.compute.find_cluster(spec.name)
    except errors.TaskError as error:
        if error.cause is not errors.COMPUTE_WRONG_TYPE or given.lifecycle == lifecycle.PER_RUN:
            raise
        return attached.reuse(
            job,
            workspace,
            spec.name,
            unfit=_set_for_nodes(job.handover.inputs),
            on_difference=given.on_difference,
            minutes=given.timeout_minutes,
        )
    if found:
        # Of several sizes, any will do.
        same = (size for size in sizes if size.lower() == found.vm_size.lower())
        spec = replace(spec, vm_size=next(same, spec.vm_size))
    outcome = "created"
    if found:
        outcome = _compare(job, given, spec, found, workspace)
    else:
        _warn_of_region(job, spec, workspace)
        region = spec.location or workspace.location
        size = preflight.choose_size(workspace.compute, spec, sizes, region)
        spec = replace(spec, vm_size=size)
        log.info("Creating cluster %s: %s, %s", spec.name, spec.vm_size, _nodes(spec))
        _create(job, workspace, spec)
    cluster = _ready(job, given, spec, workspace, outcome)

    job.channel.output("computeName", cluster.name)
    job.channel.output("computeState", cluster.state)
    job.channel.output("computeOutcome", outcome)
    return f"Cluster {cluster.name} was {outcome}; it is {cluster.state}"


def clean_up(job: Job) -> str:
    """Delete the cluster of this job after it, however the job ended."""
    given = inputs.parse(ProvisionInputs, job.handover.inputs, job.handover.variables)
    if given.lifecycle != lifecycle.PER_RUN:
        return "There is nothing to delete: the cluster is kept for other jobs"
    name = lifecycle.per_run_name(given.compute_name, job.handover)
    workspace = connection.open_workspace(
        job, resource_group=given.resource_group, workspace=given.workspace, sdk=given.sdk
    )

    def look() -> Cluster | None:
        return workspace.compute.find_cluster(name)

    found = waiting.patiently(look, job.cancellation.pause)
    if found is None:
        return f"There is no cluster {name} to delete"
    if not lifecycle.is_ours(found, job.handover):
        raise errors.COMPUTE_NOT_OURS.error(name=name)
    # Azure refuses (409) to delete a cluster that it is still creating.
    found, gone = waiting.until(
        lambda: _deleting(workspace, look()),
        lambda c: c is None or c.state == "Deleting",
        describe=lambda c: f"Cluster {name} is {c.state if c else 'deleted'}",
        pause=job.cancellation.pause,
        minutes=_DELETE_MINUTES,
    )
    if not gone and found is not None:
        raise errors.COMPUTE_NOT_DELETED.error(name=name, state=found.state)
    return f"Cluster {name} of this job was deleted"


def _deleting(workspace: Workspace, found: Cluster | None) -> Cluster | None:
    """The cluster after it was asked to go, as far as Azure lets it now."""
    if found is None or found.state == "Deleting":
        return found
    try:
        workspace.compute.delete_cluster(found.name)
    except errors.TaskError as error:
        if error.cause is not errors.REFUSED:
            raise
        log.debug("Not yet: %s", error)
        return found
    return workspace.compute.find_cluster(found.name)


def _sweep(job: Job, workspace: Workspace) -> None:
    """Delete the clusters of jobs whose time is over. A failure is a warning, and stops nothing."""
    problems: list[str] = []
    try:
        left = lifecycle.expired(workspace.compute.clusters(), lifecycle.now())
    except errors.TaskError as error:
        left, problems = (), [error.happened]
    for each in left:
        expired = each.tags[lifecycle.EXPIRES]
        try:
            workspace.compute.delete_cluster(each.name)
        except errors.TaskError as error:
            problems.append(error.happened)
        else:
            log.info("Deleted cluster %s, left by a job and expired at %s", each.name, expired)
    if problems:
        job.warn("SWEEP_FAILED", "expired clusters were not all deleted: " + "; ".join(problems))


def _create(job: Job, workspace: Workspace, spec: ClusterSpec) -> None:
    """Ask for the cluster, and again when no answer came and Azure does not have it."""
    attempts = 0

    def ask() -> None:
        nonlocal attempts
        attempts += 1
        if attempts == 1 or workspace.compute.find_cluster(spec.name) is None:
            workspace.compute.create_cluster(spec)

    waiting.patiently(ask, job.cancellation.pause, _CREATE_MINUTES)


def _set_for_nodes(given: Mapping[str, str]) -> list[str]:
    """The inputs that only a cluster of Azure ML's own has, where they are not the default."""
    defaults = {inputs.camel(f.name): inputs.spec_of(f).default for f in fields(ProvisionInputs)}
    return [
        name
        for name in _OF_NODES
        if given.get(name, "").strip().lower() not in ("", defaults[name].lower())
    ]


def _sizes(given: ProvisionInputs) -> tuple[str, ...]:
    """The sizes in ``vmSize``, the best first: one, or several with commas or line ends between."""
    return tuple(dict.fromkeys(part for part in re.split(r"[,\s]+", given.vm_size) if part))


def _spec(given: ProvisionInputs, job: Job) -> ClusterSpec:
    clusters.check_name(given.compute_name, "computeName")
    _check_network(given)
    if given.min_nodes > given.max_nodes:
        raise errors.INPUT_INVALID.error(
            name="minNodes", value=given.min_nodes, expected=f"at most maxNodes {given.max_nodes}"
        )
    name, tags = given.compute_name, dict(given.tags)
    if given.lifecycle == lifecycle.PER_RUN:
        lifecycle.check_job(job.handover)
        name = lifecycle.per_run_name(name, job.handover)
        tags |= lifecycle.tags(job.handover, given.expire_after_hours, lifecycle.now())
    if given.wait_for == "firstNode" and given.min_nodes == 0:
        raise errors.INPUT_INVALID.error(
            name="waitFor",
            value=given.wait_for,
            expected="possible while minNodes is 0: such a cluster has no node until a job runs",
        )
    return ClusterSpec(
        name=name,
        vm_size=_sizes(given)[0],
        min_nodes=given.min_nodes,
        max_nodes=given.max_nodes,
        priority=given.vm_priority,
        idle_seconds=given.idle_seconds_before_scaledown,
        location=given.location,
        subnet=given.subnet,
        public_address=given.public_ip,
        identities=given.identity,
        ssh=given.ssh,
        tags=tags,
    )


def _check_network(given: ProvisionInputs) -> None:
    if given.subnet and not _SUBNET.fullmatch(given.subnet):
        raise errors.INPUT_INVALID.error(
            name="subnet",
            value=given.subnet,
            expected="the resource id of a subnet (/subscriptions/…/virtualNetworks/…/subnets/…)",
        )
    if SYSTEM in given.identity and len(given.identity) > 1:
        raise errors.INPUT_INVALID.error(
            name="identity",
            value=", ".join(given.identity),
            expected="'system' alone, or resource ids of user-assigned identities",
        )
    wrong = next((each for each in given.identity if each != SYSTEM and "/" not in each), None)
    if wrong:
        raise errors.INPUT_INVALID.error(
            name="identity", value=wrong, expected="'system' or a resource id"
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

    def enough_nodes(cluster: Cluster) -> bool:
        least = {"created": 0, "firstNode": 1}.get(given.wait_for, cluster.min_nodes)
        return cluster.nodes >= least

    cluster = clusters.ready(
        name,
        lambda: workspace.compute.find_cluster(name),
        lambda c: c.state == "Succeeded" and as_asked(c) and (enough_nodes(c) or bool(c.problems)),
        describe=lambda c: f"Cluster {name} is {c.state}, {_nodes(c)}",
        pause=job.cancellation.pause,
        minutes=given.timeout_minutes,
        late=lambda text: job.warn(
            "COMPUTE_DEADLINE_NEAR", f"{text} (timeoutMinutes), after which the task fails"
        ),
    )
    if cluster.problems and (outcome == "created" or not enough_nodes(cluster)):
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
