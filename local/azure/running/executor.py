"""Runs jobs on the nodes of a compute target: as many at once as it has nodes, and at most two."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator
from urllib.parse import quote

from local.azure.kernel.background import Stop
from local.azure.kernel.cloud import Cloud
from local.azure.resources import compute_records
from local.azure.running import job
from local.azure.running.job import Job, Outcome

# v2 runs jobs without a compute target of their own by this name.
SERVERLESS = "serverless"

_AT_ONCE = 2
_LOOK_S = 0.2
BROKEN = Outcome(
    status="Failed",
    code="ServiceError",
    message="The local Azure failed to run this; its log says why.",
)
STOPPED = "The local Azure was stopped while this was running. Start it and submit again."


def start_job(cloud: Cloud, work: Job, target: str) -> None:
    """Run a single job in the background."""
    cloud.background.start(
        work.run_id,
        lambda stop: run_on(cloud, work, target, stop),
        broken=lambda: job.finish(cloud, work.run_id, BROKEN),
    )


def check_target(cloud: Cloud, target: str) -> str | None:
    """Why nothing can run on a compute target; None when it can."""
    found = compute_records.get_compute(cloud, target)
    if found is None:
        return f"Unknown compute target '{target}'."
    kind = found["properties"]["computeType"]
    if kind != "AmlCompute":
        return f"Compute target '{target}' is of type {kind}, and only AmlCompute runs jobs."
    return None


def cancel_uri(cloud: Cloud, experiment: str, run_id: str) -> str:
    """Where the SDK asks for the end of a single run."""
    return (
        f"{cloud.base_url}/execution/v1.0{cloud.workspace_scope}"
        f"/experiments/{quote(experiment, safe='')}/runs/{run_id}/cancel"
    )


def run_on(cloud: Cloud, work: Job, target: str, stop: Stop) -> Outcome:
    """Make the environment, wait for a free node of the cluster, then run there."""
    job.remember(cloud, work.run_id)
    slots = cloud.background.slots(target, _nodes(cloud, target))

    @contextlib.contextmanager
    def node() -> Iterator[bool]:
        """A node of the cluster; False when the wait was ended."""
        begun = time.monotonic()
        while time.monotonic() - begun < cloud.faults.allocating(target) or not slots.acquire(
            timeout=_LOOK_S
        ):
            if stop.wait(_LOOK_S):
                yield False
                return
        try:
            yield True
        finally:
            slots.release()

    return job.run(cloud, work, stop, node)


def _nodes(cloud: Cloud, target: str) -> int:
    found = compute_records.get_compute(cloud, target)
    if found is None:
        return _AT_ONCE if target == SERVERLESS else 1
    maximum = found["properties"]["properties"]["scaleSettings"]["maxNodeCount"]
    return max(1, min(int(maximum), _AT_ONCE))
