"""YAML as people write it: read by the core rules of version 1.2, with the line of each part."""

from __future__ import annotations

import re
from typing import Any

import yaml


class YamlError(ValueError):
    """A text is no YAML; the message says what is wrong, the line first."""


MOST_CHARACTERS = 250_000
"""A longer document is refused."""

MOST_PARTS = 20_000
"""A document of more keys and items is refused; they count each time that an alias repeats them."""

MOST_NESTED = 50
"""A document that is nested deeper is refused."""

_ECHOED = 60

Located = dict[tuple[str | int, ...], int]
"""The lines of a document's keys and items: path (keys and indices from the top) -> line from 1."""


def located_yaml(value: str) -> tuple[Any, Located]:
    """A YAML document, and where its parts stand.

    Raises:
        YamlError: it is no YAML, a key stands twice, or it is larger than `MOST_CHARACTERS`,
            `MOST_PARTS` or `MOST_NESTED` say once its aliases are followed.
    """
    loader = CoreLoader(value)
    try:
        node = loader.get_single_node()
        lines: Located = {}
        if node is not None:
            _locate(node, (), lines)
        return (None if node is None else loader.construct_document(node)), lines
    except YamlError:
        raise
    except (yaml.YAMLError, ValueError) as cause:
        raise YamlError(problem(cause)) from None
    finally:
        loader.dispose()


def _check_size(node: yaml.Node) -> None:
    """Raise a `YamlError` for what is small as a text and huge once its aliases are followed."""
    parts = 0
    waiting = [(node, 1)]
    while waiting:
        found, depth = waiting.pop()
        parts += 1
        if depth > MOST_NESTED:
            raise YamlError(f"it is nested without an end, or deeper than {MOST_NESTED} levels")
        if parts > MOST_PARTS:
            raise YamlError(f"it has more than {MOST_PARTS:,} keys and items with its aliases")
        if isinstance(found, yaml.MappingNode):
            waiting += [(each, depth + 1) for pair in found.value for each in pair]
        elif isinstance(found, yaml.SequenceNode):
            waiting += [(each, depth + 1) for each in found.value]


def _locate(node: yaml.Node, at: tuple[str | int, ...], lines: Located) -> None:
    lines.setdefault(at, node.start_mark.line + 1)
    if isinstance(node, yaml.MappingNode):
        for key, item in node.value:
            path = (*at, str(key.value))
            if path in lines:
                raise YamlError(f"line {key.start_mark.line + 1}: '{key.value}' stands twice")
            lines[path] = key.start_mark.line + 1
            _locate(item, path, lines)
    elif isinstance(node, yaml.SequenceNode):
        for number, item in enumerate(node.value):
            _locate(item, (*at, number), lines)


def problem(cause: Exception) -> str:
    """What is wrong with a document, with the line where PyYAML found it.

    The words it quotes are left out: they are a part of the text, which may be a part of a secret.
    """
    if isinstance(cause, YamlError):
        return str(cause)
    mark = getattr(cause, "problem_mark", None)
    where = f" (line {mark.line + 1})" if mark else ""
    told = getattr(cause, "problem", None) or "it cannot be read"
    return re.sub(r" ?(['\"])(?:(?!\1).){3,}\1", "", told) + where


def shortened(value: str, most: int = 60) -> str:
    """The beginning of a text, on one line, for a message."""
    line = " ".join(value.split())
    return line if len(line) <= most else line[: most - 1] + "…"


def echo(value: str) -> str:
    """What a message shows of an input: all of it, or its size.

    A part would show a part of a secret, which the agent masks only where it stands whole.
    """
    if len(value) <= _ECHOED and len(value.splitlines()) <= 1:
        return value
    return f"… {len(value):,} characters …"


class _Bounded:
    """A loader's part that refuses documents that would take long, before it composes them.

    The limits are `MOST_CHARACTERS`, `MOST_PARTS` and `MOST_NESTED`.
    """

    def __init__(self, stream: str) -> None:
        if len(stream) > MOST_CHARACTERS:
            raise YamlError(f"it is longer than {MOST_CHARACTERS:,} characters")
        self._nested = 0
        self._parts = 0
        super().__init__(stream)  # type: ignore[call-arg]

    def get_single_node(self) -> yaml.Node | None:
        """The document's node. Raises `YamlError` where it is too large or nested too deep."""
        node: yaml.Node | None = super().get_single_node()  # type: ignore[misc]
        if node is not None:
            _check_size(node)
        return node

    def compose_node(self, parent: yaml.Node | None, index: object) -> yaml.Node | None:
        """Compose a node. Raises `YamlError` at the first one that is too deep or too many.

        The parser reads only as far as the composer asks, so what follows costs no time.
        """
        self._parts += 1
        if self._parts > MOST_PARTS:
            raise YamlError(f"it has more than {MOST_PARTS:,} keys and items")
        if self._nested == MOST_NESTED:
            raise YamlError(f"it is nested deeper than {MOST_NESTED} levels")
        self._nested += 1
        node: yaml.Node | None = super().compose_node(parent, index)  # type: ignore[misc]
        self._nested -= 1
        return node


class SafeLoader(_Bounded, yaml.SafeLoader):
    """PyYAML's own, YAML 1.1, for documents of a bounded size."""


class BaseLoader(_Bounded, yaml.BaseLoader):
    """Every scalar stays the text it is, for documents of a bounded size."""


class CoreLoader(_Bounded, yaml.SafeLoader):
    """YAML 1.2 core schema: PyYAML's own 1.1 would read ``no`` as false and dates as dates."""

    yaml_implicit_resolvers = {}  # noqa: RUF012 - PyYAML's own way


CoreLoader.add_implicit_resolver(
    "tag:yaml.org,2002:bool", re.compile(r"^(?:true|True|TRUE|false|False|FALSE)$"), list("tTfF")
)
CoreLoader.add_implicit_resolver(
    "tag:yaml.org,2002:null", re.compile(r"^(?:~|null|Null|NULL|)$"), ["~", "n", "N", ""]
)
CoreLoader.add_implicit_resolver(
    "tag:yaml.org,2002:int", re.compile(r"^[-+]?(?:0|[1-9][0-9]*)$"), list("-+0123456789")
)
CoreLoader.add_implicit_resolver(
    "tag:yaml.org,2002:float",
    re.compile(r"^[-+]?(?:(?:\.[0-9]+|[0-9]+\.[0-9]*)(?:[eE][-+]?[0-9]+)?|[0-9]+[eE][-+]?[0-9]+)$"),
    list("-+.0123456789"),
)
