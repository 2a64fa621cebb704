"""From a pipeline file to its model: parameters, variables, stages and jobs, strictly read.

Key names: the public schema of azure-pipelines.yml (azure-pipelines-vscode service-schema.json,
v1.261.1).
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from collections.abc import Mapping as Dict
from pathlib import Path

from local.agent.definition import document
from local.agent.definition.document import Mapping, Scalar, Sequence
from local.agent.definition.fields import Fields
from local.agent.definition.model import (
    Job,
    Pipeline,
    Stage,
    Step,
    VariableDefinition,
)
from local.agent.definition.parameters import read_parameters
from local.agent.definition.step_syntax import (
    checkout_step,
    download_step,
    read_condition,
    read_steps,
)
from local.agent.definition.templates import Scope, expand
from local.agent.errors import PipelineFileError, nearest
from local.agent.expressions.contexts import JOB_CONDITION, STAGE_CONDITION, VARIABLE
from local.agent.expressions.language import check
from local.agent.expressions.values import ExpressionError

_COMMON = (
    *("name", "trigger", "pr", "schedules", "parameters", "variables", "pool"),
    *("lockBehavior", "appendCommitMessageToRunName"),
)
_LEVELS = ("stages", "jobs", "steps")
_REFUSED = (
    *("extends", "resources", "phases", "queue", "server", "container", "services"),
    *("strategy", "template"),
)
_STAGE = (
    *("stage", "displayName", "dependsOn", "condition", "variables", "jobs", "pool"),
    *("lockBehavior", "isSkippable"),
)
_JOB = (
    *("displayName", "dependsOn", "condition", "continueOnError", "timeoutInMinutes"),
    *("cancelTimeoutInMinutes", "variables", "pool", "workspace"),
)
_JOB_REFUSED = ("container", "services", "uses", "templateContext", "template")
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_RUNTIME = re.compile(r"\$\[(.*)\]", re.DOTALL)


def read_pipeline(
    path: Path,
    *,
    variables: Dict[str, str],
    overrides: Dict[str, str],
    parameters: Dict[str, str],
) -> Pipeline:
    """Read a pipeline file.

    Args:
        path: the file.
        variables: predefined variables known before the run.
        overrides: variables of the command line; they win over the file's top level.
        parameters: parameters of the command line, as YAML texts.

    Raises:
        PipelineFileError: a mistake in the file, with its line.
        AgentError: a parameter of the command line is unknown or of the wrong type.
    """
    root = document.load(path)
    if not isinstance(root, Mapping):
        raise PipelineFileError(path, root.line, "a pipeline must be a mapping with steps or jobs")
    typed = read_parameters(root, path, parameters)
    scope = Scope(parameters=typed, variables=variables, overrides=overrides)
    tree = expand(root, scope, path)
    fields = Fields(tree, path, "a pipeline", {*_COMMON, *_LEVELS}, _REFUSED)
    present = [level for level in _LEVELS if fields.has(level)]
    if len(present) != 1:
        stands = " and ".join(present) or "none of them"
        message = f"a pipeline needs one of stages, jobs or steps; here stands {stands}"
        raise PipelineFileError(path, tree.line, message)
    return Pipeline(
        path=path,
        name=path.stem,
        name_format=fields.text("name"),
        variables=overridden(_variables(fields), overrides),
        stages=_stages(fields, present[0]),
    )


def _variables(fields: Fields) -> tuple[VariableDefinition, ...]:
    node = fields.get("variables")
    if not isinstance(node, Sequence):
        return tuple(
            _variable(fields, fields.line, name, value)
            for name, value in fields.texts("variables").items()
        )
    found = []
    for item in node.items:
        what = "a variable (groups and templates live in the service; write name and value)"
        entry = Fields(
            item, fields.path, what, ("name", "value", "readonly"), ("group", "template")
        )
        if not entry.text("name"):
            raise PipelineFileError(fields.path, item.line, "a variable needs a name")
        found.append(
            _variable(
                fields,
                item.line,
                entry.text("name"),
                entry.text("value"),
                read_only=entry.boolean("readonly"),
            )
        )
    return tuple(found)


def _variable(
    fields: Fields, line: int, name: str, text: str, *, read_only: bool = False
) -> VariableDefinition:
    """Return a variable; its ``$[ ]`` is checked here, before anything runs."""
    match = _RUNTIME.fullmatch(text.strip())
    if match is not None:
        try:
            check(match[1], VARIABLE)
        except ExpressionError as error:
            raise PipelineFileError(fields.path, line, f"variable '{name}': {error}") from error
    return VariableDefinition(
        name=name,
        value=text if match is None else "",
        expression=None if match is None else match[1],
        read_only=read_only,
        line=line,
    )


def overridden(
    definitions: Iterable[VariableDefinition], overrides: Dict[str, str]
) -> tuple[VariableDefinition, ...]:
    """Return the top level's variables with those of the command line instead."""
    names = {name.lower() for name in overrides}
    kept = [one for one in definitions if one.name.lower() not in names]
    given = [VariableDefinition(name=name, value=value) for name, value in overrides.items()]
    return (*kept, *given)


def _stages(fields: Fields, level: str) -> tuple[Stage, ...]:
    if level != "stages":
        jobs = _jobs(fields) if level == "jobs" else (_single_job(fields),)
        return (Stage(name="__default", display_name="", jobs=jobs, line=fields.line),)
    stages: list[Stage] = []
    for position, node in enumerate(fields.items("stages"), start=1):
        refused = ("template", "trigger", "templateContext", "group", "checks")
        stage = Fields(node, fields.path, "a stage", _STAGE, refused)
        name = _reference(stage, "stage") or f"Stage{position}"
        before = (stages[-1].name,) if stages else ()
        stages.append(
            Stage(
                name=name,
                display_name=stage.text("displayName") or name,
                jobs=_jobs(stage),
                depends_on=_depends_on(stage, before),
                condition=read_condition(stage, STAGE_CONDITION),
                variables=_variables(stage),
                line=node.line,
            )
        )
    check_graph([(s.name, s.depends_on, s.line) for s in stages], fields.path, "stage")
    return tuple(stages)


