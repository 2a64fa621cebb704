"""A job that is tried again goes on with the run that its earlier attempt started.

A run is tagged with the step that submitted it and with the attempt of its job. Azure Pipelines
counts attempts of stages, phases, jobs and release environments; the first of all is 1.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping

from amltasks.azure_pipelines.agent import Handover
from amltasks.workspace.port import Run, Runs, Submission

STEP, ATTEMPT = "pipelines_step", "pipelines_attempt"
_NOT_TO_BE_RESUMED = frozenset({"Failed", "Canceled", "CancelRequested"})
_WHERE = (
    *("system.collectionid", "system.teamprojectid", "build.buildid", "release.releaseid"),
    *("release.environmentname", "system.stagename", "system.phasename", "system.jobname"),
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


def earlier(runs: Runs, submission: Submission) -> Run | None:
    """The run that an earlier attempt of this step started and that is worth going on with.

    It is this attempt's from now on, so that a like step of the same job does not take it too. One
    that failed or was canceled is none: who tries again wants it run again.
    """
    step, attempt = submission.tags.get(STEP), submission.tags.get(ATTEMPT, "")
    if not step or set(attempt.split(".")) == {"1"}:
        return None
    for run, found in runs.find(submission.experiment, STEP, step):
        if found.get(ATTEMPT) != attempt and run.status not in _NOT_TO_BE_RESUMED:
            runs.tag(run.id, {ATTEMPT: attempt})
            return run
    return None
