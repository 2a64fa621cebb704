"""What a comparison comes to: exact for a share of rows, resampled for any other measure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from amltasks.gate import bootstrap, effective, mcnemar, sample, shares, special
from amltasks.gate.gain import Evidence, Gain
from amltasks.gate.measures import Measure, point, undefined
from amltasks.gate.rows import Array, Pair

# Kinds whose bounds are BCa's. Order and calibration have steps, to which its corrections do not
# apply: in simulations of a few hundred inputs they made the bounds miss more often, not less.
_SMOOTH = ("confusion", "mean", "proportion")
# How likely the detectable difference is to be shown.
_POWER = 0.8
_LACKING = {
    "auc": "the rows have one class only",
    "average_precision": "no row has the positive label",
    "recall": "no row has the positive label",
    "specificity": "no row has the negative label",
    "precision": "nothing is predicted to be positive",
    "f1": "no row has the positive label, and none is predicted to have it",
    "recall:": "no row has that label",
    "precision:": "no row is predicted to have that label",
    "f1:": "no row has that label, and none is predicted to have it",
    "r2": "all labels are the same",
    "mape": "a label is 0",
    "ndcg": "no query has a relevant row",
    "ndcg@": "no query has a relevant row",
    "map": "no query has a relevant row",
    "mrr": "no query has a relevant row",
}


@dataclass(frozen=True, kw_only=True)
class Comparison(Gain):
    """How two models differ in one measure.

    ``p_value`` is the two-sided one of no difference. ``detectable`` is the least true gain of
    which ``low`` would be above 0 four times in five. For recall, the rows are those of label 1.
    ``discordant`` counts the inputs on which the candidate, and those on which the baseline, is
    better; None where an input has no better. ``evidence`` has the bounds at other confidences;
    None where there are none.
    """

    scope: str
    measure: str
    candidate: float
    discordant: tuple[int, int] | None = None
    evidence: Evidence | None = field(default=None, repr=False)


@dataclass(frozen=True, kw_only=True)
class Shares:
    """The evidence of two shares of right rows: counts scaled to independent rows."""

    better: float
    worse: float
    rows: float

    def bounds(self, confidence: float) -> tuple[float, float]:
        """See `Evidence`: Tango's score bounds."""
        low, high = mcnemar.score_bounds(self.better, self.worse, self.rows, confidence)
        return float(low), float(high)

    def p_above(self, line: float) -> float:
        """See `Evidence`."""
        return mcnemar.score_p(self.better, self.worse, self.rows, line)

    def p_below(self, line: float) -> float:
        """See `Evidence`."""
        return mcnemar.score_p(self.worse, self.better, self.rows, -line)


@dataclass(frozen=True, kw_only=True)
class Resampled:
    """The evidence of resamples, never nearer to the gain than so few differing rows can tell.

    ``effective`` are the numbers of rows that `_least` takes.
    """

    gain: float
    distribution: bootstrap.Distribution
    effective: tuple[float, ...]

    def bounds(self, confidence: float) -> tuple[float, float]:
        """See `Evidence`."""
        low, high = self.distribution.bounds(confidence)
        least = _least(self.effective, confidence)
        return min(low, self.gain - least), max(high, self.gain + least)

    def p_above(self, line: float) -> float:
        """See `Evidence`."""
        return max(self.distribution.p_above(line), self._p_apart(self.gain - line))

    def p_below(self, line: float) -> float:
        """See `Evidence`."""
        return max(self.distribution.p_below(line), self._p_apart(line - self.gain))

    def _p_apart(self, distance: float) -> float:
        """The level at which `_least` is the distance; of two parts the cautious one."""
        if not self.effective:
            return 0.0
        return max(mcnemar.score_p(0.0, 0.0, rows, -distance) for rows in self.effective)


@dataclass(frozen=True, kw_only=True)
class Waiting:
    """A scope whose measures wait for the resamples.

    ``effective`` has, for each measure, the numbers of rows that `_least` takes; none where its
    bounds may meet.
    """

    plain: Sequence[Comparison]
    sample: sample.Sample
    effective: Sequence[tuple[float, ...]]


def plain(scope: str, rows: Pair, measure: Measure) -> Comparison:
    """Both values and the gain, not judged yet."""
    truth, sides = rows.truth, (rows.candidate, rows.baseline)
    candidate, baseline = (point(measure.name, truth, side) for side in sides)
    why = [undefined(measure, truth, side) for side in sides]
    return Comparison(
        scope=scope,
        measure=measure.name,
        candidate=candidate,
        baseline=baseline,
        # Adding 0 turns a negative zero, which would be printed as one, into 0.
        gain=_sign(measure) * (candidate - baseline) + 0.0,
        rows=len(rows),
        inputs=_distinct(rows.inputs),
        method=f"not defined: {why[0] or why[1] or _lacking(measure)}",
    )


def _lacking(measure: Measure) -> str:
    """What rows lack where a measure that can be taken of them is not a number."""
    return _LACKING.get(measure.base, f"the rows lack what {measure.name} is a share of")


