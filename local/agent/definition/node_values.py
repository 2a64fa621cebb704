"""Nodes as values of expressions, and values as nodes."""

from __future__ import annotations

from collections.abc import Mapping as Dict

from local.agent.definition.document import Mapping, Node, Scalar, Sequence
from local.agent.errors import Place
from local.agent.expressions.values import Value, to_string


def value_of(node: Node) -> Value:
    """Return a node as a value; every scalar is text."""
    if isinstance(node, Scalar):
        return node.text
    if isinstance(node, Sequence):
        return [value_of(item) for item in node.items]
    return {key.text: value_of(value) for key, value in node.entries}


def node_of(value: Value, place: Place) -> Node:
    """Return a value as a node that was written at ``place``."""
    if isinstance(value, Dict):
        entries = ((Scalar(text=k, place=place), node_of(v, place)) for k, v in value.items())
        return Mapping(entries=tuple(entries), place=place)
    if isinstance(value, (list, tuple)):
        return Sequence(items=tuple(node_of(item, place) for item in value), place=place)
    return Scalar(text=to_string(value), place=place)
