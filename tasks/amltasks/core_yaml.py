"""YAML as people write it: read by the core rules of version 1.2, with the line of each part."""

from __future__ import annotations

import re
from typing import Any

import yaml


class YamlError(ValueError):
    """A text is no YAML; the message says what is wrong, the line first."""


Located = dict[tuple[str | int, ...], int]
"""The lines of a document's keys and items: path (keys and indices from the top) -> line from 1."""


def located_yaml(value: str) -> tuple[Any, Located]:
    """A YAML document, and where its parts stand.

    Raises:
        YamlError: it is no YAML, or a key stands twice.
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
    except RecursionError:
        raise YamlError("it is nested without an end") from None
    finally:
        loader.dispose()


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
    """What PyYAML found wrong, with its line."""
    mark = getattr(cause, "problem_mark", None)
    where = f" (line {mark.line + 1})" if mark else ""
    return (getattr(cause, "problem", None) or "it cannot be read") + where


def shortened(value: str, most: int = 60) -> str:
    """The beginning of a text, on one line, for a message."""
    line = " ".join(value.split())
    return line if len(line) <= most else line[: most - 1] + "…"


class CoreLoader(yaml.SafeLoader):
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
