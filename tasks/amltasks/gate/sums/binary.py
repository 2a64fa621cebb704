"""Sums of a classifier with two classes; label 1 is positive."""

from __future__ import annotations

import numpy as np

from amltasks.gate import ranks
from amltasks.gate.rows import Array, Side, Truth
from amltasks.gate.sums.family import Family, Floats, mean, ratio, summed

BINS = 15
# Keeps the logarithm finite for a score of exactly 0 or 1.
SMALLEST = 1e-7
_EDGES = np.linspace(0.0, 1.0, BINS + 1)[1:-1]


def _confusion(_parameter: str, truth: Truth, side: Side, unit: Array, units: int) -> Floats:
    positive, called = truth.labels == 1, side.predictions == 1
    columns = [np.ones(len(truth)), positive, called, positive & called]
    return summed(columns, truth, unit, units)


def _of_confusion(base: str, _parameter: str, _classes: tuple[str, ...], sums: Floats) -> Floats:
    rows, positive, called, hit = (sums[..., column] for column in range(4))
    negative = rows - positive
    rejected = negative - called + hit
    if base == "accuracy":
        return ratio(hit + rejected, rows)
    if base == "recall":
        return ratio(hit, positive)
    if base == "specificity":
        return ratio(rejected, negative)
    if base == "precision":
        return ratio(hit, called)
    if base == "f1":
        return ratio(2 * hit, positive + called)
    shares = np.nan_to_num(ratio(hit, positive)) + np.nan_to_num(ratio(rejected, negative))
    return ratio(shares, (positive > 0).astype(np.float64) + (negative > 0))


def _scores(side: Side) -> Floats:
    return np.asarray(side.scores, dtype=np.float64)


def _log_loss(_parameter: str, truth: Truth, side: Side, unit: Array, units: int) -> Floats:
    bounded = np.clip(_scores(side), SMALLEST, 1 - SMALLEST)
    loss = -np.log(np.where(truth.labels == 1, bounded, 1 - bounded))
    return summed([np.ones(len(truth)), loss], truth, unit, units)


def _brier(_parameter: str, truth: Truth, side: Side, unit: Array, units: int) -> Floats:
    columns = [np.ones(len(truth)), (_scores(side) - truth.labels) ** 2]
    return summed(columns, truth, unit, units)


def _calibration(_parameter: str, truth: Truth, side: Side, unit: Array, units: int) -> Floats:
    """Rows, then for each bin by how much its labels exceed its scores in sum."""
    scores = _scores(side)
    weights = np.ones(len(truth)) if truth.weights is None else truth.weights
    cell = unit * BINS + np.searchsorted(_EDGES, scores)
    excess = np.bincount(cell, weights=(truth.labels - scores) * weights, minlength=units * BINS)
    rows = np.bincount(unit, weights=weights, minlength=units)
    return np.column_stack([rows, excess.reshape(units, BINS)])


def _of_calibration(_base: str, _parameter: str, _classes: tuple[str, ...], sums: Floats) -> Floats:
    return ratio(np.abs(sums[..., 1:]).sum(axis=-1), sums[..., 0])


def _auc(_parameter: str, truth: Truth, side: Side, unit: Array, units: int) -> Floats:
    """Linearise: the influence of a row is its placement less the AUC, over its class's size.

    So the AUC of a resample is nearly the sum of both classes' mean placements, each less half of
    the AUC. Where a class is missing the placements are NaN, and so is the value.
    """
    positive = truth.labels == 1
    weights = np.ones(len(truth)) if truth.weights is None else truth.weights
    if not (weights[positive].any() and weights[~positive].any()):
        return np.zeros((units, 4))
    placements = ranks.ranked(truth, side).placements()
    shifted = placements - np.average(placements[positive], weights=weights[positive]) / 2
    columns = [positive, ~positive, positive * shifted, ~positive * shifted]
    return summed(columns, truth, unit, units)


def _of_auc(_base: str, _parameter: str, _classes: tuple[str, ...], sums: Floats) -> Floats:
    return ratio(sums[..., 2], sums[..., 0]) + ratio(sums[..., 3], sums[..., 1])


def _precision(_parameter: str, truth: Truth, side: Side, unit: Array, units: int) -> Floats:
    columns = [np.ones(len(truth)), ranks.ranked(truth, side).precision_influence()]
    return summed(columns, truth, unit, units)


CONFUSION = Family(name="confusion", per_unit=_confusion, value=_of_confusion)
LOG_LOSS = Family(name="log_loss", per_unit=_log_loss, value=mean)
BRIER = Family(name="brier", per_unit=_brier, value=mean)
CALIBRATION = Family(name="calibration", per_unit=_calibration, value=_of_calibration)
AUC = Family(name="auc", per_unit=_auc, value=_of_auc)
AVERAGE_PRECISION = Family(name="average_precision", per_unit=_precision, value=mean)
