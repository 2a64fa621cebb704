"""What a comparison comes to: exact for a share of rows, resampled for any other measure."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from scipy import special

from amltasks.gate import bootstrap, mcnemar, sample
from amltasks.gate.measures import MEASURES, Measure, point, usable
from amltasks.gate.rows import Array, Pair

# Kinds whose bounds are BCa's. Order and calibration have steps, to which its corrections do not
# apply: in simulations of a few hundred inputs they made the bounds miss more often, not less.
_SMOOTH = ("confusion", "mean")
# How likely the detectable difference is to be shown.
_POWER = 0.8


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """How two models differ in one measure.

    ``gain`` is how much better the candidate is, whichever way is better. ``low`` and ``high`` are
    one-sided bounds of it, each at the confidence asked for, so that both hold at twice that less
    1. ``p_value`` is the two-sided one of no difference. ``detectable`` is the least true gain of
    which ``low`` would be above 0 four times in five. ``rows`` and ``inputs`` count what the
    measure is taken over: for recall the rows of label 1. ``discordant`` counts the inputs on which
    the candidate, and those on which the baseline, is better; None where an input has no better.
    Numbers are NaN where they are not defined; ``method`` says in words how they were found.
    """

    scope: str
    measure: str
    candidate: float
    baseline: float
    gain: float
    low: float = math.nan
    high: float = math.nan
    p_value: float = math.nan
    detectable: float = math.nan
    rows: int
    inputs: int
    discordant: tuple[int, int] | None = None
    method: str


@dataclass(frozen=True, kw_only=True)
class Waiting:
    """A scope whose measures wait for the resamples.

    ``effective`` has, for each measure, the numbers of rows that `_least` takes; none where its
    bounds may meet.
    """

    plain: Sequence[Comparison]
    sample: sample.Sample
    effective: Sequence[Sequence[float]]


def plain(scope: str, rows: Pair, measure: Measure) -> Comparison:
    """Both values and the gain, not judged yet."""
    sides = (rows.candidate, rows.baseline)
    sound = all(usable(measure, side) for side in sides)
    candidate, baseline = (
        point(measure.name, rows.labels, side.predictions, side.scores) for side in sides
    )
    why = "there are no rows" if len(rows) == 0 else "the rows have one class only"
    return Comparison(
        scope=scope,
        measure=measure.name,
        candidate=candidate,
        baseline=baseline,
        # Adding 0 turns a negative zero, which would be printed as one, into 0.
        gain=_sign(measure) * (candidate - baseline) + 0.0,
        rows=len(rows),
        inputs=_distinct(rows.inputs),
        method=f"not defined: {why if sound else 'a score is missing or not finite'}",
    )


def proportion(plain: Comparison, rows: Pair, confidence: float) -> Comparison:
    """Judge a share of right rows."""
    subset = _subset(plain.measure, rows.labels)
    right = [
        side.predictions[subset] == rows.labels[subset] for side in (rows.candidate, rows.baseline)
    ]
    tally = mcnemar.tally(right[0], right[1], rows.inputs[subset])
    scale = tally.effective / tally.rows if tally.rows else 1.0
    low, high = (
        float(bound)
        for bound in mcnemar.score_bounds(
            tally.row_better * scale, tally.row_worse * scale, tally.effective, confidence
        )
    )
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
    )


def prepared(plain: Sequence[Comparison], rows: Pair, resamples: int, seed: int) -> Waiting:
    """Make a scope ready for its resamples; ``plain`` are its measures, all defined."""
    unit, units = bootstrap.grouped(rows.inputs, seed)
    exact = sample.is_exact(len(rows), resamples, units)
    return Waiting(
        plain=plain,
        sample=sample.prepare(rows, tuple(each.measure for each in plain), unit, units, exact),
        effective=[_effective(each.measure, rows) for each in plain],
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
                measure = MEASURES[each.measure]
                sign, jackknife = _sign(measure), None
                if measure.kind in _SMOOTH:
                    jackknife = sign * sample.jackknifed(scope.sample, measure.name)
                bounds = bootstrap.bounds(each.gain, sign * gains[number], jackknife, confidence)
                least = _least(scope.effective[number], confidence)
                yield _bootstrapped(each, scope.sample, bounds, least, confidence, resamples)


def _bootstrapped(
    plain: Comparison,
    used: sample.Sample,
    bounds: bootstrap.Bounds | None,
    least: float,
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
    if MEASURES[plain.measure].kind == "rank" and used.rankings is None:
        method += ", linearised by the influence of each row"
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


def _subset(name: str, labels: Array) -> Array:
    """The rows that a share is taken of."""
    if name == "recall":
        return np.asarray(labels == 1)
    if name == "specificity":
        return np.asarray(labels == 0)
    return np.ones(len(labels), dtype=bool)


def _distinct(inputs: Array) -> int:
    return int((np.bincount(inputs) > 0).sum()) if len(inputs) else 0


def _effective(name: str, rows: Pair) -> list[float]:
    """How many independent rows, at worst, each part of a measure of predictions rests on.

    None for measures of scores: two models with the same score on every row are the same there.
    """
    positive = rows.labels == 1
    called = (rows.candidate.predictions == 1) | (rows.baseline.predictions == 1)
    parts = {
        "precision": [called],
        "f1": [positive | called],
        "balanced_accuracy": [positive, ~positive],
    }.get(name, [])
    found = []
    for part in parts:
        sizes = np.bincount(rows.inputs[part]).astype(np.float64)
        found.append(float(sizes.sum() ** 2 / max((sizes**2).sum(), 1.0)))
    return found


def _least(effective: Sequence[float], confidence: float) -> float:
    """How near to the gain a bound may come at most.

    A bootstrap never draws a difference that the rows do not have, so where hardly any row differs
    its bounds would be too near. Not nearer than the score's bound where none does, in the mean
    over the parts.
    """
    if not effective:
        return 0.0
    return float(mcnemar.score_bounds(0.0, 0.0, np.array(effective), confidence)[1].mean())
