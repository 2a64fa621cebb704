"""Floors, ceilings and gaps: what chance can do to them, on one slice and on many.

A model's own value has bounds, too: those of its difference to a model that is always right, on the
same rows. Sources: Holm, Scandinavian Journal of Statistics 6 (1979), for many slices tested at
once; Zou & Donner, Statistics in Medicine 27 (2008), for bounds of a difference from the bounds of
its parts (MOVER); Bonferroni for bounds that hold together.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from amltasks.gate.comparison import Comparison
from amltasks.gate.measured import perfect
from amltasks.gate.rows import Pair, Rows
from amltasks.gate.rules import Rule


def against_perfection(rows: Rows) -> Pair:
    """Return the candidate beside a model that is always right."""
    return Pair(
        model_type=rows.model_type,
        classes=rows.classes,
        labels=rows.labels,
        weights=rows.weights,
        queries=rows.queries,
        inputs=rows.inputs,
        candidate=rows.side,
        baseline=perfect(rows),
    )


@dataclass(frozen=True, kw_only=True)
class Value:
    """A measured value of one model on one scope.

    ``found`` is its comparison with a model that is always right, None where it has none.
    """

    value: float
    higher: bool
    found: Comparison | None = None

    @property
    def rows(self) -> int:
        """How many rows it is taken over, 0 when that is not known."""
        return self.found.rows if self.found else 0

    @property
    def inputs(self) -> int:
        """How many distinct inputs these rows have."""
        return self.found.inputs if self.found else 0

    def bounds(self, confidence: float) -> tuple[float, float]:
        """Return one-sided bounds of the true value, each at ``confidence``; NaN if unknown."""
        if self.found is None or self.found.evidence is None:
            return math.nan, math.nan
        low, high = self.found.evidence.bounds(confidence)
        perfect = self.found.baseline
        return (perfect + low, perfect + high) if self.higher else (perfect - high, perfect - low)

    def p_at_least(self, limit: float) -> float:
        """Return the p-value of a true value of ``limit`` or more; 0 where it is not known."""
        return self._p(limit, below=self.higher)

    def p_at_most(self, limit: float) -> float:
        """Return the p-value of a true value of ``limit`` or less; 0 where it is not known."""
        return self._p(limit, below=not self.higher)

    def _p(self, limit: float, *, below: bool) -> float:
        if self.found is None or self.found.evidence is None:
            return 0.0
        perfect = self.found.baseline
        gain = limit - perfect if self.higher else perfect - limit
        evidence = self.found.evidence
        return evidence.p_below(gain) if below else evidence.p_above(gain)


@dataclass(frozen=True, kw_only=True)
class OfLimits:
    """The p-values of a slice's floor and ceiling, adjusted for all slices of the rule.

    Each is that of a true value within its limit; NaN where the rule has no such limit.
    """

    floor: float = math.nan
    ceiling: float = math.nan

    def shows(self, level: float) -> bool:
        """Whether one of the limits is shown not to hold."""
        return self.floor <= level or self.ceiling <= level


def adjusted(p_values: Mapping[str, float]) -> dict[str, float]:
    """Return Holm's adjusted p-values: at most ``level`` where a hypothesis is rejected at it."""
    found: dict[str, float] = {}
    greatest = 0.0
    ordered = sorted(p_values, key=lambda name: p_values[name])
    for number, name in enumerate(ordered):
        greatest = max(greatest, min(1.0, (len(ordered) - number) * p_values[name]))
        found[name] = greatest
    return found


def tested(rule: Rule, values: Mapping[str, Value]) -> dict[str, OfLimits]:
    """Return the adjusted p-values of a rule's floor and ceiling on each slice.

    Under a level, some limit that holds is at most that often shown not to hold, for the whole
    rule. A rule with both limits makes twice as many tests.
    """
    floor, ceiling = rule.floor, rule.ceiling
    times = 2 if floor is not None and ceiling is not None else 1
    low, high = dict.fromkeys(values, math.nan), dict.fromkeys(values, math.nan)
    if floor is not None:
        low = adjusted({name: each.p_at_least(floor) for name, each in values.items()})
    if ceiling is not None:
        high = adjusted({name: each.p_at_most(ceiling) for name, each in values.items()})
    return {
        name: OfLimits(floor=min(times * low[name], 1.0), ceiling=min(times * high[name], 1.0))
        for name in values
    }


def gap_low(values: Mapping[str, Value], confidence: float) -> float:
    """Return a lower bound of the greatest difference between two slices.

    It holds for all pairs together (Bonferroni). NaN where some value has no bounds.
    """
    pairs = len(values) * (len(values) - 1)
    each = 1 - (1 - confidence) / max(pairs, 1)
    bounds = {name: value.bounds(each) for name, value in values.items()}
    if not all(math.isfinite(end) for ends in bounds.values() for end in ends):
        return math.nan
    greatest = 0.0
    for upper, (low, _) in bounds.items():
        for lower, (_, high) in bounds.items():
            best, worst = values[upper].value, values[lower].value
            greatest = max(greatest, best - worst - math.hypot(best - low, high - worst))
    return greatest
