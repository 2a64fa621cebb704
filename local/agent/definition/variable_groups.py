"""Variable groups: from files of the command line, or from the organisation.

A file is what the service shows of a group (``az pipelines variable-group show``), or a mapping of
names to values in YAML or JSON. No API returns the value of a secret: the agent takes it from its
own environment, as for the secrets of a classic definition.
"""

from __future__ import annotations

from collections.abc import Callable
from collections.abc import Mapping as Dict
from dataclasses import dataclass, field
from pathlib import Path

from local.agent.definition import document
from local.agent.definition.document import Mapping, Node, Scalar
from local.agent.definition.fields import Fields
from local.agent.definition.model import VariableDefinition
from local.agent.errors import AgentError, Place, nearest
from local.agent.host.variables import environment_name


@dataclass(frozen=True, kw_only=True)
class GroupVariable:
    """A variable of a group; ``value`` is empty for a secret whose value is not readable."""

    name: str
    value: str
    secret: bool = False


Group = tuple[GroupVariable, ...]


@dataclass(kw_only=True)
class VariableGroups:
    """Where a pipeline's variable groups come from.

    Attributes:
        files: by the group's name, or by its id where a release names only that.
        fetch: asks the organisation for a group by its name or id; None where it has none.
        environment: the agent's; values of secrets are taken out of it, so that no step inherits
            them.
    """

    files: Dict[str, Path] = field(default_factory=dict)
    fetch: Callable[[str], Group | None] = lambda _: None
    environment: dict[str, str] = field(default_factory=dict)
    _known: dict[str, tuple[VariableDefinition, ...]] = field(default_factory=dict)

    def read(self, name: str, place: Place) -> tuple[VariableDefinition, ...]:
        """Return the variables of a group.

        Raises:
            PipelineFileError: there is no such group; ``place`` is where it is named.
            AgentError: its file cannot be used, or a secret has no value.
        """
        key = name.lower()
        if key not in self._known:
            group = self._group(name, place)
            self._known[key] = tuple(self._definition(one, name) for one in group)
        return self._known[key]

    def check_all_read(self) -> None:
        """Refuse a file of the command line that the pipeline has no use for."""
        for name in self.files:
            if name.lower() not in self._known:
                hint = nearest(name, self._known)
                raise AgentError(
                    f"--variable-group {name}: the pipeline uses no such group; {hint}"
                )

    def _group(self, name: str, place: Place) -> Group:
        for other, path in self.files.items():
            if other.lower() == name.lower():
                return _read_file(path)
        group = self.fetch(name)
        if group is None:
            message = f"the variable group '{name}' is neither in the organisation nor given"
            raise place.error(f"{message}; give it with --variable-group {name}=FILE")
        return group

    def _definition(self, variable: GroupVariable, group: str) -> VariableDefinition:
        value = variable.value
        if variable.secret and not value:
            setting = environment_name(variable.name)
            value = self.environment.pop(setting, "")
            if not value:
                raise AgentError(
                    f"the value of the secret '{variable.name}' of the variable group '{group}' is "
                    f"not readable; set {setting} in the agent's environment"
                )
        return VariableDefinition(name=variable.name, value=value, secret=variable.secret)


def _read_file(path: Path) -> Group:
    load = document.load_json if path.suffix.lower() == ".json" else document.load
    root = load(path)
    if not isinstance(root, Mapping):
        raise root.place.error("a variable group must be a mapping of names to values")
    shown = root.get("variables")
    block = shown if isinstance(shown, Mapping) else root
    return tuple(_variable(name, value) for name, value in block.entries)


def _variable(name: Scalar, node: Node) -> GroupVariable:
    if isinstance(node, Scalar):
        return GroupVariable(name=name.text, value=node.text)
    keys = ("value", "isSecret", "isReadOnly", "enabled", "contentType", "expires")
    fields = Fields(node, f"the variable '{name.text}'", keys)
    secret = fields.boolean("isSecret")
    return GroupVariable(name=name.text, value=fields.text("value"), secret=secret)
