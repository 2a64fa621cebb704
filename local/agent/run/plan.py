"""Checks before anything runs: tasks, their inputs and service connections exist."""

from __future__ import annotations

from pathlib import Path

from local.agent.definition.model import (
    Job,
    Pipeline,
    Stage,
    Step,
)
from local.agent.errors import PipelineFileError, Place, nearest
from local.agent.host.connection import DEFAULT_SETTINGS, Connection
from local.agent.host.tasks import (
    HANDLERS,
    TaskDefinition,
    find,
    unknown,
)
from local.agent.host.variables import CaseInsensitive, expand
from local.agent.job.builtin import BUILT_IN, CHOICES, built_in
from local.agent.job.planned_step import Plan, PlannedStep


def make_plan(
    pipeline: Pipeline,
    tasks: list[TaskDefinition],
    connections: tuple[Connection, ...],
    predefined: dict[str, str],
    *,
    callbacks: bool,
) -> Plan:
    """Return the enabled steps by stage and job name.

    Args:
        pipeline: what runs.
        tasks: those of the .vsix.
        connections: the service connections.
        predefined: variables that every job starts with.
        callbacks: whether there is an organisation that hears of the end of a step from outside.

    Raises:
        PipelineFileError: a step asks for a task, a handler or a connection that is not there.
    """
    plan: Plan = {}
    for stage in pipeline.stages:
        for job in stage.jobs:
            static = _static_variables(pipeline, stage, job, predefined)
            plan[stage.name, job.name] = tuple(
                _planned(step, job, pipeline.path, tasks, connections, static, callbacks)
                for step in job.steps
                if step.enabled
            )
    return plan


def needs_node(plan: Plan) -> bool:
    """Say whether any step runs a task of the .vsix."""
    steps = (step for steps in plan.values() for step in steps)
    return any(step.task is not None and step.http_request is None for step in steps)


def _static_variables(
    pipeline: Pipeline, stage: Stage, job: Job, predefined: dict[str, str]
) -> CaseInsensitive:
    merged = dict(predefined)
    for definition in (*pipeline.variables, *stage.variables, *job.variables):
        merged[definition.name] = definition.value
    return CaseInsensitive(merged)


def _planned(
    step: Step,
    job: Job,
    path: Path,
    tasks: list[TaskDefinition],
    connections: tuple[Connection, ...],
    variables: CaseInsensitive,
    callbacks: bool,
) -> PlannedStep:
    task = find(tasks, step.task) if "@" in step.task else None
    if job.server:
        task = _server_task(step, path, task, callbacks)
    if task is None:
        key = built_in(step.task)
        if key is None:
            raise _error(path, step, unknown(tasks, step.task, CHOICES))
        _check_built_in_inputs(key, step, path)
        return PlannedStep(step=step, label=key, built_in=key)
    _check_inputs(task, step, path)
    if not job.server:
        _check_handlers(task, step, path)
    given = task.resolve_aliases(step.inputs)
    written = {task.input_name(name): name for name in step.inputs}
    for declared in task.inputs:
        if declared.type.lower().startswith("connectedservice:"):
            value = expand(given.get(declared.name, declared.default), variables)
            for name in filter(None, (part.strip() for part in value.split(","))):
                key = written.get(declared.name, declared.name)
                _check_connection(name, key, step, path, connections)
    request = task.http_request if job.server else None
    return PlannedStep(step=step, label=task.label, task=task, http_request=request)


def _server_task(
    step: Step, path: Path, task: TaskDefinition | None, callbacks: bool
) -> TaskDefinition:
    """Return the task of a step in a job without an agent."""
    if task is None:
        message = f"the task {step.task} cannot run without an agent, as 'pool: server' asks"
        raise _error(path, step, f"{message}; give the job an agent, or use another task")
    if "server" not in (one.lower() for one in task.runs_on) or task.http_request is None:
        where = " and ".join(task.runs_on) or "Agent"
        message = f"the task {task.label} runs on {where}, not in a job with 'pool: server'"
        raise _error(path, step, message)
    if task.http_request.waits and not callbacks:
        message = f"the task {task.label} waits for a callback, which only an organisation hears"
        raise _error(
            path, step, f"{message}; start the local Azure (dev.py azure) and source its env file"
        )
    return task


def _check_handlers(task: TaskDefinition, step: Step, path: Path) -> None:
    """Refuse a task that no agent can run."""
    if task.runs_on and "agent" not in (one.lower() for one in task.runs_on):
        where = " and ".join(task.runs_on)
        message = f"the task {task.label} runs on {where}, not on an agent"
        raise _error(path, step, message)
    for execution, handler in task.handlers.items():
        if handler is None:
            message = (
                f"the task {task.label} has no {execution} handler for {' or '.join(HANDLERS)}"
            )
            raise _error(path, step, f"{message}, which are the only ones that agents run")


def _check_inputs(task: TaskDefinition, step: Step, path: Path) -> None:
    """Refuse inputs that the task does not have, and two names of one input."""
    names = task.input_names
    written: dict[str, str] = {}
    for name in step.inputs:
        declared = names.get(name.strip().lower())
        if declared is None:
            preferred = [(*one.aliases, one.name)[0] for one in task.inputs]
            message = f"the task {task.label} has no input '{name}'; {nearest(name, preferred)}"
            raise _error(path, step, message, step.input_places.get(name))
        if declared in written:
            message = f"the inputs '{written[declared]}' and '{name}' of {task.label} are the same"
            raise _error(path, step, f"{message}; keep one", step.input_places.get(name))
        written[declared] = name


def _check_built_in_inputs(key: str, step: Step, path: Path) -> None:
    """Refuse inputs that a built-in task does not have, or that the local agent ignores."""
    task = BUILT_IN[key]
    known = {name.lower() for name in task.inputs}
    unsupported = {name.lower() for name in task.unsupported}
    for name, value in step.inputs.items():
        place = step.input_places.get(name)
        if name.strip().lower() in unsupported:
            if value.strip().lower() in ("", "false"):
                continue
            message = f"the input '{name}' of {key} is not supported by the local agent; remove it"
            raise _error(path, step, message, place)
        if name.strip().lower() not in known:
            message = f"the task {key} has no input '{name}'; {nearest(name, task.inputs)}"
            raise _error(path, step, message, place)


def _check_connection(
    name: str, key: str, step: Step, path: Path, connections: tuple[Connection, ...]
) -> None:
    place = step.input_places.get(key)
    if not connections:
        settings = ", ".join(DEFAULT_SETTINGS)
        message = (
            f"Step {step.name} input {key} references service connection {name}, and there "
            f"is none: set {settings} in the environment of the agent"
        )
        raise _error(path, step, message, place)
    if not any(name.lower() in (one.name.lower(), one.identity) for one in connections):
        there = ", ".join(f"'{one.name}'" for one in connections)
        message = (
            f"Step {step.name} input {key} references service connection {name} which could "
            f"not be found; there is {there}"
        )
        raise _error(path, step, message, place)


def _error(path: Path, step: Step, message: str, place: Place | None = None) -> PipelineFileError:
    """Return an error at a place or the step's, or with its name where there are no lines."""
    place = place or step.place or Place(path)
    name = "" if place.line else f"step '{step.display_name}': "
    return place.error(name + message)
