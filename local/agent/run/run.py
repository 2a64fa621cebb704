"""Running a pipeline: stages and jobs in dependency order, one after the other.

Order and conditions: MicrosoftDocs/azure-devops-docs docs/pipelines/process/stages.md, phases.md
and conditions.md.
"""

from __future__ import annotations

import itertools
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol, TypeVar

from local.agent.definition.model import (
    Job,
    Pipeline,
    Stage,
    VariableDefinition,
    all_variables,
)
from local.agent.expressions import language
from local.agent.expressions.language import Context
from local.agent.expressions.values import ExpressionError, Value
from local.agent.job.job import run_job
from local.agent.job.planned_step import Plan, PlannedStep
from local.agent.run.json_report import run_result
from local.agent.run.scope import Scope
from local.agent.session.outcomes import (
    JobOutcome,
    StageOutcome,
    StepOutcome,
    graph_functions,
    job_value,
    stage_dependency,
    stage_value,
)
from local.agent.session.predefined import known_to_service, phase_variables, stage_variables
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
    try:
        return _PipelineRun(pipeline=pipeline, plan=plan, session=session).run()
    finally:
        if session.open_run is not None:
            session.open_run.unlink(missing_ok=True)


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


@dataclass(kw_only=True)
class _PipelineRun:
    """A running pipeline: the stages that have ended, and the number of the next job."""

    pipeline: Pipeline
    plan: Plan
    session: Session
    stages: dict[str, StageOutcome] = field(default_factory=dict)
    job_numbers: Iterator[int] = field(default_factory=lambda: itertools.count(1))

    def run(self) -> list[StageOutcome]:
        session = self.session
        session.observer.started(session.build_number)
        scope = self._scope()
        for stage in in_order(self.pipeline.stages):
            session.observer.stage_started(stage)
            self._tell_status(stage, "InProgress")
            outcome = self._stage(stage, scope)
            self._tell_status(stage, _STATUS[outcome.result])
            session.observer.stage_ended(outcome)
            self.stages[stage.name] = outcome
        ended = [self.stages[stage.name] for stage in self.pipeline.stages]
        session.observer.ended(run_result(ended, session))
        return ended

    def _scope(self) -> Scope | None:
        """Return the run's variables, None when one of them cannot be evaluated."""
        session = self.session
        predefined = known_to_service(session.predefined)
        scope = Scope(
            predefined=predefined,
            started=session.started,
            counters=session.counters,
        )
        secrets = [
            VariableDefinition(name=name, value=value, secret=True)
            for name, value in session.secrets.items()
        ]
        for definition in all_variables(self.pipeline):
            if scope.is_taken(definition):
                message = f"the variable '{definition.name}' is set by the service itself"
                session.console.line("", f"##[warning]{message}; the value in the file is ignored")
        try:
            return scope.of_run((*secrets, *self.pipeline.variables))
        except ExpressionError as error:
            self._show_error(str(error))
            return None

    def _tell_status(self, stage: Stage, status: str) -> None:
        """Let later jobs of a release see the status of a stage."""
        if self.session.release is not None:
            self.session.predefined[f"Release.Environments.{stage.name}.status"] = status

    def _show_error(self, text: str) -> None:
        self.session.console.line("", f"##[error]{text}")

    def _stage(self, stage: Stage, pipeline_scope: Scope | None) -> StageOutcome:
        began = time.monotonic()
        jobs: dict[str, JobOutcome] = {}
        scope = None if pipeline_scope is None else self._stage_scope(stage, pipeline_scope)
        result = Result.Failed if scope is None else self._stage_starts(stage, scope)
        if scope is not None and result is None:
            if self.pipeline.stages[0].name != "__default":
                self.session.console.line("stage", stage.display_name)
            for job in in_order(stage.jobs):
                jobs[job.name] = self._job(stage, job, scope, jobs)
            result = roll_up(outcome.result for outcome in jobs.values())
            if result in (Result.Succeeded, Result.SucceededWithIssues):
                result = self._rejected(stage, "after") or result
        else:
            result = Result.Failed if result is None else result
            title = stage.display_name or "(default)"
            self.session.console.line("stage", f"{title}: {result.json_name}")
            for job in stage.jobs:
                jobs[job.name] = self._not_run(stage, job, Result.Skipped)
        return StageOutcome(
            name=stage.name,
            display_name=stage.display_name,
            result=result,
            seconds=time.monotonic() - began,
            jobs=list(jobs.values()),
        )

    def _stage_scope(self, stage: Stage, scope: Scope) -> Scope | None:
        """Return a stage's variables, None when one of them cannot be evaluated."""
        before = {name: self.stages[name] for name in stage.depends_on}
        dependencies: dict[str, Value] = {
            "dependencies": {name: stage_value(outcome) for name, outcome in before.items()},
            "stageDependencies": {
                name: stage_dependency(outcome) for name, outcome in before.items()
            },
        }
        try:
            # The stages of a release see how those before them stand.
            predefined = {**known_to_service(self.session.predefined), **stage_variables(stage)}
            return scope.inside(predefined, stage.variables, dependencies)
        except ExpressionError as error:
            self._show_error(f"stage {stage.name}: {error}")
            return None

    def _stage_starts(self, stage: Stage, scope: Scope) -> Result | None:
        """Return None when a stage starts, else its result."""
        results = {name: outcome.result for name, outcome in self.stages.items()}
        dependencies = {name: stage_value(self.stages[name]) for name in stage.depends_on}
        context = Context(
            values={**scope.values, "dependencies": dependencies},
            functions=graph_functions(
                upstream(stage, self.pipeline.stages, results), canceled=self._canceled
            ),
        )
        result = self._condition(stage.condition, context, f"stage {stage.name}")
        return self._rejected(stage, "before") if result is None else result

    @property
    def _canceled(self) -> bool:
        return self.session.cancellation.requested.is_set()

    def _condition(self, condition: str | None, context: Context, what: str) -> Result | None:
        """Return None when a condition holds, else the result of what does not start."""
        try:
            holds = language.condition(condition or "succeeded()", context)
        except ExpressionError as error:
            self._show_error(f"{what}: {error}")
            return Result.Failed
        return None if holds else Result.Skipped

    def _rejected(self, stage: Stage, when: str) -> Result | None:
        """Ask a stage's approvers; None when they agree, else the result that the stage gets."""
        session = self.session
        interrupted = session.cancellation.requested.is_set
        if session.approvals.grant(stage, when, session.console, interrupted):
            return None
        return Result.Canceled if interrupted() else Result.Failed

    def _job(
        self, stage: Stage, job: Job, stage_scope: Scope, before: Mapping[str, JobOutcome]
    ) -> JobOutcome:
        dependencies: dict[str, Value] = {
            "dependencies": {name: job_value(before[name]) for name in job.depends_on},
            "stageDependencies": {
                name: stage_dependency(self.stages[name]) for name in stage.depends_on
            },
        }
        try:
            scope = stage_scope.inside(phase_variables(job), job.variables, dependencies)
        except ExpressionError as error:
            self._show_error(f"job {job.name}: {error}")
            return self._not_run(stage, job, Result.Failed)
        results = {name: outcome.result for name, outcome in before.items()}
        context = Context(
            values={**scope.values, **dependencies},
            functions=graph_functions(upstream(job, stage.jobs, results), canceled=self._canceled),
        )
        result = self._condition(job.condition, context, f"job {job.name}")
        if result is not None:
            self.session.console.line("job", f"{job.display_name}: {result.json_name}")
            return self._not_run(stage, job, result)
        return self._run_job(stage, job, scope)

    def _run_job(self, stage: Stage, job: Job, scope: Scope) -> JobOutcome:
        session = self.session
        session.console.line("job", job.display_name)
        outcome = run_job(
            session,
            stage,
            job,
            self.plan,
            stages=self.pipeline.stages,
            number=next(self.job_numbers),
            definitions=scope.definitions,
        )
        session.observer.job_ended(stage, outcome)
        if outcome.result not in (Result.Succeeded, Result.Skipped):
            session.console.line("job", f"{job.display_name}: {outcome.result.json_name}")
        return outcome

    def _not_run(self, stage: Stage, job: Job, result: Result) -> JobOutcome:
        """Report a job that does not start, and return its outcome."""
        steps: Sequence[PlannedStep] = self.plan[stage.name, job.name]
        outcome = JobOutcome(
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
        self.session.observer.job_ended(stage, outcome)
        return outcome
