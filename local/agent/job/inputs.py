"""From a step's inputs as written to what its process finds in the environment.

The agent: src/Agent.Worker/TaskRunner.cs, Handlers/Handler.cs, Handlers/NodeHandler.cs.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping
from pathlib import Path

from local.agent.definition.model import Step
from local.agent.host.tasks import TaskDefinition
from local.agent.host.variables import (
    CaseInsensitive,
    Variables,
    environment_name,
    expand,
)
from local.agent.session.session import Session

WINDOWS = sys.platform == "win32"


def _on(session: Session, variables: Variables, knob: str) -> bool:
    value = variables.get(knob) or session.environment.get(knob) or ""
    return value.lower() in ("true", "1")


def resolve_inputs(
    step: Step, task: TaskDefinition | None, variables: Variables, session: Session
) -> dict[str, str]:
    """Return the step's inputs: defaults, values, expansion, file paths."""
    trim = not _on(session, variables, "DISABLE_INPUT_TRIMMING")
    given = task.resolve_aliases(step.inputs) if task is not None else dict(step.inputs)
    inputs: dict[str, str] = {}
    for declared in task.inputs if task is not None else ():
        inputs[declared.name] = declared.default
    names = {name.lower(): name for name in inputs}
    for name, value in given.items():
        inputs[names.get(name.lower(), name)] = value
    texts = variables.texts()
    for name, value in inputs.items():
        expanded = expand(value.strip() if trim else value, texts)
        if _on(session, variables, "AGENT_ENABLE_VARIABLE_INPUT_TRIMMING"):
            expanded = expanded.strip()
        inputs[name] = expand(expanded, process_environment(session))
    for declared in task.inputs if task is not None else ():
        if declared.type.lower() == "filepath":
            inputs[declared.name] = rooted(inputs[declared.name], variables)
        elif declared.type.lower().startswith("connectedservice:"):
            inputs[declared.name] = _connection_ids(inputs[declared.name], session)
    return inputs


def rooted(value: str, variables: Variables) -> str:
    """Return a ``filePath`` input as a full path; empty means the root.

    That is the sources', or in a release the artifacts' (GetRootedPath of the agent's
    src/Agent.Worker/Build/BuildJobExtension.cs and Release/ReleaseJobExtension.cs).
    """
    if WINDOWS:
        value = value.strip('"').replace("/", "\\")
    root = variables.get("Build.SourcesDirectory") or variables.get("System.ArtifactsDirectory")
    return os.path.normpath(Path(root or "") / value)


def _connection_ids(value: str, session: Session) -> str:
    """Replace connections' names by their GUIDs, as the service does."""
    known = {one.name.lower(): one.identity for one in session.connections}
    parts = [part.strip() for part in value.split(",")]
    return ",".join(known.get(part.lower(), part) for part in parts)


def process_environment(session: Session) -> Mapping[str, str]:
    """Return the agent's own environment, names compared as the platform compares them."""
    return CaseInsensitive(session.environment) if WINDOWS else session.environment


def step_environment(step: Step, variables: Variables, session: Session) -> dict[str, str]:
    """Return the step's own ``env``, expanded."""
    texts = variables.texts()
    return {
        name.strip(): expand(expand(value.strip(), texts), process_environment(session))
        for name, value in step.env.items()
        if name.strip()
    }


def task_environment(
    *,
    session: Session,
    own: Mapping[str, str],
    variables: Variables,
    task_variables: Variables,
    inputs: Mapping[str, str],
    endpoints: Mapping[str, str],
    prepend_path: list[str],
) -> dict[str, str]:
    """Return a task's whole environment; later entries win, in the agent's order."""
    environment = {**session.environment, **own}
    for variable in variables.public:
        if variable.name.lower() == "agent.jobstatus":
            environment[variable.name] = variable.value
        name = environment_name(variable.name, preserve_case=variable.preserve_case)
        environment[name] = variable.value
    environment["VSTS_PUBLIC_VARIABLES"] = json.dumps([v.name for v in variables.public])
    for variable in variables.private:
        name = environment_name(variable.name, preserve_case=variable.preserve_case)
        environment[f"SECRET_{name}"] = variable.value
    environment["VSTS_SECRET_VARIABLES"] = json.dumps([v.name for v in variables.private])
    for name, value in inputs.items():
        environment[f"INPUT_{environment_name(name)}"] = value
    environment.update(endpoints)
    for variable in (*task_variables.public, *task_variables.private):
        name = environment_name(variable.name, preserve_case=variable.preserve_case)
        environment[f"VSTS_TASKVARIABLE_{name}"] = variable.value
    if prepend_path:
        path = variables.get("PATH") or own.get("PATH") or session.environment.get("PATH") or ""
        environment["PATH"] = os.pathsep.join([*reversed(prepend_path), path])
    environment["TF_BUILD"] = "True"
    return environment


def script_environment(environment: Mapping[str, str]) -> dict[str, str]:
    """Return what a script sees: task-lib has moved inputs and secrets out of its sight."""
    hidden = ("INPUT_", "ENDPOINT_AUTH", "SECRET_", "SECUREFILE_TICKET_", "VSTS_TASKVARIABLE_")
    return {name: value for name, value in environment.items() if not name.startswith(hidden)}
