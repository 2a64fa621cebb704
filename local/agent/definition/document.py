"""A pipeline file as a tree of nodes that remember their places.

Azure Pipelines treats every YAML scalar as text, refuses duplicate keys and knows no anchors.
Classic definitions are JSON, which the portal exports on one line: their nodes have line 0.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import yaml

from local.agent.errors import PipelineFileError, Place


@dataclass(frozen=True, kw_only=True)
class Scalar:
    """Text; ``null`` in the file is the empty text."""

    text: str
    place: Place


@dataclass(frozen=True, kw_only=True)
class Sequence:
    """A list of nodes."""

    items: tuple[Node, ...]
    place: Place


@dataclass(frozen=True, kw_only=True)
class Mapping:
    """Keys in file order; template expressions may stand as keys."""

    entries: tuple[tuple[Scalar, Node], ...]
    place: Place

    def get(self, key: str) -> Node | None:
        """Return the value of ``key``, None when it is absent."""
        for name, value in self.entries:
            if name.text == key:
                return value
        return None

    def __iter__(self) -> Iterator[str]:
        """Iterate over the keys' texts."""
        return (name.text for name, _ in self.entries)


Node = Scalar | Sequence | Mapping


def load(path: Path) -> Node:
    """Read a pipeline file.

    Raises:
        PipelineFileError: the file cannot be read, is no YAML, is empty, repeats a key, or uses
            an anchor.
    """
    return parse(_text(path), path)


def load_json(path: Path) -> Node:
    """Read a JSON file; a number, ``true`` and ``null`` become the texts that YAML has for them.

    Raises:
        PipelineFileError: the file cannot be read, is no JSON, or repeats a key.
    """
    return parse_json(_text(path), path)


def parse_json(text: str, path: Path) -> Node:
    """Parse JSON text; ``path`` is only named in errors. Raises as :func:`load_json`."""
    try:
        found = json.loads(text, object_pairs_hook=_Pairs)
    except json.JSONDecodeError as error:
        message = f"this is not valid JSON: {error.msg} (column {error.colno})"
        raise PipelineFileError(path, error.lineno, message) from error
    return _convert_json(found, path)


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise PipelineFileError(path, 0, "the file is not UTF-8 text; save it as UTF-8") from error
    except OSError as error:
        message = f"the pipeline file cannot be read ({error.strerror}); check the path"
        raise PipelineFileError(path, 0, message) from error


def parse(text: str, path: Path) -> Node:
    """Parse YAML text; ``path`` is only named in errors. Raises as :func:`load`."""
    try:
        for token in yaml.scan(text, Loader=yaml.SafeLoader):
            if isinstance(token, (yaml.AnchorToken, yaml.AliasToken)):
                line = token.start_mark.line + 1
                message = "YAML anchors and aliases are not supported by Azure Pipelines"
                raise PipelineFileError(path, line, message + "; write the value out")
        root = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = mark.line + 1 if mark else 0
        problem = error.problem or "it cannot be parsed"
        raise PipelineFileError(path, line, f"this is not valid YAML: {problem}") from error
    except yaml.YAMLError as error:
        raise PipelineFileError(path, 0, f"this is not valid YAML: {error}") from error
    if root is None:
        message = "the pipeline file is empty; give it steps, jobs or stages"
        raise PipelineFileError(path, 0, message)
    return _convert(root, path)


def _convert(node: yaml.Node, path: Path) -> Node:
    place = Place(path, node.start_mark.line + 1)
    if isinstance(node, yaml.ScalarNode):
        text = "" if node.tag == "tag:yaml.org,2002:null" else node.value
        return Scalar(text=text, place=place)
    if isinstance(node, yaml.SequenceNode):
        return Sequence(items=tuple(_convert(item, path) for item in node.value), place=place)
    entries: list[tuple[Scalar, Node]] = []
    seen: set[str] = set()
    for key_node, value_node in node.value:
        key = _convert(key_node, path)
        if not isinstance(key, Scalar):
            raise key.place.error("a key must be text, not a list or a mapping")
        if key.text in seen and not key.text.lstrip().startswith("${{"):
            raise key.place.error(f"the key '{key.text}' is here twice")
        seen.add(key.text)
        entries.append((key, _convert(value_node, path)))
    return Mapping(entries=tuple(entries), place=place)


class _Pairs(list[tuple[str, object]]):
    """A JSON object as it is written, repeated keys included."""


def _convert_json(value: object, path: Path) -> Node:
    place = Place(path)
    if isinstance(value, _Pairs):
        names = [name for name, _ in value]
        twice = next((name for name in names if names.count(name) > 1), None)
        if twice is not None:
            raise PipelineFileError(path, 0, f"the key '{twice}' is twice in one object")
        entries = [
            (Scalar(text=name, place=place), _convert_json(one, path)) for name, one in value
        ]
        return Mapping(entries=tuple(entries), place=place)
    if isinstance(value, list):
        return Sequence(items=tuple(_convert_json(one, path) for one in value), place=place)
    if value is None:
        return Scalar(text="", place=place)
    return Scalar(text=str(value).lower() if isinstance(value, bool) else str(value), place=place)
