"""Running a pipeline: stages and jobs in dependency order, one after the other.

Order and conditions: MicrosoftDocs/azure-devops-docs docs/pipelines/process/stages.md, phases.md
and conditions.md.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Protocol, TypeVar

from local.agent.definition.model import (
    Job,
    Pipeline,
    Stage,
    VariableDefinition,
)
from local.agent.expressions import language
from local.agent.expressions.language import Context
from local.agent.expressions.values import ExpressionError, Value
from local.agent.host.variables import CaseInsensitive
from local.agent.job.job import run_job
from local.agent.job.planned_step import Plan, PlannedStep
from local.agent.run.json_report import run_result
from local.agent.session.dependencies import (
    JobOutcome,
    StageOutcome,
    StepOutcome,
    graph_functions,
    job_value,
    stage_dependency,
    stage_value,
)
from local.agent.session.session import Session
from local.agent.session.task_result import Result, roll_up


class _Node(Protocol):
    @property
    def name(self) -> str: ...

    @property
    def depends_on(self) -> tuple[str, ...]: ...


_N = TypeVar("_N", bound=_Node)
# EnvironmentStatus of the release REST interface.
_STATUS = {
    Result.Succeeded: "Succeeded",
    Result.SucceededWithIssues: "PartiallySucceeded",
    Result.Failed: "Rejected",
    Result.Canceled: "Canceled",
    Result.Skipped: "NotStarted",
}


def run_pipeline(pipeline: Pipeline, plan: Plan, session: Session) -> list[StageOutcome]:
    """Run every stage whose condition holds; each step's log goes to the console."""
    outcomes: dict[str, StageOutcome] = {}
    numbers = iter(range(1, 10_000))
    session.report.started(session.build_number)
    for stage in in_order(pipeline.stages):
        session.report.stage_started(stage)
        _tell_status(session, stage, "InProgress")
        outcome = _run_stage(pipeline, stage, plan, session, outcomes, numbers)
        _tell_status(session, stage, _STATUS[outcome.result])
        session.report.stage_ended(outcome)
        outcomes[stage.name] = outcome
    ended = [outcomes[stage.name] for stage in pipeline.stages]
    session.report.ended(run_result(ended, session))
    return ended


def _tell_status(session: Session, stage: Stage, status: str) -> None:
    """Let a release's later jobs see how a stage stands."""
    if session.release is not None:
        session.predefined[f"Release.Environments.{stage.name}.status"] = status


def in_order(nodes: Sequence[_N]) -> Iterator[_N]:
    """Yield nodes after those they depend on, otherwise as they stand in the file."""
    waiting = list(nodes)
    done: set[str] = set()
    while waiting:
        node = next(one for one in waiting if set(one.depends_on) <= done)
        waiting.remove(node)
        done.add(node.name)
        yield node


def upstream(node: _N, nodes: Sequence[_N], results: Mapping[str, Result]) -> dict[str, Result]:
    """Return the results of all direct and indirect dependencies of a node."""
    by_name = {one.name: one for one in nodes}
    found: dict[str, Result] = {}
    waiting = list(node.depends_on)
    while waiting:
        name = waiting.pop()
        if name not in found:
            found[name] = results[name]
            waiting += by_name[name].depends_on
    return found


def _holds(condition: str | None, context: Context, what: str, session: Session) -> bool | None:
    """Evaluate a stage's or job's condition; None when it cannot be evaluated."""
    try:
        return language.condition(condition or "succeeded()", context)
    except ExpressionError as error:
        session.console.line("", f"##[error]{what}: {error}")
        return None


def _texts(session: Session, definitions: Sequence[VariableDefinition]) -> CaseInsensitive:
    merged = dict(session.predefined)
    merged.update({definition.name: definition.value for definition in definitions})
    return CaseInsensitive(merged)


