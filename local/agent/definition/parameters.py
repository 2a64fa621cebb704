"""A pipeline's runtime parameters: declared in the file, given on the command line, typed."""

from __future__ import annotations

from collections.abc import Mapping as Dict
from pathlib import Path

from local.agent.definition import document
from local.agent.definition.document import Mapping, Node
from local.agent.definition.fields import Fields
from local.agent.definition.templates import value_of
from local.agent.errors import AgentError, PipelineFileError, nearest
from local.agent.expressions.values import Value, to_number, to_string

_TYPES = ("string", "stringList", "number", "boolean", "object")


def read_parameters(root: Mapping, path: Path, given: Dict[str, str]) -> dict[str, Value]:
    """Return each parameter's value: the given one, a YAML text, or its default.

    Raises:
        PipelineFileError: a declaration is wrong, or a value has not the declared type.
        AgentError: a given parameter is not declared.
    """
    fields = Fields(root, path, "a pipeline", set(root))
    typed: dict[str, Value] = {}
    for node in fields.items("parameters"):
        known = ("name", "displayName", "type", "default", "values")
        parameter = Fields(node, path, "a parameter", known)
        name = parameter.text("name")
        kind = parameter.text("type", "string")
        if kind not in _TYPES:
            message = f"parameters of the type '{kind}' are not supported; {nearest(kind, _TYPES)}"
            raise PipelineFileError(path, node.line, message)
        value = parameter.get("default")
        if name in given:
            value = document.parse(given[name], Path(f"--parameter {name}"))
        if value is None:
            message = f"the parameter '{name}' has no default; give it with --parameter {name}=..."
            raise PipelineFileError(path, node.line, message)
        typed[name] = _typed(name, kind, value, path)
        allowed = [to_string(value_of(choice)) for choice in parameter.items("values")]
        if allowed and to_string(typed[name]) not in allowed:
            message = f"the parameter '{name}' must be one of {', '.join(allowed)}"
            raise PipelineFileError(path, node.line, message)
    for name in given:
        if name not in typed:
            raise AgentError(
                f"--parameter {name}: {path} has no such parameter; {nearest(name, typed)}"
            )
    return typed


def _typed(name: str, kind: str, node: Node, path: Path) -> Value:
    value = value_of(node)
    if kind in ("object", "stringList"):
        return value
    if not isinstance(value, str):
        raise PipelineFileError(path, node.line, f"the parameter '{name}' must be a {kind}")
    if kind == "boolean":
        if value.lower() not in ("true", "false"):
            raise PipelineFileError(
                path, node.line, f"the parameter '{name}' must be true or false"
            )
        return value.lower() == "true"
    if kind == "number":
        number = to_number(value)
        if number is None or value == "":
            raise PipelineFileError(path, node.line, f"the parameter '{name}' must be a number")
        return number
    return value
