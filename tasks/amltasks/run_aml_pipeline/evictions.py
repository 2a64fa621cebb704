"""Runs that lost a low-priority node: they are submitted again, at last on a dedicated cluster."""

from __future__ import annotations

import logging
import re
from collections.abc import Callable
from dataclasses import dataclass, replace

from amltasks import errors
from amltasks.run_aml_pipeline.following import Outcome
from amltasks.workspace.port import COMPLETED, Compute, Run, Submission

log = logging.getLogger("amltasks")

# Azure's words: MicrosoftDocs/azure-docs#66288.
_EVICTED = re.compile(r"PreemptionError|pre-?empted", re.IGNORECASE)


@dataclass(frozen=True, kw_only=True)
class Policy:
    """How often an evicted run is submitted again, and the cluster for the last time; or none."""

    retries: int = 0
    dedicated: str = ""

    def check(self, compute: Compute) -> None:
        """See that the dedicated cluster is one. Raises ``INPUT_INVALID``."""
        if not self.dedicated:
            return
        found = compute.find_cluster(self.dedicated)
        expected = "the name of a cluster in the workspace"
        if found is not None and found.priority.lower() != "dedicated":
            found, expected = None, "a cluster of dedicated nodes"
        if found is None:
            raise errors.INPUT_INVALID.error(
                name="dedicatedCompute", value=self.dedicated, expected=expected
            )


def evicted(outcome: Outcome) -> Run | None:
    """The first step that failed because its node was taken away."""
    if outcome.run.status in COMPLETED or outcome.run.status == "Canceled":
        return None
    failed = (step for step in outcome.steps if step.status == "Failed")
    return next((step for step in failed if _EVICTED.search(step.error)), None)


def run_through(
    submission: Submission, policy: Policy, perform: Callable[[Submission], Outcome]
) -> Outcome:
    """Perform a submission, and again while its nodes are taken away and the policy allows it.

    Azure reuses the steps that completed, unless the submission forces them to run again.

    Args:
        submission: what to run.
        policy: how often.
        perform: submits and follows a run to its end.
    """
    moves = [False] * policy.retries + [True] * bool(policy.dedicated)
    while True:
        outcome = perform(submission)
        step = evicted(outcome)
        if step is None or not moves:
            return outcome
        if moves.pop(0):
            log.info(
                "Azure took the node of step %s away; running what is left on %s",
                *(step.name, policy.dedicated),
            )
            submission = replace(submission, moved=(step.target, policy.dedicated))
        else:
            log.info("Azure took the node of step %s away; submitting again", step.name)
