"""Running a job: its folders and variables, its steps one after the other, its clean-up.

The agent: src/Agent.Worker/StepsRunner.cs and JobExtension.cs.
"""

from __future__ import annotations

import contextlib
import shutil
import time
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from local.agent import expressions
from local.agent.model import Job, Stage, VariableDefinition
from local.agent.outcomes import JobOutcome, StepOutcome, step_context
from local.agent.plan import PlannedStep
from local.agent.predefined import job_folders, job_variables
from local.agent.process import Wish, end_orphans
from local.agent.results import Result, merge
from local.agent.session import Session
from local.agent.step import run_step
from local.agent.values import ExpressionError, to_string
from local.agent.variables import Variables

LOOKUP = "VSTS_PROCESS_LOOKUP_ID"
# The service grants no less (src/Agent.Listener/JobDispatcher.cs).
_MIN_CANCEL_S = 60.0


@dataclass(kw_only=True)
class JobState:
    """A running job: what its steps share.

    Attributes:
        identity: its ``System.JobId``.
        status: the merged result so far, None before the first one.
        canceled_at: when the job was canceled (monotonic), None while it is not.
    """

    session: Session
    stage: Stage
    job: Job
    variables: Variables
    identity: str
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
        """Evaluate a step's condition as the job stands; raises ExpressionError."""
        context = step_context(self.status, self.variables.texts())
        return expressions.condition(condition or "succeeded()", context)

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


def run_job(
    session: Session,
    stage: Stage,
    job: Job,
    steps: tuple[PlannedStep, ...],
    *,
    number: int,
    definitions: tuple[VariableDefinition, ...],
    context: expressions.Context,
) -> JobOutcome:
    """Run a job.

    Args:
        session: the run.
        stage: the job's stage.
        job: what to run.
        steps: the job's steps with their tasks.
        number: counts the run's jobs; names the job's folder.
        definitions: variables of pipeline, stage and job, in this order.
        context: what ``$[ ]`` in them sees besides the variables.
    """
    began, began_at = time.monotonic(), time.time()
    predefined = {**session.predefined, **job_variables(session, stage, job, number)}
    identity = predefined["System.JobId"]
    session.report.job_started(stage, job, identity)
    predefined.update(session.report.job_variables(identity))
    for folder in job_folders(predefined):
        folder.mkdir(parents=True, exist_ok=True)
    _empty(session.folders.temp)
    state = JobState(
        session=session,
        stage=stage,
        job=job,
        variables=Variables(session.masker),
        identity=identity,
        lookup=f"vsts_{uuid.uuid4()}",
        deadline=began + job.timeout_minutes * 60 if job.timeout_minutes else None,
        log_prefix=f"{number:02}",
    )
    _set_variables(state, predefined, definitions, context)
    try:
        outcomes, outputs = _run_steps(state, steps)
    finally:
        for orphan in end_orphans(LOOKUP, state.lookup, began_at):
            session.console.line("", f"Terminate orphan process: pid {orphan}")
        _empty(session.folders.temp)
    result = Result.Succeeded if state.status is None else state.status
    if result is Result.Failed and job.continue_on_error:
        result = Result.SucceededWithIssues
    return JobOutcome(
        name=job.name,
        display_name=job.display_name,
        result=result,
        seconds=time.monotonic() - began,
        outputs=outputs,
        steps=outcomes,
    )


def _empty(folder: Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True, exist_ok=True)


def _set_variables(
    state: JobState,
    predefined: Mapping[str, str],
    definitions: tuple[VariableDefinition, ...],
    context: expressions.Context,
) -> None:
    variables = state.variables
    for name, value in predefined.items():
        variables.set(name, value)
    variables.set(LOOKUP, state.lookup)
    variables.set("System.AccessToken", state.session.access_token, secret=True)
    state.publish_status()
    for definition in definitions:
        value = definition.value
        text = value.strip()
        if text.startswith("$[") and text.endswith("]"):
            values = {**context.values, "variables": variables.texts()}
            try:
                scope = expressions.Context(values=values, functions=context.functions)
                value = to_string(expressions.evaluate(text[2:-1], scope))
            except ExpressionError as error:
                state.session.console.line("", f"##[error]variable {definition.name}: {error}")
                state.status = Result.Failed
        variables.set(
            definition.name, value, secret=definition.secret, read_only=definition.read_only
        )
    for warning in variables.recalculate():
        state.session.console.line("", f"##[warning]{warning}")


def _run_steps(
    state: JobState, steps: tuple[PlannedStep, ...]
) -> tuple[list[StepOutcome], dict[str, str]]:
    """Run pre-job executions, steps, and post-job executions in reverse order."""
    outcomes: list[StepOutcome] = []
    outputs: dict[str, str] = {}
    runs = [(step, "prejobexecution") for step in steps if _has(step, "prejobexecution")]
    runs += [(step, "execution") for step in steps if step.task is None or _has(step, "execution")]
    runs += [
        (step, "postjobexecution") for step in reversed(steps) if _has(step, "postjobexecution")
    ]
    for number, (step, execution) in enumerate(runs, start=1):
        outcome, found = run_step(state, step, execution, number)
        state.merge(outcome.result)
        outcomes.append(outcome)
        prefix = f"{state.job.name}." if state.job.deployment else ""
        outputs.update({f"{prefix}{step.step.name}.{name}": v for name, v in found.items()})
    return outcomes, outputs


def _has(step: PlannedStep, execution: str) -> bool:
    return step.task is not None and execution in step.task.handlers
