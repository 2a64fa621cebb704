"""The matcher sees what it must see."""

from __future__ import annotations

from typing import Any

import pytest

from tests.local.azure.conformance.trees import differences, mutants

GUID = "6e6114b2-8161-44c8-8f6c-c5505782427f"
TREE = {
    "id": "guid",
    "n": "integer",
    "s": "enum:a|enum:b",
    "x?": "null|string",
    "many": [{"on": "boolean"}],
}
DOCUMENT = {"id": GUID, "n": 1, "s": "b", "many": [{"on": True}]}


@pytest.mark.parametrize(
    ("change", "difference"),
    [
        ({}, None),
        ({"x": None}, None),
        ({"id": "x"}, ".id: 'x' instead of guid"),
        ({"n": True}, ".n: boolean instead of integer"),
        ({"n": "1"}, ".n: string instead of integer"),
        ({"s": "c"}, ".s: 'c' instead of enum:a|enum:b"),
        ({"more": 1}, ".more: not recorded"),
        ({"many": {}}, ".many: no list"),
        ({"many": [{}]}, ".many[].on: missing"),
    ],
)
def test_a_difference_is_named(change: dict[str, Any], difference: str | None) -> None:
    found = list(differences(TREE, {**DOCUMENT, **change}))
    assert found == ([difference] if difference else [])


def test_each_mutant_is_noticed() -> None:
    document = {**DOCUMENT, "x": "text"}
    assert list(differences(TREE, document)) == []
    changed = dict(mutants(TREE))
    assert set(changed) == {"id", "n", "s", "x?", "many/0/on"}
    for tree in changed.values():
        assert list(differences(tree, document))
