"""Running one step: condition, inputs, handler, retries, time limit, result.

The agent: src/Agent.Worker/StepsRunner.cs, TaskRunner.cs and RetryHelper.cs.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import replace

from local.agent.errors import AgentError
from local.agent.expressions.values import ExpressionError
from local.agent.host.connection import Connection
from local.agent.host.console import StepLog
from local.agent.host.process import Wish
from local.agent.host.tasks import TaskDefinition
from local.agent.host.variables import CaseInsensitive, Variables
from local.agent.job.builtin import BUILT_IN
from local.agent.job.handlers import StepRun, Stopped, run_node
from local.agent.job.inputs import (
    resolve_inputs,
    script_environment,
    step_environment,
    task_environment,
)
from local.agent.job.job_state import JobState
from local.agent.job.planned_step import PlannedStep
from local.agent.job.server_request import run_request
from local.agent.job.step_record import Restrictions, StepRecord
from local.agent.job.unset_macros import Explainer, unset_macros
from local.agent.session.outcomes import StepOutcome
from local.agent.session.session import Session
from local.agent.session.task_result import Result, merge

MAX_RETRIES = 10
_EXECUTIONS = {"prejobexecution": "Pre-job: ", "execution": "", "postjobexecution": "Post-job: "}


def run_step(
    state: JobState, planned: PlannedStep, execution: str, number: int
) -> tuple[StepOutcome, dict[str, str]]:
    """Run a step of a job; returns its outcome and its outputs, secrets included."""
    step, session = planned.step, state.session
    began = time.monotonic()
    log_file = session.folders.logs / f"{state.log_prefix}-{number:02}-{step.name}.log"
    log = StepLog(session.console, step.name, log_file)
    task_variables = state.task_variables.setdefault(step.name, Variables(session.masker))
    record = StepRecord(
        name=step.name,
        log=log,
        variables=state.variables,
        task_variables=task_variables,
        prepend_path=state.prepend_path,
        restrictions=_restrictions(planned),
        output_names=frozenset(
            name.lower() for name in (planned.task.output_variables if planned.task else ())
        ),
    )
    for warning in state.variables.recalculate():
        record.warning(warning)
    title = _EXECUTIONS[execution] + state.variables.expand(step.display_name)
    session.observer.step_started(state.identity, record.identity, step.name, title)
    # Post-job work runs whatever happened before it.
    condition = "always()" if execution == "postjobexecution" else step.condition
    result = _skip_or_fail(state, record, condition)
    if result is None:
        log.event("step", f"{step.name}: {title} ({planned.label})")
        result = _attempt(state, planned, execution, record, condition)
    seconds = time.monotonic() - began
    log.event("done", f"{step.name}: {result.json_name} in {seconds:.1f} s")
    log.close()
    outcome = StepOutcome(
        name=step.name,
        display_name=title,
        task=planned.label,
        result=result,
        seconds=seconds,
        outputs={name: value for name, (value, secret) in record.outputs.items() if not secret},
        issues=record.issues,
    )
    session.observer.step_ended(record.identity, outcome, log_file)
    return outcome, {name: value for name, (value, _) in record.outputs.items()}


def _restrictions(planned: PlannedStep) -> list[Restrictions]:
    step, task = planned.step, planned.task
    found = [
        Restrictions(commands=step.restricted_commands, settable_variables=step.settable_variables)
    ]
    if task is not None:
        found.append(
            Restrictions(
                commands=task.restricted_commands, settable_variables=task.settable_variables
            )
        )
    return found


def _skip_or_fail(state: JobState, record: StepRecord, condition: str | None) -> Result | None:
    """Return Skipped or Failed where the condition does not let the step run."""
    state.check_cancel()
    if state.session.cancellation.killed.is_set():
        return Result.Skipped
    try:
        if state.allows(condition):
            return None
    except ExpressionError as error:
        record.fail(str(error))
        return Result.Failed
    record.debug("Skipping step due to condition evaluation.")
    return Result.Skipped


def _attempt(
    state: JobState,
    planned: PlannedStep,
    execution: str,
    record: StepRecord,
    condition: str | None,
) -> Result:
    """Run the handler, again after failures where the step asks for it; return the final result."""
    step = planned.step
    deadline = time.monotonic() + step.timeout_minutes * 60 if step.timeout_minutes else None

    def wish() -> Wish:
        if record.force_complete_at is not None and time.monotonic() > record.force_complete_at:
            return Wish.LEAVE
        return state.wish(condition, deadline)

    def run() -> None:
        _run_handler(state, planned, execution, record, wish)

    try:
        _run_with_retries(run, record, step.retry_count, wish)
    except Stopped:
        if deadline is not None and time.monotonic() > deadline and state.canceled_at is None:
            record.fail("The task has timed out.")
        else:
            record.error("The operation was canceled.")
            record.result = Result.Canceled
    except (AgentError, OSError) as error:
        record.fail(str(error))
    if record.command_result is not None:
        record.result = merge(record.result, record.command_result)
    if record.result is Result.Failed and step.continue_on_error:
        return Result.SucceededWithIssues
    return Result.Succeeded if record.result is None else record.result


def _run_with_retries(
    run: Callable[[], None], record: StepRecord, retries: int, wish: Callable[[], Wish]
) -> None:
    """Run a step, and again after each failure but the last; raises as ``run`` does at the last."""
    if retries > MAX_RETRIES:
        record.warning(
            f"The maximum allowed number of attempts is {MAX_RETRIES} but got {retries}. "
            f"Retry attempts count will be decreased to {MAX_RETRIES}."
        )
        retries = MAX_RETRIES
    for attempt in range(1, retries + 1):
        problem = _failure(run, record)
        if problem is None:
            return
        delay = attempt**2
        record.warning(
            f"RetryHelper {problem}, will retry (attempt #: {attempt} out of {retries}) "
            f"after {delay * 1000} ms"
        )
        record.force_complete_at = None
        _sleep(delay, wish)
    run()


def _failure(run: Callable[[], None], record: StepRecord) -> str | None:
    """Run a step that may be run again; return what went wrong, None when nothing did."""
    try:
        run()
    except AgentError as error:
        return f"encountered exception ({error})"
    if record.result is not Result.Failed:
        return None
    record.result = None
    return "encountered task failure"


def _sleep(seconds: float, wish: Callable[[], Wish]) -> None:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if wish() in (Wish.STOP, Wish.KILL):
            raise Stopped
        time.sleep(0.1)


def _run_handler(
    state: JobState,
    planned: PlannedStep,
    execution: str,
    record: StepRecord,
    wish: Callable[[], Wish],
) -> None:
    step, task, session, variables = planned.step, planned.task, state.session, state.variables
    scope = {
        "System.TaskInstanceId": record.identity,
        "System.TaskInstanceName": step.name,
        "System.TaskDisplayName": variables.expand(step.display_name),
        "Task.DisplayName": variables.expand(step.display_name),
        "Task.PublishTelemetry": "False",
    }
    for name, value in scope.items():
        variables.set(name, value)
    inputs = resolve_inputs(step, task, variables, session)
    _warn_of_unset_macros(state, record, planned, inputs)
    environment = task_environment(
        session=session,
        own=step_environment(step, variables, session),
        variables=variables,
        task_variables=record.task_variables,
        inputs=inputs,
        endpoints=_endpoints(session, task, inputs),
        prepend_path=state.prepend_path,
    )
    for name in scope:
        variables.unset(name)
    run = StepRun(
        step=step,
        record=record,
        session=session,
        inputs=CaseInsensitive(inputs),
        environment=environment if task is not None else script_environment(environment),
        wish=wish,
    )
    if task is not None and planned.http_request is not None:
        run_request(run, task, planned.http_request)
        return
    if task is None:
        BUILT_IN[planned.built_in or ""].call(run)
        return
    handler = task.handlers[execution]
    if handler is not None:
        run_node(run, task, handler)


def _warn_of_unset_macros(
    state: JobState, record: StepRecord, planned: PlannedStep, inputs: Mapping[str, str]
) -> None:
    """Explain each macro that stays in the inputs, which the step's own error would not."""
    task = planned.task
    written = {
        name if task is None else task.input_name(name): name for name in planned.step.inputs
    }
    names = [one.step.name for steps in state.plan.values() for one in steps]
    explainer = Explainer(
        stages=state.stages,
        plan=state.plan,
        stage=state.stage,
        job=state.job,
        variables=tuple(state.variables.texts()),
    )
    for macro in unset_macros(inputs, names):
        named = replace(macro, input=written.get(macro.input, macro.input))
        record.warning(explainer.explain(named))


def _endpoints(
    session: Session, task: TaskDefinition | None, inputs: dict[str, str]
) -> dict[str, str]:
    """Return the connections that this task's inputs name, and the system's own."""
    wanted: list[Connection] = []
    for declared in task.inputs if task is not None else ():
        if declared.type.lower().startswith("connectedservice:"):
            identities = [part.strip().lower() for part in inputs[declared.name].split(",")]
            wanted += [one for one in session.connections if one.identity in identities]
    found: dict[str, str] = {}
    for connection in (*wanted, session.system):
        found.update(connection.environment)
    return found
