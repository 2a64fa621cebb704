"""However often a step is started, one run is under way: all starts make the same claim.

A claim is named after the build, the step and its inputs, and has a number. A start goes on with
the run of the first number, or of the next one if that run failed or was canceled.
A run is tagged with the step that submitted it and with the attempt of its job. Azure Pipelines
counts attempts of stages, phases, jobs and release environments; the first of all is 1.
"""

from __future__ import annotations

import hashlib
import itertools
import json
import re
from collections.abc import Mapping
from dataclasses import replace

from amltasks.azure_pipelines.agent import Handover
from amltasks.workspace.port import COMPLETED, Run, Runs, Submission

STEP, ATTEMPT = "pipelines_step", "pipelines_attempt"
_NOT_TO_BE_RESUMED = frozenset({"Failed", "Canceled", "CancelRequested"})
_WHERE = (
    *("system.collectionid", "system.teamprojectid", "build.buildid", "release.releaseid"),
    *("release.environmentname", "system.stagename", "system.phasename", "system.jobname"),
    *("system.jobpositioninphase", "system.taskinstancename"),
)
_COUNTS = (
    *("system.stageattempt", "system.phaseattempt", "system.jobattempt"),
    "release.attemptnumber",
)


def tags(handover: Handover, given: Mapping[str, str]) -> dict[str, str]:
    """The tags of a run that this step submits; none outside of a build or release.

    Args:
        handover: says which step this is, but for its inputs.
        given: the inputs that make the step what it is.
    """
    where = {name: handover.variable(name) for name in _WHERE}
    if not where["build.buildid"] and not where["release.releaseid"]:
        return {}
    told = json.dumps([where, dict(given)], sort_keys=True)
    digest = hashlib.sha256(told.encode()).hexdigest()[:32]
    return {STEP: digest, ATTEMPT: ".".join(handover.variable(name) or "1" for name in _COUNTS)}


def claim(handover: Handover, runs: Runs, submission: Submission) -> tuple[Submission, Run | None]:
    """The submission under the claim of this step, and the run to go on with if there is one.

    That run is this attempt's from now on. One that failed or was canceled is left alone: whoever
    tries again wants it to run again. Without a build or release there is no claim.
    """
    step, attempt = submission.tags.get(STEP), submission.tags.get(ATTEMPT, "")
    if not step:
        return submission, None
    number = handover.variable("build.buildid") or handover.variable("release.releaseid")
    name = f"pipelines-{re.sub('[^0-9A-Za-z]', '', number)}-{step[:20]}"
    named = bool(handover.variable("system.taskinstancename"))
    for turn in itertools.count(1):
        claimed = replace(submission, claim=f"{name}-{turn}")
        run = runs.claimed(claimed.claim)
        if run is None:
            return claimed, None
        # Where Azure Pipelines does not name its steps, two that are alike have a run each.
        likes = not named and run.status in COMPLETED and run.tags.get(ATTEMPT) == attempt
        if run.status in _NOT_TO_BE_RESUMED or likes:
            continue
        if run.tags.get(ATTEMPT) != attempt:
            runs.tag(run.id, {ATTEMPT: attempt})
        return claimed, run
    raise AssertionError("unreachable")
