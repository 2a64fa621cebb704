"""Parameters of pipelines and templates: declared in a file, given, typed.

Types: MicrosoftDocs/azure-devops-docs docs/pipelines/process/includes/parameter-data-types.md
(commit 1230c5eedab180510ddcc7c200714b88b44811c5).
"""

from __future__ import annotations

from collections.abc import Mapping as Dict
from dataclasses import dataclass
from pathlib import Path

from local.agent.definition import document
from local.agent.definition.document import Mapping, Node, Scalar, Sequence
from local.agent.definition.fields import Fields
from local.agent.definition.node_values import value_of
from local.agent.errors import AgentError, Place, nearest
from local.agent.expressions.values import Value, to_number, to_string

# The type of a parameter in a template's old mapping form, which takes anything.
_UNTYPED = "untyped"
_SCALARS = ("string", "number", "boolean")
# Types of lists, and the list of a pipeline that their items may stand in.
LIST_KINDS = {
    "stepList": "steps",
    "jobList": "jobs",
    "deploymentList": "jobs",
    "stageList": "stages",
}
_MAPPINGS = ("step", "job", "deployment", "stage")
_TYPES = (*_SCALARS, "stringList", "object", *_MAPPINGS, *LIST_KINDS)


@dataclass(frozen=True, kw_only=True)
class Parameter:
    """A declared parameter.

    Attributes:
        type: one of the types above.
        default: None where a value must be given.
        choices: the texts that it may have, empty for any.
    """

    name: str
    type: str
    default: Node | None
    choices: tuple[str, ...]
    place: Place

    def typed(self, node: Node) -> Value:
        """Return a given value as this parameter's type.

        Raises:
            PipelineFileError: it is no such value, or none of the choices.
        """
        value = self._converted(node)
        given = value if isinstance(value, (list, tuple)) else [value]
        if self.choices and not all(to_string(one) in self.choices for one in given):
            message = f"the parameter '{self.name}' must be one of {', '.join(self.choices)}"
            raise node.place.error(message)
        return value

    def _converted(self, node: Node) -> Value:
        value = value_of(node)
        if self.type in _SCALARS:
            return self._scalar(node, value)
        if self.type in LIST_KINDS and not isinstance(node, Sequence):
            raise node.place.error(f"the parameter '{self.name}' must be a list ({self.type})")
        if self.type in _MAPPINGS and not isinstance(node, Mapping):
            raise node.place.error(f"the parameter '{self.name}' must be a {self.type}")
        return value

    def _scalar(self, node: Node, value: Value) -> Value:
        if not isinstance(value, str):
            raise node.place.error(f"the parameter '{self.name}' must be a {self.type}")
        if self.type == "boolean":
            if value.lower() not in ("true", "false"):
                raise node.place.error(f"the parameter '{self.name}' must be true or false")
            return value.lower() == "true"
        if self.type == "number":
            number = to_number(value)
            if number is None or value == "":
                raise node.place.error(f"the parameter '{self.name}' must be a number")
            return number
        return value


def pipeline_parameters(root: Mapping, given: Dict[str, str]) -> dict[str, Value]:
    """Return each parameter of a pipeline: the given value, a YAML text, or its default.

    Raises:
        PipelineFileError: a declaration is wrong, or a value has not the declared type.
        AgentError: a given parameter is not declared.
    """
    declared = read_parameters(root)
    for name in given:
        if name not in declared:
            hint = nearest(name, declared)
            raise AgentError(f"--parameter {name}: {root.place.path} has no such parameter; {hint}")
    typed: dict[str, Value] = {}
    for name, parameter in declared.items():
        node = parameter.default
        if name in given:
            node = document.parse(given[name], Path(f"--parameter {name}"))
        if node is None:
            message = f"the parameter '{name}' has no default; give it with --parameter {name}=..."
            raise parameter.place.error(message)
        typed[name] = parameter.typed(node)
    return typed


def template_parameters(
    declared: Dict[str, Parameter], given: Dict[str, Node], reference: Place
) -> dict[str, Value]:
    """Return each parameter of a template.

    Args:
        declared: by the template.
        given: by what includes it.
        reference: where it is included.

    Raises:
        PipelineFileError: a value is missing, unknown, or not of the declared type.
    """
    for name, node in given.items():
        if name not in declared:
            hint = nearest(name, declared)
            raise node.place.error(f"the template has no parameter '{name}'; {hint}")
    typed: dict[str, Value] = {}
    for name, parameter in declared.items():
        value = given.get(name) or parameter.default
        if value is None:
            message = f"the template needs the parameter '{name}', which has no default"
            raise reference.error(f"{message}; give it below 'parameters'")
        typed[name] = parameter.typed(value)
    return typed


def read_parameters(root: Mapping, *, template: bool = False) -> dict[str, Parameter]:
    """Return the declared parameters by name; raises PipelineFileError for a wrong declaration."""
    block = root.get("parameters")
    if template and isinstance(block, Mapping):
        return {
            name.text: Parameter(
                name=name.text, type=_UNTYPED, default=default, choices=(), place=name.place
            )
            for name, default in block.entries
        }
    found: dict[str, Parameter] = {}
    for one in Fields(root, "a pipeline", set(root)).items("parameters"):
        parameter = _read_parameter(one, template=template)
        if parameter.name in found:
            raise one.place.error(f"two parameters are called '{parameter.name}'")
        found[parameter.name] = parameter
    return found


def _read_parameter(node: Node, *, template: bool) -> Parameter:
    fields = Fields(node, "a parameter", ("name", "displayName", "type", "default", "values"))
    name, kind = fields.text("name"), fields.text("type", "string")
    if not name:
        raise fields.error("a parameter needs a name")
    known = next((one for one in _TYPES if one.lower() == kind.lower()), None)
    if known is None:
        hint = nearest(kind, _TYPES)
        raise fields.error(f"parameters of the type '{kind}' are not supported; {hint}")
    if template and known == "stringList":
        raise fields.error("templates have no parameters of the type stringList; use object")
    choices = [one for one in fields.items("values") if isinstance(one, Scalar)]
    return Parameter(
        name=name,
        type=known,
        default=fields.get("default"),
        choices=tuple(to_string(_choice(one, known)) for one in choices),
        place=node.place,
    )


def _choice(node: Scalar, kind: str) -> Value:
    """Return a choice as the parameter's values are compared: ``1.0`` is the number ``1``."""
    number = to_number(node.text) if kind == "number" else None
    return node.text if number is None else number
