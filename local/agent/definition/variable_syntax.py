"""Reading ``variables:`` of a pipeline, a stage or a job."""

from __future__ import annotations

import re
from collections.abc import Iterable
from collections.abc import Mapping as Dict

from local.agent.definition.document import Mapping, Node, Sequence
from local.agent.definition.fields import Fields
from local.agent.definition.model import VariableDefinition
from local.agent.definition.variable_groups import VariableGroups
from local.agent.errors import Place
from local.agent.expressions.contexts import VARIABLE
from local.agent.expressions.language import check
from local.agent.expressions.values import ExpressionError

_RUNTIME = re.compile(r"\$\[(.*)\]", re.DOTALL)


def read_variables(fields: Fields, groups: VariableGroups) -> tuple[VariableDefinition, ...]:
    """Read the variables of a level, in either form; every ``$[ ]`` is checked.

    Args:
        fields: the pipeline, the stage or the job.
        groups: where the variable groups come from that the list names.

    Raises:
        PipelineFileError: an entry is no variable, or its expression is wrong.
    """
    node = fields.get("variables")
    if isinstance(node, Sequence):
        return tuple(one for item in node.items for one in _item(item, groups))
    texts = fields.texts("variables")
    names = node.entries if isinstance(node, Mapping) else ()
    return tuple(_variable(name.place, name.text, texts[name.text]) for name, _ in names)


def _item(node: Node, groups: VariableGroups) -> tuple[VariableDefinition, ...]:
    if isinstance(node, Mapping) and "group" in node:
        name = Fields(node, "a reference to a variable group", ("group",)).text("group")
        if not name:
            raise node.place.error("a reference to a variable group needs the group's name")
        return groups.read(name, node.place)
    entry = Fields(node, "a variable", ("name", "value", "readonly", "group"))
    if not entry.text("name"):
        raise node.place.error("a variable needs a name")
    read_only = entry.boolean("readonly")
    return (_variable(node.place, entry.text("name"), entry.text("value"), read_only=read_only),)


def _variable(place: Place, name: str, text: str, *, read_only: bool = False) -> VariableDefinition:
    match = _RUNTIME.fullmatch(text.strip())
    if match is not None:
        try:
            check(match[1], VARIABLE)
        except ExpressionError as error:
            raise place.error(f"variable '{name}': {error}") from error
    return VariableDefinition(
        name=name,
        value=text if match is None else "",
        expression=None if match is None else match[1],
        read_only=read_only,
    )


def overridden(
    definitions: Iterable[VariableDefinition], overrides: Dict[str, str]
) -> tuple[VariableDefinition, ...]:
    """Return the top level's variables with those of the command line instead."""
    names = {name.lower() for name in overrides}
    kept = [one for one in definitions if one.name.lower() not in names]
    given = [
        VariableDefinition(name=name, value=value, from_command_line=True)
        for name, value in overrides.items()
    ]
    return (*kept, *given)
