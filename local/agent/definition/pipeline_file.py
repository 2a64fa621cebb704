"""From a pipeline file to its model: parameters, variables, stages and jobs, strictly read.

Key names: the public schema of azure-pipelines.yml (azure-pipelines-vscode service-schema.json,
v1.261.1).
"""

from __future__ import annotations

import re
from collections.abc import Mapping as Dict
from pathlib import Path

from local.agent.definition import document
from local.agent.definition.document import Mapping, Scalar
from local.agent.definition.fields import Fields
from local.agent.definition.graph import checked_graph
from local.agent.definition.model import (
    Job,
    Pipeline,
    Stage,
    Step,
)
from local.agent.definition.parameters import pipeline_parameters
from local.agent.definition.step_syntax import (
    DOWNLOAD,
    checkout_step,
    download_step,
    read_condition,
    read_steps,
)
from local.agent.definition.templates import Scope, expand
from local.agent.definition.variable_groups import VariableGroups
from local.agent.definition.variable_syntax import overridden, read_variables
from local.agent.expressions.contexts import JOB_CONDITION, STAGE_CONDITION

_COMMON = (
    "name",
    "trigger",
    "pr",
    "schedules",
    "parameters",
    "variables",
    "pool",
    "lockBehavior",
    "appendCommitMessageToRunName",
)
_LEVELS = ("stages", "jobs", "steps")
_REFUSED = (
    "resources",
    "phases",
    "queue",
    "server",
    "container",
    "services",
    "strategy",
    "template",
)
_STAGE = (
    "stage",
    "displayName",
    "dependsOn",
    "condition",
    "variables",
    "jobs",
    "pool",
    "lockBehavior",
    "isSkippable",
)
_JOB = (
    "displayName",
    "dependsOn",
    "condition",
    "continueOnError",
    "timeoutInMinutes",
    "cancelTimeoutInMinutes",
    "variables",
    "pool",
    "workspace",
)
_JOB_REFUSED = ("container", "services", "uses", "templateContext", "template")
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


def read_pipeline(
    path: Path,
    *,
    variables: Dict[str, str],
    overrides: Dict[str, str],
    parameters: Dict[str, str],
    repository: Path | None = None,
    groups: VariableGroups | None = None,
) -> Pipeline:
    """Read a pipeline file.

    Args:
        path: the file.
        variables: predefined variables known before the run.
        overrides: variables of the command line; they win over the file's top level.
        parameters: parameters of the command line, as YAML texts.
        repository: the folder with every template file; by default the file's own.
        groups: where variable groups come from; by default there are none.

    Raises:
        PipelineFileError: a mistake in the file, with its line.
        AgentError: a parameter of the command line is unknown or of the wrong type.
    """
    groups = VariableGroups() if groups is None else groups
    root = document.load(path)
    if not isinstance(root, Mapping):
        raise root.place.error("a pipeline must be a mapping with steps or jobs")
    scope = Scope(
        parameters=pipeline_parameters(root, parameters), variables=variables, overrides=overrides
    )
    tree = expand(root, scope, path.parent if repository is None else repository)
    fields = Fields(tree, "a pipeline", {*_COMMON, *_LEVELS}, _REFUSED)
    if _is_server(fields):
        raise fields.error("'pool: server' is for a job; write it in each job that needs no agent")
    present = [level for level in _LEVELS if fields.has(level)]
    if len(present) != 1:
        there = " and ".join(present) or "none of them"
        message = f"a pipeline needs one of stages, jobs or steps; here there is {there}"
        raise tree.place.error(message)
    return Pipeline(
        path=path,
        name=path.stem,
        name_format=fields.text("name"),
        variables=overridden(read_variables(fields, groups), overrides),
        stages=_stages(fields, present[0], groups),
    )


