"""Running a job: its folders and variables, its steps one after the other, its clean-up.

The agent: src/Agent.Worker/StepsRunner.cs and JobExtension.cs.
"""

from __future__ import annotations

import shutil
import time
import uuid
from collections.abc import Mapping
from pathlib import Path

from local.agent.definition.model import Job, Stage, VariableDefinition
from local.agent.host.process import end_orphans
from local.agent.host.variables import Variables
from local.agent.job.job_state import JobState
from local.agent.job.planned_step import Plan, PlannedStep
from local.agent.job.step import run_step
from local.agent.session.outcomes import JobOutcome, StepOutcome
from local.agent.session.predefined import job_folders, job_variables
from local.agent.session.session import Session
from local.agent.session.task_result import Result

LOOKUP = "VSTS_PROCESS_LOOKUP_ID"


def run_job(
    session: Session,
    stage: Stage,
    job: Job,
    plan: Plan,
    *,
    stages: tuple[Stage, ...],
    number: int,
    definitions: tuple[VariableDefinition, ...],
) -> JobOutcome:
    """Run a job.

    Args:
        session: the run.
        stage: the job's stage.
        job: what to run.
        plan: the steps of all jobs with their tasks.
        stages: all of the run.
        number: counts the run's jobs; names the job's folder.
        definitions: variables of pipeline, stage and job, in this order, evaluated.
    """
    began, began_at = time.monotonic(), time.time()
    predefined = {**session.predefined, **job_variables(session, stage, job, number)}
    identity = predefined["System.JobId"]
    session.observer.job_started(stage, job, identity)
    predefined.update(session.observer.job_variables(identity))
    for folder in job_folders(predefined):
        folder.mkdir(parents=True, exist_ok=True)
    _empty(session.folders.temp)
    state = JobState(
        session=session,
        stage=stage,
        job=job,
        variables=Variables(session.masker),
        identity=identity,
        stages=stages,
        plan=plan,
        lookup=f"vsts_{uuid.uuid4()}",
        deadline=began + job.timeout_minutes * 60 if job.timeout_minutes else None,
        log_prefix=f"{number:02}",
    )
    _set_variables(state, predefined, definitions)
    try:
        outcomes, outputs = _run_steps(state, plan[stage.name, job.name])
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
) -> None:
    variables = state.variables
    for name, value in predefined.items():
        variables.set(name, value)
    for name, value in state.session.secrets.items():
        variables.set(name, value, secret=True)
    variables.set(LOOKUP, state.lookup)
    variables.set("System.AccessToken", state.session.access_token, secret=True)
    state.publish_status()
    for definition in definitions:
        variables.set(
            definition.name,
            definition.value,
            secret=definition.secret,
            read_only=definition.read_only,
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
