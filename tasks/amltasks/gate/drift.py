"""Losses that add up: a budget for the total loss, and for looking often at the same rows.

Each build may lose a little within its margin of non-inferiority; over many builds that is much. So
a candidate is also held to an anchor, an earlier model, with a budget for the total loss. And who
looks at the same rows again and again passes by chance some day: alpha spending divides the error
over the looks. Source: Lan & DeMets, Biometrika 70 (1983); the k-th look gets 1 / (k (k + 1)) of
the error, which adds up to all of it over any number of looks.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterator

from amltasks.gate import measures
from amltasks.gate.checks import Checks
from amltasks.gate.measured import Measured
from amltasks.gate.rule_model import ANCHOR, Amount, Rule, Rules
from amltasks.gate.rule_sense import LEAST_IN_TAIL, MOST_RESAMPLES
from amltasks.gate.verdict import Baseline, Check, Reason

BUDGET = 2
"""The total loss that is allowed where a rule does not say it, in its `max_loss`."""


def checks(candidate: Measured, anchor: Baseline, rules: Rules) -> Iterator[Check]:
    """Yield the checks of the candidate against the anchor, for each rule with ``max_loss``.

    Metrics that are only logged are left out: older models may never have logged them.
    """
    by_rows = (rule for rule in rules.rules if measures.find(rule.metric) is not None)
    held = tuple(_held(rule) for rule in by_rows if rule.max_loss is not None)
    if not held:
        return
    against = dataclasses.replace(rules, rules=held, evaluation=None)
    for check in Checks(candidate, anchor, against).all():
        reason = Reason.DRIFTED if check.reason is Reason.WORSE else check.reason
        yield dataclasses.replace(
            check,
            reason=reason,
            against=ANCHOR,
            asked=f"in total, against the anchor: {check.asked.replace('the baseline', 'it')}",
        )


def _held(rule: Rule) -> Rule:
    """The rule with the budget for the total loss as its margin, and nothing else."""
    assert rule.max_loss is not None  # noqa: S101 - see the caller
    total = rule.max_total_loss or Amount(
        value=BUDGET * rule.max_loss.value, relative=rule.max_loss.relative
    )
    return dataclasses.replace(rule, floor=None, ceiling=None, max_gap=None, max_loss=total)


def spent(rules: Rules, earlier: int) -> Rules:
    """Return the rules as they are applied after so many earlier looks at the same rows."""
    if rules.looks != "spend":
        return rules
    look = earlier + 1
    error = (1 - rules.confidence) / (look * (look + 1))
    needed = min(MOST_RESAMPLES, math.ceil(LEAST_IN_TAIL / error))
    return dataclasses.replace(rules, confidence=1 - error, resamples=max(rules.resamples, needed))
