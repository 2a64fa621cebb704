"""What the steps of a running job share: its variables, its result so far, its time limit."""

from __future__ import annotations

import contextlib
import time
from dataclasses import dataclass, field

from local.agent.definition.model import Job, Stage
from local.agent.expressions import language
from local.agent.expressions.values import ExpressionError
from local.agent.host.process import Wish
from local.agent.host.variables import Variables
from local.agent.job.planned_step import Plan
from local.agent.session.outcomes import step_context
from local.agent.session.session import Session
from local.agent.session.task_result import Result, merge

# The service grants no less (src/Agent.Listener/JobDispatcher.cs).
_MIN_CANCEL_S = 60.0


@dataclass(kw_only=True)
class JobState:
    """A running job: what its steps share.

    Attributes:
        identity: its ``System.JobId``.
        stages: all of the run, and
        plan: their steps, to explain what is missing in a job.
        status: the merged result so far, None before the first one.
        canceled_at: when the job was canceled (monotonic), None while it is not.
    """

    session: Session
    stage: Stage
    job: Job
    variables: Variables
    identity: str
    stages: tuple[Stage, ...] = ()
    plan: Plan = field(default_factory=dict)
    lookup: str
    deadline: float | None = None
    status: Result | None = None
    canceled_at: float | None = None
    prepend_path: list[str] = field(default_factory=list)
    task_variables: dict[str, Variables] = field(default_factory=dict)
    log_prefix: str = ""

    def merge(self, result: Result) -> None:
        """Add a step's result to the job's."""
        if result in (Result.SucceededWithIssues, Result.Failed):
            self.status = merge(self.status, result)
        self.publish_status()

    def publish_status(self) -> None:
        """Set ``agent.jobstatus``, spelled as the agent spells it."""
        status = Result.Succeeded if self.status is None else self.status
        self.variables.set("agent.jobstatus", status.name)

    def check_cancel(self) -> bool:
        """Notice a cancellation or the end of the job's time; True once it is canceled."""
        now = time.monotonic()
        if self.canceled_at is None:
            late = self.deadline is not None and now > self.deadline
            if not late and not self.session.cancellation.requested.is_set():
                return False
            if late:
                minutes = f"{self.job.timeout_minutes:g}"
                message = f"The job ran longer than the maximum time of {minutes} minutes."
                self.session.console.line("", f"##[error]{message}")
            else:
                self.session.console.line("run", "canceling; one more Ctrl-C kills what runs")
            self.canceled_at = now
            self.status = Result.Canceled
            self.publish_status()
        return True

    def out_of_patience(self) -> bool:
        """Say whether the job must end now: killed by the user, or its cancel time is over."""
        if self.session.cancellation.killed.is_set():
            return True
        patience = max(self.job.cancel_timeout_minutes * 60, _MIN_CANCEL_S)
        return self.canceled_at is not None and time.monotonic() > self.canceled_at + patience

    def allows(self, condition: str | None) -> bool:
        """Evaluate a step's condition with the job's current status; raises ExpressionError."""
        context = step_context(self.status, self.variables.texts())
        return language.condition(condition or "succeeded()", context)

    def wish(self, condition: str | None, step_deadline: float | None) -> Wish:
        """Say what to do with the running process of a step with this condition."""
        if self.out_of_patience():
            return Wish.KILL
        if step_deadline is not None and time.monotonic() > step_deadline:
            return Wish.STOP
        if self.check_cancel():
            with contextlib.suppress(ExpressionError):
                if self.allows(condition):
                    return Wish.RUN
            return Wish.STOP
        return Wish.RUN
