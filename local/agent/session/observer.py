"""What a run tells of itself, to whom it may concern: see ``reports`` for the organisation."""

from __future__ import annotations

from pathlib import Path

from local.agent.definition.model import Job, Stage
from local.agent.session.dependencies import JobOutcome, StageOutcome, StepOutcome
from local.agent.session.task_result import Result

SUMMARY = "Distributedtask.Core.Summary"


class Report:
    """The events of a run. This one is for runs that belong to no organisation."""

    def started(self, number: str) -> None:
        """The run begins."""

    def stage_started(self, stage: Stage) -> None:
        """A stage begins."""

    def stage_ended(self, outcome: StageOutcome) -> None:
        """A stage has ended, or was skipped."""

    def job_started(self, stage: Stage, job: Job, identity: str) -> None:
        """A job begins; ``identity`` is its ``System.JobId``."""

    def job_ended(self, stage: Stage, outcome: JobOutcome) -> None:
        """A job has ended, or was skipped."""

    def step_started(self, job: str, identity: str, name: str, title: str) -> None:
        """A step of the job of that id begins; ``identity`` is its ``System.TaskInstanceId``."""

    def step_ended(self, identity: str, outcome: StepOutcome, log: Path) -> None:
        """A step has ended, or was skipped."""

    def attached(self, identity: str, kind: str, name: str, file: Path) -> None:
        """A step attached a file."""

    def tested(self, title: str, file: Path) -> None:
        """A step published test results, in JUnit's form."""

    def tagged(self, tag: str) -> None:
        """A step tagged the build."""

    def numbered(self, number: str) -> None:
        """The run has another number."""

    def published(self, name: str, folder: Path) -> None:
        """A step published an artifact."""

    def ended(self, result: Result) -> None:
        """The run has ended."""

    def job_variables(self, identity: str) -> dict[str, str]:
        """The variables that the organisation adds to the job of that ``System.JobId``."""
        del identity
        return {}
