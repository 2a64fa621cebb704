"""A classic build definition as the portal exports it, as the model of a pipeline."""

from __future__ import annotations

from collections.abc import Mapping as Dict
from dataclasses import replace
from pathlib import Path

from local.agent.definition import classic
from local.agent.definition.document import Node
from local.agent.definition.fields import Fields
from local.agent.definition.graph import checked_graph
from local.agent.definition.model import (
    Job,
    Pipeline,
    Stage,
    Step,
)
from local.agent.definition.step_syntax import checkout_step, named, read_condition
from local.agent.definition.variable_groups import VariableGroups
from local.agent.definition.variable_syntax import overridden
from local.agent.expressions.contexts import JOB_CONDITION

_DEFINITION = (
    "id",
    "name",
    "path",
    "type",
    "uri",
    "url",
    "_links",
    "project",
    "queueStatus",
    "revision",
    "createdDate",
    "authoredBy",
    "draftOf",
    "drafts",
    "latestBuild",
    "latestCompletedBuild",
    "metrics",
    "quality",
    "queue",
    "badgeEnabled",
    "buildNumberFormat",
    "comment",
    "demands",
    "description",
    "dropLocation",
    "jobAuthorizationScope",
    "jobCancelTimeoutInMinutes",
    "jobTimeoutInMinutes",
    "options",
    "process",
    "processParameters",
    "properties",
    "repository",
    "retentionRules",
    "tags",
    "triggers",
    "variableGroups",
    "variables",
)
_PHASE = (
    "name",
    "refName",
    "condition",
    "dependencies",
    "steps",
    "target",
    "variables",
    "jobAuthorizationScope",
    "jobCancelTimeoutInMinutes",
    "jobTimeoutInMinutes",
)
_TARGET = (
    "type",
    "agentSpecification",
    "allowScriptsAuthAccessOption",
    "demands",
    "executionOptions",
    "queue",
)
_REPOSITORY = (
    "id",
    "type",
    "name",
    "url",
    "defaultBranch",
    "clean",
    "checkoutSubmodules",
    "rootFolder",
    "properties",
)
_PROCESSES = {"1": "designer", "2": "yaml", "3": "docker", "4": "justInTime"}
_TARGETS = {"1": "agent", "2": "server"}
_MULTIPLICATION = {"0": "none", "1": "variableMultipliers", "2": "multipleAgents"}


def read_build(
    path: Path,
    *,
    environment: dict[str, str],
    overrides: Dict[str, str],
    groups: VariableGroups | None = None,
) -> Pipeline:
    """Read a build definition.

    Args:
        path: the exported file.
        environment: the agent's, from which the values of secret variables are taken.
        overrides: variables of the command line.
        groups: where variable groups come from; by default there are none.

    Raises:
        AgentError: a mistake in the file, or something in it that only the service can do.
    """
    root = classic.load(path)
    if classic.is_release(root):
        message = "this is a release definition; run it with: agent release"
        raise root.place.error(message)
    what = "the build definition"
    fields = Fields(root, what, _DEFINITION)
    repository = fields.child("repository", "the repository", _REPOSITORY)
    jobs = _jobs(fields, _without_sources(repository))
    variables = (
        *classic.read_groups(fields, groups or VariableGroups()),
        *classic.read_process_parameters(fields),
        *classic.read_variables(fields, environment, overrides),
    )
    return Pipeline(
        path=path,
        name=fields.text("name") or path.stem,
        identity=fields.text("id") or "1",
        name_format=fields.text("buildNumberFormat"),
        default_branch=repository.text("defaultBranch"),
        variables=overridden(variables, overrides),
        stages=(Stage(name="__default", display_name="", jobs=jobs, place=root.place),),
    )


def _without_sources(repository: Fields) -> bool:
    properties = repository.texts("properties")
    return properties.get("skipSyncSource", "").lower() == "true"


def _jobs(fields: Fields, without_sources: bool) -> tuple[Job, ...]:
    known = ("type", "phases", "target", "resources", "yamlFilename")
    process = fields.child("process", "the process", known)
    kind = process.choice("type", _PROCESSES, "designer")
    if kind != "designer":
        file = process.text("yamlFilename")
        instead = f"run {file}" if file else "run its file"
        message = f"this definition's process is {kind}, not one of the designer; {instead}"
        raise process.error(message)
    jobs = [
        _job(node, fields, position, without_sources)
        for position, node in enumerate(process.items("phases"), start=1)
    ]
    if not jobs:
        raise fields.error("the build definition has no phases")
    return checked_graph(jobs, "job")


def _job(node: Node, definition: Fields, position: int, without_sources: bool) -> Job:
    fields = Fields(node, f"phase {position}", _PHASE)
    title = fields.text("name") or f"Phase {position}"
    classic.refuse_used(fields, "variables")
    server = _runs_on_server(fields, title)
    steps = named(
        (_step(one, position=at, job=title) for at, one in enumerate(fields.items("steps"), 1)),
        fields.place,
    )
    if not steps:
        raise fields.error(f"the job '{title}' has no steps")
    depends_on = []
    for item in fields.items("dependencies"):
        dependency = Fields(item, f"a dependency of '{title}'", ("scope", "event"))
        depends_on.append(dependency.text("scope"))

    def minutes(key: str, default: int) -> int:
        return fields.number(key, 0) or definition.number(key, default)

    return Job(
        name=fields.text("refName") or f"Job_{position}",
        display_name=title,
        steps=steps if without_sources or server else (checkout_step(), *steps),
        server=server,
        depends_on=tuple(depends_on),
        condition=read_condition(fields, JOB_CONDITION),
        timeout_minutes=minutes("jobTimeoutInMinutes", 60),
        cancel_timeout_minutes=minutes("jobCancelTimeoutInMinutes", 5),
        place=fields.place,
    )


def _runs_on_server(phase: Fields, title: str) -> bool:
    """Say whether a job runs without an agent; refuse one that runs several times."""
    target = phase.child("target", f"the target of '{title}'", _TARGET)
    known = ("type", "continueOnError", "maxConcurrency", "multipliers")
    execution = target.child("executionOptions", f"the execution options of '{title}'", known)
    if execution.choice("type", _MULTIPLICATION, "none") != "none":
        message = f"the job '{title}' runs several times; the local agent runs it once only"
        raise target.error(message + ": set its parallelism to none")
    return target.choice("type", _TARGETS, "agent") == "server"


def _step(node: Node, *, position: int, job: str) -> Step:
    keys = (*classic.STEP_KEYS, "displayName", "task")
    fields = Fields(node, f"step {position} of '{job}'", keys)
    title = fields.text("displayName") or f"step {position}"
    fields.what = f"the step '{title}'"
    known = ("id", "versionSpec", "definitionType")
    task = fields.child("task", f"the task of '{title}'", known)
    step = classic.read_step(
        fields, task, identity=task.text("id"), version=task.text("versionSpec")
    )
    return replace(step, display_name=title)
