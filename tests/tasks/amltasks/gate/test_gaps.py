"""The gap between slices: what is allowed, what chance may make, and what cannot be told."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from amltasks.gate import comparison, limits
from amltasks.gate.gaps import check
from amltasks.gate.limits import Value
from amltasks.gate.measures import get
from amltasks.gate.rows import Rows
from amltasks.gate.rules import Rule, Rules
from amltasks.gate.verdict import Check, Reason


def rule(**more: Any) -> Rule:
    given = {"metric": "accuracy", "direction": "higher", "max_gap": 0.1, "slices": ("material",)}
    return Rule(**{**given, **more})


def asked(found: dict[str, Value | None], without: list[str] | None = None, **more: Any) -> Check:
    one = rule(**more)
    return check(one, Rules(rules=(one,)), "material", found, without or [])


def number(value: float) -> Value:
    return Value(value=value, higher=True)


def measured(right: int, rows: int) -> Value:
    """The accuracy on so many rows, with what chance can do to it."""
    labels = np.ones(rows, np.int8)
    part = Rows(
        ids=np.arange(rows).astype(str).astype(object),
        labels=labels,
        predictions=(np.arange(rows) < right).astype(np.int8),
        inputs=np.arange(rows),
    )
    measure = get("accuracy")
    pair = limits.against_perfection(part)
    plain = comparison.plain("a", pair, measure)
    found = comparison.proportion(plain, pair, measure, 0.95)
    return Value(value=right / rows, higher=True, found=found)


def test_a_gap_of_just_what_is_allowed_passes() -> None:
    # 0.9 - 0.8 is a little more than 0.1 in binary floating point.
    found = asked({"iron": number(0.9), "tin": number(0.8), "wood": number(0.85)})
    assert found.reason is Reason.PASSED
    assert found.detail == (
        "'accuracy' goes from 0.8 (tin) to 0.9 (iron), a gap of 0.1 where 0.1 is allowed"
    )
    assert found.asked == "no more than 0.1 between its slices"
    assert found.scope == "material"


def test_a_wider_gap_of_single_numbers_fails() -> None:
    found = asked({"iron": number(0.9), "tin": number(0.7)})
    assert (found.reason, found.severity, found.blocks) == (Reason.SLICE_GAP, "fail", True)


def test_a_gap_of_a_measure_that_is_better_when_lower() -> None:
    found = asked(
        {"iron": Value(value=1.0, higher=False), "tin": Value(value=3.0, higher=False)},
        metric="rmse",
        direction="lower",
        max_gap=1.5,
    )
    assert found.reason is Reason.SLICE_GAP
    assert "a gap of 2 where 1.5 is allowed" in found.detail


def test_few_rows_may_make_a_gap_by_chance() -> None:
    found = asked({"iron": measured(9, 10), "tin": measured(7, 10)})
    assert found.reason is Reason.TOO_FEW_ROWS
    assert found.blocks
    assert "between 2 slices of so few rows, chance may make it" in found.detail


def test_many_rows_show_a_gap() -> None:
    found = asked({"iron": measured(9_000, 10_000), "tin": measured(7_000, 10_000)})
    assert found.reason is Reason.SLICE_GAP


def test_too_few_rows_only_warn_where_the_rules_say_so() -> None:
    slices: dict[str, Value | None] = {"iron": measured(9, 10), "tin": measured(7, 10)}
    found = asked(slices, too_few_rows="warn")
    assert (found.reason, found.severity) == (Reason.TOO_FEW_ROWS, "warn")
    # It does not soften a gap that the rows do show.
    wide: dict[str, Value | None] = {"iron": measured(900, 1000), "tin": measured(100, 1000)}
    assert asked(wide, too_few_rows="warn").blocks


@pytest.mark.parametrize("wrong", [None, number(math.nan), number(math.inf)])
def test_a_slice_without_a_number_fails(wrong: Value | None) -> None:
    found = asked({"iron": number(0.9), "tin": wrong, "wood": number(0.9)})
    assert found.reason is Reason.METRIC_NOT_FINITE
    assert found.detail == "'accuracy' of tin is no number"
    assert found.blocks


def test_one_slice_has_no_gap() -> None:
    found = asked({"material=iron": number(0.9)})
    assert found.reason is Reason.SLICE_MISSING
    assert found.detail == "there is no gap to look at: material=iron is the only slice"


def test_undefined_slices_are_passed_over_where_two_are_left() -> None:
    slices = {"iron": number(0.9), "tin": number(0.85), "wood": None}
    assert asked(slices, ["wood"]).reason is Reason.PASSED
    strict = asked(slices, ["wood"], undefined="fail")
    assert (strict.reason, strict.severity) == (Reason.UNDEFINED, "fail")
    assert strict.detail == "'accuracy' is not defined on wood"


def test_where_no_two_slices_are_defined_nothing_is_said_to_hold() -> None:
    slices = {"iron": number(0.9), "tin": None, "wood": None}
    found = asked(slices, ["tin", "wood"])
    assert (found.reason, found.severity, found.passed) == (Reason.UNDEFINED, "note", False)
