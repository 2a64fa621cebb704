"""The rows of a rule: all, each value of a column, one value; and slices that are missing."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from amltasks.gate.rows import ALL_ROWS, Rows
from amltasks.gate.rules import Rule
from amltasks.gate.slices import MOST_SLICES, missing, scopes
from amltasks.gate.verdict import Reason


def rows(**slices: Any) -> Rows:
    size = len(next(iter(slices.values())))
    return Rows(
        ids=np.arange(size).astype(str).astype(object),
        labels=np.zeros(size, np.int8),
        predictions=np.zeros(size, np.int8),
        inputs=np.arange(size),
        slices={name: np.array(values, dtype=object) for name, values in slices.items()},
    )


def rule(*slices: str, **more: Any) -> Rule:
    return Rule(metric="accuracy", direction="higher", floor=0.9, slices=slices, **more)


PARTS = rows(material=["iron", "tin", "iron"], era=["old", "new", "old"])


def named(asked: Rule, given: Rows | None = PARTS) -> list[str]:
    return [scope.name for scope in scopes(asked, given)]


def test_a_rule_without_slices_is_about_all_rows() -> None:
    (scope,) = scopes(rule(), PARTS)
    assert (scope.name, scope.chosen) == (ALL_ROWS, None)
    assert named(rule(), None) == [ALL_ROWS]


def test_a_column_stands_for_each_of_its_values_in_order() -> None:
    first, second = scopes(rule("material"), PARTS)
    assert (first.name, second.name) == ("material=iron", "material=tin")
    assert first.chosen is not None
    assert first.chosen.tolist() == [True, False, True]


def test_one_value_and_several_columns() -> None:
    assert named(rule("material=tin")) == ["material=tin"]
    assert named(rule("era", "material=tin")) == ["era=new", "era=old", "material=tin"]


def test_a_slice_that_is_written_twice_is_judged_once() -> None:
    assert named(rule("material=tin", "material=tin")) == ["material=tin"]


def test_a_value_may_have_an_equals_sign() -> None:
    assert named(rule("size=a=b"), rows(size=["a=b", "c"])) == ["size=a=b"]


def test_a_missing_slice_has_no_scope() -> None:
    assert named(rule("colour", "material=gold")) == []
    assert named(rule("material"), None) == []


@pytest.mark.parametrize(
    ("asked", "given", "said"),
    [
        ("material", None, "there are no predictions to take the slices of 'material' from"),
        ("material=tin", None, "there are no predictions to take the slices of 'material' from"),
        ("colour", PARTS, "the predictions have no column 'colour'"),
        ("colour=red", PARTS, "the predictions have no column 'colour'"),
        ("material=gold", PARTS, "no row has material=gold; its values are iron, tin"),
    ],
)
def test_a_missing_slice_fails_and_says_why(asked: str, given: Rows | None, said: str) -> None:
    (check,) = missing(rule(asked, severity="warn"), given)
    assert (check.reason, check.scope, check.detail) == (Reason.SLICE_MISSING, asked, said)
    assert (check.severity, check.asked) == ("warn", "at least 0.9")


def test_the_values_that_are_told_are_eight_at_most() -> None:
    (check,) = missing(rule("size=z"), rows(size=[f"v{number}" for number in range(10)]))
    assert check.detail.endswith("its values are v0, v1, v2, v3, v4, v5, v6, v7")


def test_a_column_of_too_many_values_is_no_slice() -> None:
    many = rows(id=[str(number) for number in range(MOST_SLICES + 1)])
    assert named(rule("id"), many) == []
    (check,) = missing(rule("id"), many)
    assert check.detail == "the column 'id' has 201 values, more than 200"
    # One value of it can be looked at all the same.
    assert named(rule("id=7"), many) == ["id=7"]
    assert not list(missing(rule("id=7"), many))


def test_as_many_values_as_are_allowed_are_slices() -> None:
    enough = rows(id=[str(number) for number in range(MOST_SLICES)])
    assert len(named(rule("id"), enough)) == MOST_SLICES
    assert not list(missing(rule("id"), enough))


def test_what_is_there_is_not_missing() -> None:
    assert not list(missing(rule("material", "era=old"), PARTS))
