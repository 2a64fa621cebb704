"""A Kubernetes cluster that is attached to the workspace: found and waited for, never made."""

from __future__ import annotations

import logging
from collections.abc import Iterable

from amltasks import clusters, errors
from amltasks.azure_pipelines.agent import Job
from amltasks.workspace.port import Workspace

log = logging.getLogger("amltasks")


def reuse(
    job: Job,
    workspace: Workspace,
    name: str,
    *,
    unfit: Iterable[str],
    on_difference: str,
    minutes: float,
) -> str:
    """Wait until a Kubernetes cluster is attached; returns what was done, in a sentence.

    Args:
        job: for outputs and pauses.
        workspace: where it is attached.
        name: of the compute target.
        unfit: the inputs that were set and that only an AmlCompute cluster has.
        on_difference: ``warn``; with anything else, ``unfit`` inputs are an error.
        minutes: the deadline.

    Raises:
        TaskError: ``COMPUTE_WRONG_TYPE`` for another kind of compute, ``COMPUTE_DIFFERENT``, and
            what :func:`amltasks.clusters.ready` raises.
    """
    workspace.compute.find_kubernetes(name)
    if inputs := ", ".join(unfit):
        error = errors.COMPUTE_DIFFERENT.error(
            name=name, differences=f"it is an attached Kubernetes cluster, which has no {inputs}"
        )
        if on_difference != "warn":
            raise error
        job.warn(error.cause.code, f"{error.happened}; it is used as it is")
    cluster = clusters.ready(
        name,
        lambda: workspace.compute.find_kubernetes(name),
        lambda c: c.state == "Succeeded",
        describe=lambda c: f"Kubernetes cluster {name} is {c.state}",
        pause=job.cancellation.pause,
        minutes=minutes,
    )
    job.channel.output("computeName", cluster.name)
    job.channel.output("computeState", cluster.state)
    job.channel.output("computeOutcome", "reused")
    return f"Kubernetes cluster {cluster.name} is attached; it is {cluster.state}"
