"""The judgement: rules applied to a candidate's and a baseline's metrics. It fails closed."""

from __future__ import annotations

import math
from collections.abc import Mapping
from decimal import Decimal

from amltasks.gate.rules import Rule, Rules
from amltasks.verdict import Baseline, Check, Reason, Verdict

# The gravest first: what cannot be judged comes before what was judged and found wanting.
_ORDER = (
    Reason.BASELINE_UNREACHABLE,
    Reason.NO_INCUMBENT,
    Reason.METRIC_MISSING,
    Reason.METRIC_NOT_FINITE,
    Reason.BELOW_FLOOR,
    Reason.NOT_BETTER,
)


def judge(candidate: Mapping[str, float], baseline: Baseline | None, rules: Rules) -> Verdict:
    """Apply the rules.

    Args:
        candidate: the candidate's metrics.
        baseline: what it is compared with; None when the user asked for no baseline, and then only
            rules with ``min_gain`` need one.
        rules: the rules.

    Returns:
        The verdict. It passes only when every rule was applied and holds, except that rules allow
        a first model (``no_incumbent: pass``) to go uncompared.
    """
    against = baseline or Baseline(label="no baseline")
    checks = tuple(_check(rule, candidate, against, rules) for rule in rules.rules)
    found = {check.reason: check.detail for check in reversed(checks)}
    if against.unreachable:
        found[Reason.BASELINE_UNREACHABLE] = f"{against.label}: {against.unreachable}"
    elif baseline is not None and against.metrics is None and not rules.no_incumbent_passes:
        found[Reason.NO_INCUMBENT] = f"there is no incumbent ({against.label})"
    for reason in _ORDER:
        if reason in found:
            return Verdict(reason=reason, detail=found[reason], checks=checks, baseline=against)
    detail = f"all {len(checks)} rules hold" if len(checks) > 1 else "the rule holds"
    return Verdict(reason=Reason.PASSED, detail=detail, checks=checks, baseline=against)


def gain(direction: str, candidate: float, baseline: float) -> float:
    """How much better the candidate is, in the metric's unit.

    Decimal, because 0.9 - 0.8 >= 0.1 is false in binary floating point, and a rule is meant as it
    is written.
    """
    new, old = Decimal(repr(candidate)), Decimal(repr(baseline))
    return float(new - old if direction == "higher" else old - new)


def _check(rule: Rule, candidate: Mapping[str, float], against: Baseline, rules: Rules) -> Check:
    value = candidate.get(rule.metric)
    old = (against.metrics or {}).get(rule.metric)
    comparable = value is not None and old is not None and math.isfinite(value + old)
    won = gain(rule.direction, value, old) if comparable else None  # type: ignore[arg-type]
    reason, detail = _reason(rule, value, old, won, against, rules)
    return Check(
        metric=rule.metric,
        direction=rule.direction,
        candidate=value,
        baseline=old,
        gain=won,
        floor=rule.floor,
        min_gain=rule.min_gain,
        reason=reason,
        detail=detail,
    )


def _reason(
    rule: Rule,
    value: float | None,
    old: float | None,
    won: float | None,
    against: Baseline,
    rules: Rules,
) -> tuple[Reason, str]:
    name = rule.metric
    if value is None:
        return Reason.METRIC_MISSING, f"the candidate has no metric '{name}'"
    if not math.isfinite(value):
        return Reason.METRIC_NOT_FINITE, f"'{name}' of the candidate is {value}"
    if rule.floor is not None:
        worse = value < rule.floor if rule.direction == "higher" else value > rule.floor
        if worse:
            return Reason.BELOW_FLOOR, f"'{name}' is {value:g}, worse than the floor {rule.floor:g}"
    if rule.min_gain is None:
        return Reason.PASSED, f"'{name}' is {value:g}"
    if against.unreachable:
        return Reason.BASELINE_UNREACHABLE, f"{against.label}: {against.unreachable}"
    if against.metrics is None:
        if rules.no_incumbent_passes:
            return Reason.PASSED, f"'{name}' is {value:g}; there is no incumbent to compare with"
        return Reason.NO_INCUMBENT, f"there is no incumbent ({against.label})"
    if old is None:
        return Reason.METRIC_MISSING, f"the baseline ({against.label}) has no metric '{name}'"
    if not math.isfinite(old) or won is None or not math.isfinite(won):
        return Reason.METRIC_NOT_FINITE, f"'{name}' of the baseline ({against.label}) is {old}"
    if won < rule.min_gain:
        return Reason.NOT_BETTER, (
            f"'{name}' is {value:g} against {old:g} of {against.label}: a gain of {won:g}, "
            f"where {rule.min_gain:g} is asked"
        )
    return Reason.PASSED, f"'{name}' is {value:g} against {old:g} of {against.label}"
