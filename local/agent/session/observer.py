"""The events of a run; ``organization.run_updates`` sends them to an organisation."""

from __future__ import annotations

from pathlib import Path

from local.agent.definition.model import Job, Stage
from local.agent.session.outcomes import JobOutcome, StageOutcome, StepOutcome
from local.agent.session.task_result import Result

SUMMARY = "Distributedtask.Core.Summary"


class RunObserver:
    """Observes a run and does nothing, for runs without an organisation."""

    def started(self, number: str) -> None:
        """The run has started."""

    def stage_started(self, stage: Stage) -> None:
        """A stage has started."""

    def stage_ended(self, outcome: StageOutcome) -> None:
        """A stage has ended, or was skipped."""

    def job_started(self, stage: Stage, job: Job, identity: str) -> None:
        """A job has started; ``identity`` is its ``System.JobId``."""

    def job_ended(self, stage: Stage, outcome: JobOutcome) -> None:
        """A job has ended, or was skipped."""

    def step_started(self, job: str, identity: str, name: str, title: str) -> None:
        """A step of the job has started; ``identity`` is its ``System.TaskInstanceId``."""

    def step_ended(self, identity: str, outcome: StepOutcome, log: Path) -> None:
        """A step has ended, or was skipped."""

    def told_result(self, identity: str) -> Result | None:
        """Return the result that somebody outside reported for a step, None while there is none."""
        del identity
        return None

    def attached(self, identity: str, kind: str, name: str, file: Path) -> None:
        """A step attached a file."""

    def tested(self, title: str, file: Path) -> None:
        """A step has published test results, in JUnit's form."""

    def tagged(self, tag: str) -> None:
        """A step tagged the build."""

    def numbered(self, number: str) -> None:
        """The run has another number."""

    def published(self, name: str, folder: Path) -> None:
        """A step published an artifact."""

    def ended(self, result: Result) -> None:
        """The run has ended."""

    def job_variables(self, identity: str) -> dict[str, str]:
        """Return the variables that the organisation adds to the job of that ``System.JobId``."""
        del identity
        return {}
