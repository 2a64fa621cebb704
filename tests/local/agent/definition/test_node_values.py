"""Nodes as values of expressions, there and back."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

from local.agent.definition.document import Mapping, parse
from local.agent.definition.node_values import node_of, value_of
from local.agent.errors import Place

PLACE = Place(Path("file.yml"), 9)


def test_a_node_is_its_texts():
    node = parse("a: 1\nb: [true, {c: ~}]\n", Path("file.yml"))
    assert value_of(node) == {"a": "1", "b": ["true", {"c": ""}]}


def test_a_value_becomes_text_at_the_place_of_its_expression():
    node = node_of({"a": Decimal(1), "b": [True, None]}, PLACE)
    assert value_of(node) == {"a": "1", "b": ["True", ""]}
    assert isinstance(node, Mapping)
    assert {value.place for _, value in node.entries} == {PLACE}
