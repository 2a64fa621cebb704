"""The judgement: a table of cases, and what must hold for all."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from amltasks.gate.judge import gain, judge
from amltasks.gate.rules import Rule, Rules
from amltasks.verdict import Baseline, Reason

INCUMBENT = Baseline(label="service s, model m:1", metrics={"accuracy": 0.8, "loss": 0.5})
ABSENT = Baseline(label="service s")
UNSEEN = Baseline(label="service s", unreachable="FORBIDDEN: may not look")


def rule(metric: str = "accuracy", direction: str = "higher", **more: float) -> Rule:
    return Rule(metric=metric, direction=direction, **more)


def rules(*each: Rule, first_passes: bool = False) -> Rules:
    return Rules(rules=each, no_incumbent_passes=first_passes)


TIE = rules(rule(min_gain=0))


@pytest.mark.parametrize(
    ("candidate", "baseline", "given_rules", "reason"),
    [
        ({"accuracy": 0.9}, INCUMBENT, TIE, Reason.PASSED),
        ({"accuracy": 0.8}, INCUMBENT, TIE, Reason.PASSED),
        ({"accuracy": 0.79}, INCUMBENT, TIE, Reason.NOT_BETTER),
        ({"accuracy": 0.9}, INCUMBENT, rules(rule(min_gain=0.1)), Reason.PASSED),
        ({"accuracy": 0.89}, INCUMBENT, rules(rule(min_gain=0.1)), Reason.NOT_BETTER),
        ({"accuracy": 0.79}, INCUMBENT, rules(rule(min_gain=-0.01)), Reason.PASSED),
        ({"accuracy": 0.78}, INCUMBENT, rules(rule(min_gain=-0.01)), Reason.NOT_BETTER),
        ({"loss": 0.4}, INCUMBENT, rules(rule("loss", "lower", min_gain=0.1)), Reason.PASSED),
        ({"loss": 0.6}, INCUMBENT, rules(rule("loss", "lower", min_gain=0)), Reason.NOT_BETTER),
        ({"accuracy": 0.9}, INCUMBENT, rules(rule(floor=0.95)), Reason.BELOW_FLOOR),
        ({"accuracy": 0.95}, INCUMBENT, rules(rule(floor=0.95)), Reason.PASSED),
        ({"loss": 0.6}, INCUMBENT, rules(rule("loss", "lower", floor=0.5)), Reason.BELOW_FLOOR),
        ({}, INCUMBENT, TIE, Reason.METRIC_MISSING),
        ({"accuracy": math.nan}, INCUMBENT, TIE, Reason.METRIC_NOT_FINITE),
        ({"accuracy": math.inf}, INCUMBENT, TIE, Reason.METRIC_NOT_FINITE),
        ({"auc": 1.0}, INCUMBENT, rules(rule("auc", min_gain=0)), Reason.METRIC_MISSING),
        ({"accuracy": 0.9}, ABSENT, TIE, Reason.NO_INCUMBENT),
        ({"accuracy": 0.9}, ABSENT, rules(rule(floor=0.5)), Reason.NO_INCUMBENT),
        ({"accuracy": 0.9}, None, TIE, Reason.NO_INCUMBENT),
        ({"accuracy": 0.9}, None, rules(rule(floor=0.5)), Reason.PASSED),
        ({"accuracy": 0.9}, UNSEEN, TIE, Reason.BASELINE_UNREACHABLE),
        ({"accuracy": 0.9}, UNSEEN, rules(rule(floor=0.5)), Reason.BASELINE_UNREACHABLE),
    ],
)
def test_cases(
    candidate: dict[str, float], baseline: Baseline | None, given_rules: Rules, reason: Reason
) -> None:
    verdict = judge(candidate, baseline, given_rules)
    assert verdict.reason is reason
    assert verdict.passed is (reason is Reason.PASSED)


@pytest.mark.parametrize("baseline", [ABSENT, None])
def test_a_first_model_passes_only_where_the_rules_allow_it(baseline: Baseline | None) -> None:
    allowed = rules(rule(min_gain=0, floor=0.5), first_passes=True)
    assert judge({"accuracy": 0.6}, baseline, allowed).passed
    assert judge({"accuracy": 0.4}, baseline, allowed).reason is Reason.BELOW_FLOOR
    assert judge({}, baseline, allowed).reason is Reason.METRIC_MISSING


def test_could_not_look_is_not_no_incumbent() -> None:
    allowed = rules(rule(min_gain=0), first_passes=True)
    assert judge({"accuracy": 1.0}, UNSEEN, allowed).reason is Reason.BASELINE_UNREACHABLE


def test_one_failed_rule_rejects_and_the_gravest_reason_is_told() -> None:
    verdict = judge(
        {"accuracy": 0.7}, INCUMBENT, rules(rule(min_gain=0), rule("f1", min_gain=0), rule(floor=0))
    )
    assert [check.reason for check in verdict.checks] == [
        Reason.NOT_BETTER,
        Reason.METRIC_MISSING,
        Reason.PASSED,
    ]
    assert verdict.reason is Reason.METRIC_MISSING
    assert verdict.detail == "the candidate has no metric 'f1'"


numbers = st.floats(allow_nan=False, allow_infinity=False, min_value=-1e12, max_value=1e12)
directions = st.sampled_from(["higher", "lower"])


@given(directions, numbers, numbers)
def test_gain_turns_its_sign_with_the_direction(direction: str, new: float, old: float) -> None:
    other = "lower" if direction == "higher" else "higher"
    assert gain(direction, new, old) == -gain(other, new, old)


@given(directions, st.decimals(-1000, 1000, places=3), st.decimals(0, 10, places=3))
def test_a_gain_exactly_as_asked_passes(direction: str, old: object, asked: object) -> None:
    new = old + asked if direction == "higher" else old - asked  # type: ignore[operator]
    verdict = judge(
        {"m": float(new)},
        Baseline(label="b", metrics={"m": float(old)}),  # type: ignore[arg-type]
        rules(rule("m", direction, min_gain=float(asked))),  # type: ignore[arg-type]
    )
    assert verdict.passed


@given(
    st.dictionaries(st.sampled_from("ab"), st.floats()),
    st.none() | st.dictionaries(st.sampled_from("ab"), st.floats()),
    st.text(max_size=3),
    st.lists(
        st.builds(
            Rule,
            metric=st.sampled_from("ab"),
            direction=directions,
            floor=st.none() | numbers,
            min_gain=st.none() | numbers,
        ),
        min_size=1,
    ),
    st.booleans(),
)
def test_nothing_passes_unseen(
    candidate: dict[str, float],
    incumbent: dict[str, float] | None,
    unreachable: str,
    each: list[Rule],
    first_passes: bool,
) -> None:
    baseline = Baseline(label="b", metrics=incumbent, unreachable=unreachable)
    verdict = judge(candidate, baseline, rules(*each, first_passes=first_passes))
    if not verdict.passed:
        return
    assert not unreachable
    for one in each:
        value = candidate[one.metric]
        assert math.isfinite(value)
        if one.floor is not None:
            assert value >= one.floor if one.direction == "higher" else value <= one.floor
        if one.min_gain is not None:
            assert first_passes or incumbent is not None
            if incumbent is not None:
                assert gain(one.direction, value, incumbent[one.metric]) >= one.min_gain
