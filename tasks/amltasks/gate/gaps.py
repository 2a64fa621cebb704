"""The gap between the candidate's best and worst slice."""

from __future__ import annotations

import math
from collections.abc import Mapping

from amltasks.gate import limits, tested
from amltasks.gate.decision_rules import Decision, gain
from amltasks.gate.rules import Rule, Rules
from amltasks.gate.verdict import Check, Reason


def check(
    rule: Rule,
    rules: Rules,
    column: str,
    found: Mapping[str, limits.Value | None],
    undefined: list[str],
) -> Check:
    """Return the check of a rule's ``max_gap`` over the slices of a column.

    Args:
        rule: the rule; it has a ``max_gap``.
        rules: the file that it stands in.
        column: the slices' column.
        found: the value of each slice, None or NaN where there is none; at least one.
        undefined: the slices on which the metric is not defined.
    """
    values = {name: v for name, v in found.items() if v is not None and math.isfinite(v.value)}
    severity, test = rule.severity, tested.NOTHING
    if len(values) + len(undefined) < len(found):
        wrong = next(name for name in found if name not in values and name not in undefined)
        decision: Decision = Reason.METRIC_NOT_FINITE, f"'{rule.metric}' of {wrong} is no number"
    elif len(found) < 2:
        only = next(iter(found))
        decision = Reason.SLICE_MISSING, f"there is no gap to look at: {only} is the only slice"
    elif len(values) < 2 or (undefined and rule.undefined == "fail"):
        decision = (
            Reason.UNDEFINED,
            f"'{rule.metric}' is not defined on {', '.join(undefined[:3])}",
        )
        severity = rule.severity if rule.undefined == "fail" else "note"
    else:
        decision, test = _decide(rule, rules, values)
        if decision[0] is Reason.TOO_FEW_ROWS and rule.few(rules) == "warn":
            severity = "warn"
    return Check(
        metric=rule.metric,
        scope=column,
        direction=rule.direction,
        severity=severity,
        asked=f"no more than {rule.max_gap:g} between its slices",
        p_value=test.p_value,
        tested=test.hypothesis,
        reason=decision[0],
        detail=decision[1],
    )


def _decide(
    rule: Rule, rules: Rules, values: Mapping[str, limits.Value]
) -> tuple[Decision, tested.Tested]:
    assert rule.max_gap is not None  # noqa: S101 - a gap is asked for
    best = max(values, key=lambda name: values[name].value)
    worst = min(values, key=lambda name: values[name].value)
    wide = gain("higher", values[best].value, values[worst].value)
    detail = (
        f"'{rule.metric}' goes from {values[worst].value:.6g} ({worst}) to "
        f"{values[best].value:.6g} ({best}), a gap of {wide:.6g} where {rule.max_gap:g} is allowed"
    )
    if wide <= rule.max_gap:
        return (Reason.PASSED, detail), tested.NOTHING
    level = 1 - rules.confidence
    p_value = limits.gap_p(values, rule.max_gap, level)
    if math.isnan(p_value):
        return (Reason.SLICE_GAP, detail), tested.NOTHING
    test = tested.Tested(hypothesis=f"a gap of {rule.max_gap:g} or less", p_value=p_value)
    if p_value <= level:
        return (Reason.SLICE_GAP, detail), test
    least = limits.gap_low(values, rules.confidence)
    return (
        Reason.TOO_FEW_ROWS,
        f"{detail}; between {len(values)} slices of so few rows, chance may make it (the true "
        f"gap is at {rules.confidence * 100:g}% at least {least:.4g})",
    ), test
