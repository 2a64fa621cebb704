"""Nodes that are taken away while a job runs on them, as the faults `evict` and `lost` ask."""

from __future__ import annotations

import time
from dataclasses import dataclass

from local.azure.history import runs
from local.azure.kernel.cloud import Cloud
from local.azure.resources import compute_records


@dataclass(frozen=True, kw_only=True)
class Loss:
    """What run history says of a job whose node is gone."""

    code: str
    message: str


# The first as in MicrosoftDocs/azure-docs#66288. The words of the second are ours.
_LOSSES = {
    "evict": Loss(
        code="UserError",
        message="AzureMLCompute job failed. PreemptionError: Nodes of this job got pre-empted. "
        "Check if the run has failed or restarted. Reason: Received pre-emption warning signal",
    ),
    "lost": Loss(
        code="ServiceError",
        message="AzureMLCompute job failed. NodeLost: The node of this job was lost.",
    ),
}


class LosableNode:
    """The node of a job that has just begun to run."""

    def __init__(self, cloud: Cloud, run_id: str) -> None:
        """Look up the run's compute target."""
        run = runs.get_run(cloud, run_id)
        self._cloud = cloud
        self._target = str(run["target"] or "") if run else ""
        found = compute_records.get_compute(cloud, self._target)
        priority = found["properties"]["properties"].get("vmPriority") if found else None
        self._low_priority = priority == "LowPriority"
        self._begun = time.monotonic()
        self._outlived: set[str] = set()

    def loss(self) -> Loss | None:
        """What becomes of the job when its node is taken away now; None while it stays."""
        kind = self._cloud.faults.loses(
            self._target,
            (time.monotonic() - self._begun) / 60,
            low_priority=self._low_priority,
            spared=self._outlived,
        )
        return _LOSSES[kind] if kind else None
