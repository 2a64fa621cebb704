"""What classic build and release definitions share: variables, groups and tasks.

Keys: the classes of azure-devops 7.1.0b4 (azure/devops/v7_1/build/models.py, release/models.py),
and what exports of the portal have beside them.
"""

from __future__ import annotations

from collections.abc import Mapping as Dict
from pathlib import Path

from local.agent.definition import document
from local.agent.definition.document import Mapping, Node, Scalar
from local.agent.definition.fields import Fields
from local.agent.definition.model import Step, VariableDefinition
from local.agent.definition.step_syntax import read_condition, read_reference
from local.agent.definition.variable_groups import VariableGroups
from local.agent.errors import AgentError, PipelineFileError
from local.agent.expressions.contexts import STEP_CONDITION
from local.agent.host.variables import environment_name

STEP_KEYS = (
    "refName",
    "enabled",
    "continueOnError",
    "alwaysRun",
    "condition",
    "timeoutInMinutes",
    "retryCountOnTaskFailure",
    "inputs",
    "environment",
    "overrideInputs",
)
_PROCESS_PARAMETER = (
    "name",
    "label",
    "defaultValue",
    "type",
    "required",
    "helpMarkDown",
    "groupName",
    "options",
    "properties",
    "visibleRule",
    "aliases",
    "validation",
)
_VARIABLE_GROUP = (
    "id",
    "name",
    "alias",
    "type",
    "description",
    "variables",
    "isShared",
    "createdBy",
    "createdOn",
    "modifiedBy",
    "modifiedOn",
    "providerData",
    "variableGroupProjectReferences",
)
_GROUP = "metaTask"


def load(path: Path) -> Mapping:
    """Read a definition.

    Raises:
        PipelineFileError: the file is no JSON object, or a definition of another kind.
    """
    root = document.load_json(path)
    if not isinstance(root, Mapping):
        raise PipelineFileError(path, 0, "a definition must be a JSON object")
    return root


def is_release(definition: Mapping) -> bool:
    """Say whether a definition is one of a release; a build's has a process instead of stages."""
    return definition.get("environments") is not None


def read_variables(
    fields: Fields, environment: dict[str, str], overrides: Dict[str, str]
) -> tuple[VariableDefinition, ...]:
    """Read ``variables``.

    Args:
        fields: the definition, or a stage of it.
        environment: where the values of secret variables come from, which no export has; they
            are taken out of it, so that no step inherits them.
        overrides: the command line's variables: what is overridden needs no value.

    Raises:
        PipelineFileError: an entry is no variable.
        AgentError: a secret variable has no value.
    """
    node = fields.get("variables")
    if node is None or (isinstance(node, Scalar) and not node.text):
        return ()
    if not isinstance(node, Mapping):
        raise node.place.error(f"'variables' of {fields.what} must be an object")
    given = {name.lower() for name in overrides}
    found = []
    for name, value in node.entries:
        keys = ("value", "allowOverride", "isSecret")
        one = Fields(value, f"the variable '{name.text}'", keys)
        secret = one.boolean("isSecret")
        text = one.text("value")
        if secret and name.text.lower() in given:
            raise AgentError(
                f"--variable {name.text}: the variable is a secret, and every process of this "
                f"machine can read arguments; set {environment_name(name.text)} in the agent's "
                "environment instead"
            )
        if secret and not text:
            text = environment.pop(environment_name(name.text), "")
            if not text:
                message = f"the secret variable '{name.text}' has no value, as in every export"
                raise AgentError(
                    f"{fields.path}: {message}; set {environment_name(name.text)} in the agent's "
                    "environment"
                )
        found.append(VariableDefinition(name=name.text, value=text, secret=secret))
    return tuple(found)


def read_groups(fields: Fields, groups: VariableGroups) -> tuple[VariableDefinition, ...]:
    """Return the variables of the groups that a definition or a stage is linked to.

    A build definition has their names, a release their ids.

    Raises:
        PipelineFileError: a group is unknown.
    """
    found: list[VariableDefinition] = []
    for node in fields.items("variableGroups"):
        if isinstance(node, Scalar):
            found += groups.read(node.text, node.place)
            continue
        one = Fields(node, "a variable group", _VARIABLE_GROUP)
        found += groups.read(one.text("name") or one.text("id"), node.place)
    return tuple(found)


def read_process_parameters(fields: Fields) -> tuple[VariableDefinition, ...]:
    """Return the process parameters of a definition or a stage, which tasks read as variables.

    A task's input holds ``$(Parameters.<name>)`` where it is linked to one.

    Raises:
        PipelineFileError: an entry is no parameter.
    """
    known = ("inputs", "dataSourceBindings", "sourceDefinitions")
    block = fields.child("processParameters", f"the process parameters of {fields.what}", known)
    found = []
    for node in block.items("inputs"):
        one = Fields(node, "a process parameter", _PROCESS_PARAMETER)
        if not one.text("name"):
            raise one.error("a process parameter needs a name")
        name = f"Parameters.{one.text('name')}"
        found.append(VariableDefinition(name=name, value=one.text("defaultValue")))
    return tuple(found)


def refuse_used(fields: Fields, *keys: str) -> None:
    """Refuse keys that only the service can honour, unless they are empty.

    Raises:
        PipelineFileError: names the first that is not empty.
    """
    for key in keys:
        node = fields.get(key)
        if node is not None and _holds(node):
            message = f"'{key}' of {fields.what} is not supported by the local agent; empty it"
            raise node.place.error(message)


def _holds(node: Node) -> bool:
    if isinstance(node, Scalar):
        return node.text not in ("", "0", "false")
    if isinstance(node, Mapping):
        return any(_holds(value) for _, value in node.entries)
    return bool(node.items)


def read_step(fields: Fields, reference: Fields, *, identity: str, version: str) -> Step:
    """Read what the tasks of builds and releases have in common.

    Args:
        fields: the task.
        reference: where its ``definitionType`` is.
        identity: GUID of the task.
        version: its version spec, e.g. ``1.*``.

    Raises:
        PipelineFileError: it is a task group, or its version spec or condition is none.
    """
    if reference.text("definitionType").lower() == _GROUP.lower():
        message = (
            f"{fields.what} is a task group, which only the service can expand; put its tasks here"
        )
        raise fields.node.place.error(message)
    refuse_used(fields, "overrideInputs")
    if not identity:
        raise fields.node.place.error(f"{fields.what} does not name a task by its id")
    numbers = version.removesuffix(".*")
    if not numbers or not all(part.isdecimal() for part in numbers.split(".")):
        message = f"{fields.what} has the version '{version}'; choose a major one such as 1.*"
        raise fields.node.place.error(message)
    condition = read_condition(fields, STEP_CONDITION)
    if condition is None and fields.boolean("alwaysRun"):
        condition = "succeededOrFailed()"
    return Step(
        task=f"{identity}@{numbers}",
        name=read_reference(fields, "refName"),
        inputs=fields.texts("inputs"),
        env=fields.texts("environment"),
        condition=condition,
        continue_on_error=fields.boolean("continueOnError"),
        enabled=fields.boolean("enabled", default=True),
        timeout_minutes=fields.number("timeoutInMinutes", 0),
        retry_count=fields.number("retryCountOnTaskFailure", 0),
    )