def _single_job(fields: Fields) -> Job:
    return Job(
        name="Job", display_name="Job", steps=_with_checkout(read_steps(fields)), line=fields.line
    )


def _jobs(fields: Fields) -> tuple[Job, ...]:
    jobs = []
    for position, node in enumerate(fields.items("jobs"), start=1):
        if isinstance(node, Mapping) and "deployment" in node:
            jobs.append(_deployment(node, fields.path, position))
            continue
        refused = (*_JOB_REFUSED, "strategy")
        job = Fields(node, fields.path, "a job", (*_JOB, "job", "steps"), refused)
        name = _reference(job, "job") or f"Job{position}"
        jobs.append(_job(job, name, _with_checkout(read_steps(job))))
    if not jobs:
        raise PipelineFileError(fields.path, fields.line, f"{fields.what} needs jobs")
    check_graph([(j.name, j.depends_on, j.line) for j in jobs], fields.path, "job")
    return tuple(jobs)


def _job(fields: Fields, name: str, steps: tuple[Step, ...], environment: str | None = None) -> Job:
    pool = fields.get("pool")
    if isinstance(pool, Scalar) and pool.text.lower() == "server":
        message = "agentless jobs (pool: server) are not supported by the local agent"
        raise PipelineFileError(fields.path, pool.line, message)
    return Job(
        name=name,
        display_name=fields.text("displayName") or name,
        steps=steps,
        depends_on=_depends_on(fields, ()),
        condition=read_condition(fields, JOB_CONDITION),
        continue_on_error=fields.boolean("continueOnError"),
        timeout_minutes=fields.number("timeoutInMinutes", 60),
        cancel_timeout_minutes=fields.number("cancelTimeoutInMinutes", 5),
        variables=_variables(fields),
        deployment=environment is not None,
        environment=environment or "",
        line=fields.line,
    )


def _deployment(node: Mapping, path: Path, position: int) -> Job:
    what = "a deployment job"
    fields = Fields(
        node, path, what, (*_JOB, "deployment", "environment", "strategy"), _JOB_REFUSED
    )
    strategy = Fields(
        fields.get("strategy") or node, path, "a strategy", ("runOnce",), ("rolling", "canary")
    )
    refused = ("preDeploy", "routeTraffic", "postRouteTraffic", "on")
    run_once = Fields(strategy.get("runOnce") or node, path, "runOnce", ("deploy",), refused)
    deploy = Fields(run_once.get("deploy") or node, path, "deploy", ("steps",), ("pool",))
    environment = fields.get("environment")
    if isinstance(environment, Mapping):
        known = ("name", "resourceName", "resourceType", "resourceId", "tags")
        target = Fields(environment, path, "an environment", known).text("name")
    else:
        target = fields.text("environment")
    steps = read_steps(deploy)
    if not any(step.task.startswith("DownloadPipelineArtifact@") for step in steps):
        steps = (download_step(), *steps)
    name = _reference(fields, "deployment") or f"Deployment{position}"
    return _job(fields, name, _without_none(steps), target)


def _with_checkout(steps: tuple[Step, ...]) -> tuple[Step, ...]:
    """Put the checkout first that the service adds where the file names none."""
    if not any(step.task == "checkout" for step in steps):
        steps = (checkout_step(), *steps)
    return _without_none(steps)


def _without_none(steps: tuple[Step, ...]) -> tuple[Step, ...]:
    """Drop ``checkout: none`` and ``download: none``, which only suppress the automatic ones."""
    return tuple(
        step
        for step in steps
        if "none" not in (step.inputs.get("repository"), step.inputs.get("source"))
    )


def _reference(fields: Fields, key: str) -> str:
    name = fields.text(key)
    if name and not _NAME.fullmatch(name):
        message = f"'{name}' cannot name {fields.what}: use letters, digits and underscores"
        raise PipelineFileError(fields.path, fields.line, message)
    return name


def _depends_on(fields: Fields, default: tuple[str, ...]) -> tuple[str, ...]:
    node = fields.get("dependsOn")
    if node is None:
        return default
    if isinstance(node, Scalar):
        return (node.text,) if node.text else ()
    names = []
    for item in fields.items("dependsOn"):
        if not isinstance(item, Scalar):
            raise PipelineFileError(fields.path, item.line, "'dependsOn' must list names")
        names.append(item.text)
    return tuple(names)


def check_graph(members: list[tuple[str, tuple[str, ...], int]], path: Path, what: str) -> None:
    """Refuse repeated names, unknown dependencies and cycles."""
    names = [name for name, _, _ in members]
    for index, (name, depends_on, line) in enumerate(members):
        if name.lower() in (other.lower() for other in names[:index]):
            raise PipelineFileError(path, line, f"two {what}s are called '{name}'")
        for other in depends_on:
            if other not in names:
                hint = nearest(other, [one for one in names if one != name])
                message = f"the {what} '{name}' depends on '{other}', which does not exist; {hint}"
                raise PipelineFileError(path, line, message)
    waiting = {name: set(depends_on) for name, depends_on, _ in members}
    while free := [name for name, depends_on in waiting.items() if not depends_on & set(waiting)]:
        for name in free:
            del waiting[name]
    if waiting:
        line = next(line for name, _, line in members if name in waiting)
        message = f"these {what}s wait for each other: {', '.join(waiting)}"
        raise PipelineFileError(path, line, message)
