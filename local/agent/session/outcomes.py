"""The outcomes of steps, jobs and stages, and how expressions see them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from local.agent.expressions import contexts
from local.agent.expressions.functions import Function
from local.agent.expressions.language import Context
from local.agent.expressions.values import Value, to_string
from local.agent.session.issue import Issue
from local.agent.session.task_result import Result

_GOOD = (Result.Succeeded, Result.SucceededWithIssues)


@dataclass(frozen=True, kw_only=True)
class StepOutcome:
    """How a step ended; ``outputs`` has no secrets."""

    name: str
    display_name: str
    task: str
    result: Result
    seconds: float
    outputs: Mapping[str, str] = field(default_factory=dict)
    issues: Sequence[Issue] = ()


@dataclass(frozen=True, kw_only=True)
class JobOutcome:
    """How a job ended; ``outputs`` maps ``step.variable`` to its value, secrets included."""

    name: str
    display_name: str
    result: Result
    seconds: float
    outputs: Mapping[str, str] = field(default_factory=dict)
    steps: Sequence[StepOutcome] = ()


@dataclass(frozen=True, kw_only=True)
class StageOutcome:
    """How a stage ended."""

    name: str
    display_name: str
    result: Result
    seconds: float
    jobs: Sequence[JobOutcome] = ()


def job_value(job: JobOutcome) -> Value:
    """Return a job as ``dependencies.<job>`` shows it."""
    return {"result": job.result.name, "outputs": dict(job.outputs)}


def stage_value(stage: StageOutcome) -> Value:
    """Return a stage as ``dependencies.<stage>`` shows it: outputs under ``job.step.variable``."""
    outputs = {
        f"{job.name}.{name}": value for job in stage.jobs for name, value in job.outputs.items()
    }
    return {"result": stage.result.name, "outputs": dict(outputs)}


def stage_dependency(stage: StageOutcome) -> Value:
    """Return a stage as ``stageDependencies.<stage>`` shows it: its jobs."""
    return {job.name: job_value(job) for job in stage.jobs}


def graph_functions(upstream: Mapping[str, Result], *, canceled: bool) -> Mapping[str, Function]:
    """Return the status functions of a stage's or job's condition.

    Args:
        upstream: results of all direct and indirect dependencies by name.
        canceled: whether the run was canceled.
    """

    def chosen(names: Sequence[Value]) -> list[Result]:
        wanted = [to_string(name).lower() for name in names]
        if not wanted:
            return list(upstream.values())
        return [result for name, result in upstream.items() if name.lower() in wanted]

    return contexts.graph_functions(
        {
            "always": lambda _: True,
            "canceled": lambda _: canceled,
            "failed": lambda names: Result.Failed in chosen(names),
            "succeeded": lambda names: (
                not canceled and all(result in _GOOD for result in chosen(names))
            ),
            "succeededorfailed": lambda _: not canceled,
        }
    )


def step_context(status: Result | None, variables: Mapping[str, str]) -> Context:
    """Return what a step's condition sees.

    The agent: src/Agent.Worker/ExpressionManager.cs; no status counts as Succeeded.
    """
    now = Result.Succeeded if status is None else status
    return Context(
        values={"variables": variables},
        functions=contexts.step_functions(
            {
                "always": lambda _: True,
                "canceled": lambda _: now is Result.Canceled,
                "failed": lambda _: now is Result.Failed,
                "succeeded": lambda _: now in _GOOD,
                "succeededorfailed": lambda _: now in (*_GOOD, Result.Failed),
            }
        ),
    )
