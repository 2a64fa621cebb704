"""Floors, ceilings and gaps: what chance can do to them, on one slice and on many.

A model's own value has bounds, too: those of its difference to a model that is always right, on the
same rows. Sources: Holm, Scandinavian Journal of Statistics 6 (1979), for many slices tested at
once; Zou & Donner, Statistics in Medicine 27 (2008), for bounds of a difference from the bounds of
its parts (MOVER); Prékopa, Acta Scientiarum Mathematicarum 34 (1973), for log-concave measures.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from amltasks.gate import special
from amltasks.gate.comparison import Comparison, Shares
from amltasks.gate.measured import perfect
from amltasks.gate.rows import Pair, Rows
from amltasks.gate.rules import Rule

Floats = npt.NDArray[np.float64]


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
        perfect, evidence = self.found.baseline, self.found.evidence
        if isinstance(evidence, Shares):
            # Beside a model that is always right, whatever is wrong is its gain.
            return share_p(evidence.worse, evidence.rows, 1 - limit, above=below)
        gain = limit - perfect if self.higher else perfect - limit
        return evidence.p_below(gain) if below else evidence.p_above(gain)


def share_p(count: float, rows: float, share: float, *, above: bool) -> float:
    """Return the p-value of a binomial count of ``rows`` rows for a true ``share`` (0 to 1).

    ``above`` asks for that of so many or more, otherwise of so many or fewer: exact for whole
    numbers (Clopper and Pearson, Biometrika 26 (1934)), and continuous between them.
    """
    if above:
        return 1.0 if count <= 0 else float(special.betainc(count, rows - count + 1, share))
    left = rows - count
    return 1.0 if left <= 0 else float(special.betainc(left, count + 1, 1 - share))


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

    It holds for all pairs together, whatever the difference (Bonferroni over all pairs); `gap_p` is
    sharper for one given difference. NaN where some value has no bounds.
    """
    pairs = len(values) * (len(values) - 1)
    low, high = _ends(values, 1 - (1 - confidence) / max(pairs, 1))
    return max(0.0, greatest(_measured(values), low, high))


def gap_p(values: Mapping[str, Value], allowed: float, level: float) -> float:
    """Return the p-value of no two slices truly differing by more than ``allowed``.

    NaN where some value has no bounds. At most ``level`` exactly where the bounds at that level
    show a greater gap.
    """
    measured = _measured(values)

    def shown(at: float) -> bool:
        each = at / gap_pairs(len(values), allowed, _error(values, level), at)
        low, high = _ends(values, 1 - each)
        return greatest(measured, low, high) > allowed

    if not all(math.isfinite(end) for ends in _ends(values, 1 - level) for end in ends):
        return math.nan
    least, most = (_LEAST_P, level) if shown(level) else (level, 1.0)
    for _ in range(_HALVINGS):
        middle = math.sqrt(least * most)
        least, most = (least, middle) if shown(min(middle, 0.999)) else (middle, most)
    return most


_LEAST_P = 1e-10
# To a tenth of the p-value; each takes the bounds of every slice.
_HALVINGS = 8


def gap_pairs(slices: int, allowed: float, error: float, level: float) -> float:
    """Return by how many to divide a level so that it holds for the gaps of so many slices.

    The chance that some pair seems further apart than ``allowed`` is greatest where each slice is
    at one of two values that far apart: as a function of the true values it is one less a
    log-concave one (Prékopa), which is least at a corner. There at most a quarter of the squared
    number of slices are pairs at the boundary. The others have no true difference, and exceed
    ``allowed`` the more seldom the more standard errors of a difference (``error``) it is.
    """
    boundary = slices**2 // 4
    score = -float(special.ndtri(level / boundary))
    seldom = float(special.ndtr(-score - allowed / error) / special.ndtr(-score))
    return boundary + (slices * (slices - 1) - boundary) * seldom


def greatest(value: Floats, low: Floats, high: Floats) -> float:
    """Return the greatest lower bound of a difference between two slices (MOVER).

    ``low`` and ``high`` are one-sided bounds of each value; all of shape (slices,).
    """
    reach = np.hypot((value - low)[:, None], (high - value)[None, :])
    return float((value[:, None] - value[None, :] - reach).max())


def _measured(values: Mapping[str, Value]) -> Floats:
    return np.array([each.value for each in values.values()])


def _ends(values: Mapping[str, Value], confidence: float) -> tuple[Floats, Floats]:
    low, high = zip(*(each.bounds(confidence) for each in values.values()), strict=True)
    return np.array(low), np.array(high)


def _error(values: Mapping[str, Value], level: float) -> float:
    """The largest standard error of a difference that the bounds at ``level`` imply."""
    low, high = _ends(values, 1 - level)
    each = (high - low) / 2 / -float(special.ndtri(level))
    return max(float(np.sqrt(2) * each.max()), 1e-12)