def proportion(plain: Comparison, rows: Pair, measure: Measure, confidence: float) -> Comparison:
    """Judge a share of right rows."""
    found = [
        shares.right(measure.base, measure.parameter, rows.truth, side)
        for side in (rows.candidate, rows.baseline)
    ]
    subset = found[0][0]
    right = [each[subset] for _, each in found]
    tally = mcnemar.tally(right[0], right[1], rows.inputs[subset])
    scale = tally.effective / tally.rows if tally.rows else 1.0
    evidence = Shares(
        better=tally.row_better * scale, worse=tally.row_worse * scale, rows=tally.effective
    )
    low, high = evidence.bounds(confidence)
    method = "exact McNemar test; Tango's score bounds, corrected for continuity"
    if tally.inputs < tally.rows:
        method = (
            "exact sign test on the distinct inputs (McNemar's where none repeats); Tango's score "
            f"bounds for the {tally.effective:,.0f} independent rows that these are worth"
        )
    return _judged(
        plain,
        low=low,
        high=high,
        p_value=mcnemar.exact_p(tally.better, tally.worse),
        confidence=confidence,
        method=method,
        rows=tally.rows,
        inputs=tally.inputs,
        discordant=(tally.better, tally.worse),
        evidence=evidence,
    )


def prepared(
    plain: Sequence[Comparison],
    measures: Sequence[Measure],
    rows: Pair,
    resamples: int,
    seed: int,
) -> Waiting:
    """Make a scope ready for its resamples; ``plain`` are its ``measures``, all defined."""
    unit, units = bootstrap.grouped(rows.inputs, seed)
    exact = sample.is_exact(len(rows), resamples, units)
    return Waiting(
        plain=plain,
        sample=sample.prepare(rows, tuple(measures), unit, units, exact),
        effective=[tuple(effective.rows(each, rows)) for each in measures],
    )


def resampled(
    waiting: Sequence[Waiting], confidence: float, resamples: int, seed: int
) -> Iterator[Comparison]:
    """Judge what waits; scopes with as many units share the resamples."""
    by_units: dict[int, list[Waiting]] = {}
    for scope in waiting:
        by_units.setdefault(scope.sample.units, []).append(scope)
    for units, scopes in by_units.items():
        samples = [scope.sample for scope in scopes]
        drawn = sample.resampled(samples, bootstrap.weights(units, resamples, seed))
        for scope, gains in zip(scopes, drawn, strict=True):
            for number, each in enumerate(scope.plain):
                measure = scope.sample.measures[number]
                sign, jackknife = _sign(measure), None
                if measure.kind in _SMOOTH:
                    jackknife = sign * sample.jackknifed(scope.sample, measure)
                bounds = bootstrap.bounds(each.gain, sign * gains[number], jackknife, confidence)
                parts = scope.effective[number]
                yield _bootstrapped(
                    each, measure, scope.sample, bounds, parts, confidence, resamples
                )


def _bootstrapped(
    plain: Comparison,
    measure: Measure,
    used: sample.Sample,
    bounds: bootstrap.Bounds | None,
    effective: tuple[float, ...],
    confidence: float,
    resamples: int,
) -> Comparison:
    if bounds is None or used.units < 2:
        why = "one distinct input" if used.units < 2 else "not defined on most resamples"
        return replace(plain, method=f"no bounds: {why}")
    of = "distinct inputs"
    if used.units < plain.inputs:
        of = f"{used.units:,} random groups of {of}"
    kind = "BCa" if bounds.bca else "percentile"
    method = f"{kind} bounds from {resamples:,} bootstrap resamples of {of}"
    if measure.kind == "rank" and used.rankings is None:
        method += ", linearised by the influence of each row"
    evidence = Resampled(gain=plain.gain, distribution=bounds.distribution, effective=effective)
    least = _least(effective, confidence)
    low, high = min(bounds.low, plain.gain - least), max(bounds.high, plain.gain + least)
    if (low, high) != (bounds.low, bounds.high):
        method += ", widened to what so few differing rows can tell"
    return _judged(
        plain,
        low=low,
        high=high,
        p_value=bounds.p_value,
        confidence=confidence,
        method=method,
        evidence=evidence,
    )


def _judged(
    plain: Comparison, *, low: float, high: float, confidence: float, **rest: Any
) -> Comparison:
    """Fill in the bounds, and the detectable gain from the standard error that they imply."""
    z = float(special.ndtri(confidence))
    detectable = (high - low) / 2 * (1 + float(special.ndtri(_POWER)) / z)
    return replace(plain, low=low + 0.0, high=high + 0.0, detectable=detectable, **rest)


def _sign(measure: Measure) -> float:
    return 1.0 if measure.direction == "higher" else -1.0


def _distinct(inputs: Array) -> int:
    return int((np.bincount(inputs) > 0).sum()) if len(inputs) else 0


def _least(effective: Sequence[float], confidence: float) -> float:
    """How near to the gain a bound may come at most.

    A bootstrap never draws a difference that the rows do not have, so where hardly any row differs
    its bounds would be too near. Not nearer than the score's bound where none does, in the mean
    over the parts.
    """
    if not effective:
        return 0.0
    return float(mcnemar.score_bounds(0.0, 0.0, np.array(effective), confidence)[1].mean())
