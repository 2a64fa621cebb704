"""Strict reading of mappings: every key is known, refused by name, or an error with its line."""

from __future__ import annotations

from collections.abc import Collection
from collections.abc import Mapping as Dict
from pathlib import Path

from local.agent.definition.document import (
    Mapping,
    Node,
    Scalar,
    Sequence,
)
from local.agent.errors import PipelineFileError, Place, nearest

_TRUE = ("true", "y", "yes", "on")
_FALSE = ("false", "n", "no", "off")


class Fields:
    """The keys of one mapping in a pipeline file.

    Args:
        node: the mapping.
        what: what the mapping describes, with its article, e.g. ``a step``.
        known: the keys that are read or may be ignored.
        refused: keys that Azure Pipelines knows and this agent does not.

    Raises:
        PipelineFileError: the node is no mapping or has another key.
    """

    def __init__(
        self,
        node: Node,
        what: str,
        known: Collection[str],
        refused: Collection[str] = (),
    ) -> None:
        """Check the keys."""
        self.what = what
        self.place = node.place
        if not isinstance(node, Mapping):
            raise node.place.error(f"{what} must be a mapping of keys to values")
        self.node = node
        for key, _ in node.entries:
            if key.text in refused:
                message = f"'{key.text}' in {what} is not supported by the local agent; remove it"
                raise key.place.error(message)
            if key.text not in known:
                hint = nearest(key.text, known)
                raise key.place.error(f"{what} has no key '{key.text}'; {hint}")

    @property
    def path(self) -> Path:
        """The file that the mapping is in."""
        return self.place.path

    def error(self, message: str) -> PipelineFileError:
        """Return an error at the mapping's place."""
        return self.place.error(message)

    def has(self, key: str) -> bool:
        """Say whether the key is there."""
        return self.node.get(key) is not None

    def get(self, key: str) -> Node | None:
        """Return the key's node."""
        return self.node.get(key)

    def child(self, key: str, what: str, known: Collection[str]) -> Fields:
        """Return the mapping under ``key``, an empty one when it is absent or null."""
        node = self.node.get(key)
        if node is None or (isinstance(node, Scalar) and node.text == ""):
            node = Mapping(entries=(), place=self.place)
        return Fields(node, what, known)

    def text(self, key: str, default: str = "") -> str:
        """Return a text; raises PipelineFileError for a list or mapping."""
        node = self.node.get(key)
        if node is None:
            return default
        if not isinstance(node, Scalar):
            raise node.place.error(f"'{key}' must be text, not a list or a mapping")
        return node.text

    def boolean(self, key: str, *, default: bool = False) -> bool:
        """Return a truth value as Azure Pipelines spells them."""
        text = self.text(key)
        if text == "":
            return default
        if text.lower() in _TRUE:
            return True
        if text.lower() in _FALSE:
            return False
        node = self.node.get(key) or self.node
        raise node.place.error(f"'{key}' must be true or false, not '{text}'")

    def number(self, key: str, default: int) -> int:
        """Return a whole number, zero or more."""
        text = self.text(key)
        if text == "":
            return default
        if not text.isdecimal():
            node = self.node.get(key) or self.node
            raise node.place.error(f"'{key}' must be a whole number, not '{text}'")
        return int(text)

    def choice(self, key: str, names: Dict[str, str], default: str) -> str:
        """Return one of several names; REST spells some of them as numbers.

        Args:
            key: the key.
            names: by number, as text.
            default: for an absent key.
        """
        text = self.text(key)
        found = names.get(text, text) or default
        for name in names.values():
            if name.lower() == found.lower():
                return name
        node = self.node.get(key) or self.node
        raise node.place.error(f"{self.what}: '{key}' is '{text}'; {nearest(text, names.values())}")

    def items(self, key: str) -> tuple[Node, ...]:
        """Return a list's nodes, empty when the key is absent."""
        node = self.node.get(key)
        if node is None or (isinstance(node, Scalar) and node.text == ""):
            return ()
        if not isinstance(node, Sequence):
            raise node.place.error(f"'{key}' must be a list")
        return node.items

    def places(self, key: str) -> dict[str, Place]:
        """Return where each key of a mapping is written, empty when the mapping is absent."""
        node = self.node.get(key)
        entries = node.entries if isinstance(node, Mapping) else ()
        return {name.text: name.place for name, _ in entries}

    def texts(self, key: str) -> dict[str, str]:
        """Return a mapping of texts, empty when the key is absent."""
        node = self.node.get(key)
        if node is None or (isinstance(node, Scalar) and node.text == ""):
            return {}
        if not isinstance(node, Mapping):
            raise node.place.error(f"'{key}' must be a mapping of names to texts")
        found: dict[str, str] = {}
        for name, value in node.entries:
            if not isinstance(value, Scalar):
                raise value.place.error(f"'{name.text}' must be text, not a list or a mapping")
            found[name.text] = value.text
        return found