def _stages(fields: Fields, level: str, groups: VariableGroups) -> tuple[Stage, ...]:
    if level != "stages":
        jobs = _jobs(fields, groups) if level == "jobs" else (_single_job(fields),)
        return (Stage(name="__default", display_name="", jobs=jobs, place=fields.place),)
    stages: list[Stage] = []
    for position, node in enumerate(fields.items("stages"), start=1):
        refused = ("template", "trigger", "templateContext", "group", "checks")
        stage = Fields(node, "a stage", _STAGE, refused)
        name = _reference(stage, "stage") or f"Stage{position}"
        before = (stages[-1].name,) if stages else ()
        stages.append(
            Stage(
                name=name,
                display_name=stage.text("displayName") or name,
                jobs=_jobs(stage, groups),
                depends_on=_depends_on(stage, before),
                condition=read_condition(stage, STAGE_CONDITION),
                variables=read_variables(stage, groups),
                place=node.place,
            )
        )
    if not stages:
        raise fields.error("a pipeline needs stages; here there are none, or all are left out")
    return checked_graph(stages, "stage")


def _single_job(fields: Fields) -> Job:
    return Job(
        name="Job", display_name="Job", steps=_with_checkout(read_steps(fields)), place=fields.place
    )


def _jobs(fields: Fields, groups: VariableGroups) -> tuple[Job, ...]:
    jobs = []
    for position, node in enumerate(fields.items("jobs"), start=1):
        if isinstance(node, Mapping) and "deployment" in node:
            jobs.append(_deployment(node, position, groups))
            continue
        refused = (*_JOB_REFUSED, "strategy")
        job = Fields(node, "a job", (*_JOB, "job", "steps"), refused)
        name = _reference(job, "job") or f"Job{position}"
        jobs.append(_job(job, name, _steps(job), groups))
    if not jobs:
        raise fields.place.error(f"{fields.what} needs jobs")
    return checked_graph(jobs, "job")


def _job(
    fields: Fields,
    name: str,
    steps: tuple[Step, ...],
    groups: VariableGroups,
    environment: str | None = None,
) -> Job:
    return Job(
        name=name,
        display_name=fields.text("displayName") or name,
        steps=steps,
        depends_on=_depends_on(fields, ()),
        condition=read_condition(fields, JOB_CONDITION),
        continue_on_error=fields.boolean("continueOnError"),
        timeout_minutes=fields.number("timeoutInMinutes", 60),
        cancel_timeout_minutes=fields.number("cancelTimeoutInMinutes", 5),
        variables=read_variables(fields, groups),
        deployment=environment is not None,
        environment=environment or "",
        server=_is_server(fields),
        place=fields.place,
    )


def _deployment(node: Mapping, position: int, groups: VariableGroups) -> Job:
    what = "a deployment job"
    fields = Fields(node, what, (*_JOB, "deployment", "environment", "strategy"), _JOB_REFUSED)
    strategy = Fields(
        fields.get("strategy") or node, "a strategy", ("runOnce",), ("rolling", "canary")
    )
    refused = ("preDeploy", "routeTraffic", "postRouteTraffic", "on")
    run_once = Fields(strategy.get("runOnce") or node, "runOnce", ("deploy",), refused)
    deploy = Fields(run_once.get("deploy") or node, "deploy", ("steps",), ("pool",))
    environment = fields.get("environment")
    if isinstance(environment, Mapping):
        known = ("name", "resourceName", "resourceType", "resourceId", "tags")
        target = Fields(environment, "an environment", known).text("name")
    else:
        target = fields.text("environment")
    steps = read_steps(deploy)
    if not any(step.task == DOWNLOAD for step in steps):
        steps = (download_step(), *steps)
    name = _reference(fields, "deployment") or f"Deployment{position}"
    return _job(fields, name, _without_none(steps), groups, target)


def _is_server(fields: Fields) -> bool:
    pool = fields.get("pool")
    return isinstance(pool, Scalar) and pool.text.lower() == "server"


def _steps(job: Fields) -> tuple[Step, ...]:
    """Read a job's steps; a job without an agent has no sources."""
    steps = read_steps(job)
    return steps if _is_server(job) else _with_checkout(steps)


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
        if not (step.task == "checkout" and step.inputs["repository"] == "none")
        and not (step.task == DOWNLOAD and step.inputs.get("source") == "none")
    )


def _reference(fields: Fields, key: str) -> str:
    name = fields.text(key)
    if name and not _NAME.fullmatch(name):
        message = f"'{name}' cannot name {fields.what}: use letters, digits and underscores"
        raise fields.place.error(message)
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
            raise item.place.error("'dependsOn' must list names")
        names.append(item.text)
    return tuple(names)
