"""Amounts, and what a file of rules needs to be judged."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from amltasks.gate.hygiene import TRAINING_SHARE
from amltasks.gate.rule_model import Amount, Evaluation, Rule, Rules


def rule(metric: str = "accuracy", **more: Any) -> Rule:
    return Rule(metric=metric, direction="higher", floor=0.5, **more)


@pytest.mark.parametrize(
    ("amount", "baseline", "expected"),
    [
        (Amount(value=0.1), 0.8, 0.1),
        (Amount(value=0.1, relative=True), 0.8, 0.08),
        (Amount(value=0.1, relative=True), -0.8, 0.08),
        (Amount(value=0.05, relative=True), 0.0, 0.0),
        (Amount(value=0.0, relative=True), 7.0, 0.0),
    ],
)
def test_an_amount_is_exactly_as_written(amount: Amount, baseline: float, expected: float) -> None:
    assert amount.of(baseline) == expected


@given(
    st.floats(0, 1),
    st.floats(allow_nan=False, allow_infinity=False, min_value=-1e6, max_value=1e6),
)
def test_a_relative_amount_does_not_depend_on_the_sign(share: float, baseline: float) -> None:
    amount = Amount(value=share, relative=True)
    assert amount.of(baseline) == amount.of(-baseline) >= 0


@pytest.mark.parametrize(
    ("amount", "text"),
    [
        (Amount(value=0.05, relative=True), "5 %"),
        (Amount(value=0.005, relative=True), "0.5 %"),
        (Amount(value=0.05), "0.05"),
        (Amount(value=2), "2"),
    ],
)
def test_an_amount_reads_as_in_the_rules(amount: Amount, text: str) -> None:
    assert str(amount) == text


@pytest.mark.parametrize(
    ("own", "file", "expected"),
    [
        (None, "fail", "fail"),
        (None, "warn", "warn"),
        ("fail", "warn", "fail"),
        ("warn", "fail", "warn"),
    ],
)
def test_a_rule_overrides_the_file(own: str | None, file: str, expected: str) -> None:
    one = rule(too_few_rows=own)
    assert one.few(Rules(rules=(one,), too_few_rows=file)) == expected


def test_the_metrics_that_are_asked_for() -> None:
    found = Rules(rules=(rule(), rule("size_of_mine"), rule(slices=("material",))))
    assert found.metrics == {"accuracy", "size_of_mine", TRAINING_SHARE}


def test_the_columns_that_are_asked_for() -> None:
    first = rule(slices=("material=iron", "era"))
    second = rule("mean:price", slices=("material",))
    found = Rules(rules=(first, second))
    assert found.slice_columns == ("material", "era")
    assert found.value_columns == ("price",)


def test_the_kinds_of_model_that_have_all_measures() -> None:
    assert Rules(rules=(rule("auc"),)).model_types == ("binary",)
    assert Rules(rules=(rule("rmse"), rule("auc"))).model_types == ()
    assert Rules(rules=(rule("rmse"),), model_type="ranking").model_types == ("ranking",)
    several = Rules(rules=(rule("accuracy"),)).model_types
    assert {"binary", "multiclass"} <= set(several)
    assert Rules(rules=(rule("accuracy"),), positive_label="yes").model_types == ("binary",)


@pytest.mark.parametrize(
    ("rules", "needed"),
    [
        (Rules(rules=(rule("size_of_mine"),)), False),
        (Rules(rules=(rule("size_of_mine", slices=("era",)),)), True),
        (Rules(rules=(rule("invalid_scores"),)), True),
        (Rules(rules=(rule("auc"),)), True),
        (Rules(rules=(rule("size_of_mine"),), evaluation=Evaluation()), True),
    ],
)
def test_whether_predictions_tell_anything(rules: Rules, needed: bool) -> None:
    assert rules.need_rows is needed
