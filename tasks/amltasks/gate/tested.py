"""The test that a decision rests on: its null hypothesis in words, and its p-value."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from amltasks.gate import limits
from amltasks.gate.comparison import Comparison
from amltasks.gate.rules import Rule
from amltasks.gate.verdict import Reason


@dataclass(frozen=True, kw_only=True)
class Tested:
    """A one-sided test. ``hypothesis`` is empty and ``p_value`` NaN where no test decided."""

    hypothesis: str = ""
    p_value: float = math.nan


NOTHING = Tested()


def of_gain(reason: Reason, found: Comparison, line: float, min_inputs: int) -> Tested:
    """Return the test that decided on a gain of ``found``, for the given reason.

    A rule holds when the gain is shown to be above ``line``. A loss is certain when the gain is
    shown to be below 0. Neither test decides where there are fewer distinct inputs than
    ``min_inputs``, on a tie, or where the reason is not about the gain.
    """
    if found.evidence is None or not math.isfinite(line):
        return NOTHING
    if reason is Reason.WORSE and found.high < 0:
        return Tested(hypothesis="a gain of 0 or more", p_value=found.evidence.p_below(0.0))
    if found.inputs < min_inputs or (found.gain == 0 == line):
        return NOTHING
    if reason in (Reason.PASSED, Reason.WORSE, Reason.NOT_BETTER, Reason.TOO_FEW_ROWS):
        p_value = found.evidence.p_above(line)
        return Tested(hypothesis=f"a gain of {line:.4g} or less", p_value=p_value)
    return NOTHING


def of_limit(rule: Rule, limit: str, p_values: Mapping[str, limits.OfLimits], name: str) -> Tested:
    """Return the test that decided on a value beyond a limit, on one slice of several.

    Args:
        rule: the rule that has the limit.
        limit: ``floor`` or ``ceiling``; empty where the value is within both.
        p_values: those of each slice, adjusted for all slices of the rule.
        name: the slice.
    """
    found = p_values.get(name)
    if found is None or not limit:
        return NOTHING
    if limit == "floor":
        return Tested(hypothesis=f"a value of {rule.floor:g} or more", p_value=found.floor)
    return Tested(hypothesis=f"a value of {rule.ceiling:g} or less", p_value=found.ceiling)