def _run_stage(
    pipeline: Pipeline,
    stage: Stage,
    plan: Plan,
    session: Session,
    before: Mapping[str, StageOutcome],
    numbers: Iterator[int],
) -> StageOutcome:
    began = time.monotonic()
    canceled = session.cancellation.requested.is_set()
    title = stage.display_name or "(default)"
    results = {name: outcome.result for name, outcome in before.items()}
    definitions = (*pipeline.variables, *stage.variables)
    context = Context(
        values={
            "variables": _texts(session, definitions),
            "dependencies": {name: stage_value(before[name]) for name in stage.depends_on},
            "pipeline": {},
        },
        functions=graph_functions(upstream(stage, pipeline.stages, results), canceled=canceled),
    )
    holds = _holds(stage.condition, context, f"stage {stage.name}", session)
    jobs: dict[str, JobOutcome] = {}
    refused = Result.Skipped if holds is False else Result.Failed
    if holds and (rejected := _rejected(stage, "before", session)):
        holds, refused = False, rejected
    if holds:
        if pipeline.stages[0].name != "__default":
            session.console.line("stage", title)
        dependencies: Value = {name: stage_dependency(before[name]) for name in stage.depends_on}
        for job in in_order(stage.jobs):
            jobs[job.name] = _run_job(
                pipeline, stage, job, plan, session, jobs, dependencies, numbers
            )
        result = roll_up(outcome.result for outcome in jobs.values())
        if result in (Result.Succeeded, Result.SucceededWithIssues):
            result = _rejected(stage, "after", session) or result
    else:
        result = refused
        session.console.line("stage", f"{title}: {result.json_name}")
        for job in stage.jobs:
            jobs[job.name] = _not_run(job, plan[stage.name, job.name], Result.Skipped)
            session.report.job_ended(stage, jobs[job.name])
    return StageOutcome(
        name=stage.name,
        display_name=stage.display_name,
        result=result,
        seconds=time.monotonic() - began,
        jobs=list(jobs.values()),
    )


def _rejected(stage: Stage, when: str, session: Session) -> Result | None:
    """Ask a stage's approvers; None when they agree, else the result that the stage gets."""
    interrupted = session.cancellation.requested.is_set
    if session.approvals.grant(stage, when, session.console, interrupted):
        return None
    return Result.Canceled if interrupted() else Result.Failed


def _not_run(job: Job, steps: Sequence[PlannedStep], result: Result) -> JobOutcome:
    """Return the outcome of a job whose condition did not hold."""
    return JobOutcome(
        name=job.name,
        display_name=job.display_name,
        result=result,
        seconds=0.0,
        steps=[
            StepOutcome(
                name=planned.step.name,
                display_name=planned.step.display_name,
                task=planned.label,
                result=Result.Skipped,
                seconds=0.0,
            )
            for planned in steps
        ],
    )


def _run_job(
    pipeline: Pipeline,
    stage: Stage,
    job: Job,
    plan: Plan,
    session: Session,
    before: Mapping[str, JobOutcome],
    stage_dependencies: Value,
    numbers: Iterator[int],
) -> JobOutcome:
    canceled = session.cancellation.requested.is_set()
    definitions = (*pipeline.variables, *stage.variables, *job.variables)
    results = {name: outcome.result for name, outcome in before.items()}
    functions: Mapping[str, tuple[int, int, Callable[[Sequence[Value]], Value]]] = graph_functions(
        upstream(job, stage.jobs, results), canceled=canceled
    )
    values: dict[str, Value] = {
        "variables": _texts(session, definitions),
        "dependencies": {name: job_value(before[name]) for name in job.depends_on},
        "stageDependencies": stage_dependencies,
        "pipeline": {},
    }
    context = Context(values=values, functions=functions)
    holds = _holds(job.condition, context, f"job {job.name}", session)
    if not holds:
        result = Result.Skipped if holds is False else Result.Failed
        session.console.line("job", f"{job.display_name}: {result.json_name}")
        skipped = _not_run(job, plan[stage.name, job.name], result)
        session.report.job_ended(stage, skipped)
        return skipped
    session.console.line("job", job.display_name)
    outcome = run_job(
        session,
        stage,
        job,
        plan[stage.name, job.name],
        number=next(numbers),
        definitions=definitions,
        context=Context(values=values),
    )
    session.report.job_ended(stage, outcome)
    if outcome.result not in (Result.Succeeded, Result.Skipped):
        session.console.line("job", f"{job.display_name}: {outcome.result.json_name}")
    return outcome
