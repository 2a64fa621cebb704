"""Outcomes of steps, jobs, stages and runs, and how they merge."""

from __future__ import annotations

import enum
from collections.abc import Iterable


class Result(enum.IntEnum):
    """Outcomes in the agent's order; the names are those of ``##vso[task.complete result=]``."""

    Succeeded = 0
    SucceededWithIssues = 1
    Failed = 2
    Canceled = 3
    Skipped = 4
    Abandoned = 5

    @property
    def json_name(self) -> str:
        """The name in the JSON result, e.g. ``succeededWithIssues``."""
        return self.name[0].lower() + self.name[1:]


def merge(current: Result | None, coming: Result) -> Result:
    """Return the worse outcome; above Failed the first one stays.

    The agent: src/Microsoft.VisualStudio.Services.Agent/Util/TaskResultUtil.cs MergeTaskResults.
    """
    if current is None:
        return coming
    if current > Result.Failed:
        return current
    return max(current, coming)


def roll_up(results: Iterable[Result]) -> Result:
    """Return the outcome of a group (jobs of a stage, stages of a run).

    Skipped members count only when all were skipped; a failure outweighs a cancellation no more
    than the service lets it: canceled work makes the group canceled.
    """
    members = list(results)
    for result in (
        Result.Canceled,
        Result.Abandoned,
        Result.Failed,
        Result.SucceededWithIssues,
        Result.Succeeded,
    ):
        if result in members:
            return Result.Failed if result is Result.Abandoned else result
    return Result.Skipped if members else Result.Succeeded
