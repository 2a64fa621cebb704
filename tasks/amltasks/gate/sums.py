"""Sums over rows that a measure is a function of, so that a resample of it is a weighted sum.

A family is what measures share: ``confusion``, ``log_loss``, ``brier``, ``calibration``, and for
measures of ranks their linearised forms, ``auc`` and ``average_precision``.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from amltasks.gate import ranks
from amltasks.gate.rows import Array, Side

Floats = npt.NDArray[np.float64]

BINS = 15
# Keeps the logarithm finite for a score of exactly 0 or 1.
SMALLEST = 1e-7
_EDGES = np.linspace(0.0, 1.0, BINS + 1)[1:-1]

# Family of each measure.
FAMILY: Mapping[str, str] = {
    **dict.fromkeys(
        ("accuracy", "recall", "specificity", "balanced_accuracy", "precision", "f1"), "confusion"
    ),
    "log_loss": "log_loss",
    "brier": "brier",
    "calibration_error": "calibration",
    "auc": "auc",
    "average_precision": "average_precision",
}


def per_unit(family: str, labels: Array, side: Side, unit: Array, units: int) -> Floats:
    """Return the family's sums, shape (units, columns).

    ``unit`` has each row's unit, 0 to units - 1. A family other than ``confusion`` needs finite
    scores, ``auc`` both classes.
    """
    if family == "calibration":
        return _calibration(labels, side.scores, unit, units)
    return np.column_stack(
        [
            np.bincount(unit, weights=column, minlength=units).astype(np.float64)
            for column in _columns(family, labels, side)
        ]
    )


def _columns(family: str, labels: Array, side: Side) -> list[Array]:
    """Each column of a family, one number per row."""
    if family == "confusion":
        positive, called = labels == 1, side.predictions == 1
        return [np.ones(len(labels)), positive, called, positive & called]
    scores = np.asarray(side.scores, dtype=np.float64)
    if family == "log_loss":
        bounded = np.clip(scores, SMALLEST, 1 - SMALLEST)
        return [np.ones(len(labels)), -np.log(np.where(labels == 1, bounded, 1 - bounded))]
    if family == "brier":
        return [np.ones(len(labels)), (scores - labels) ** 2]
    ranking = ranks.Ranking(labels, scores)
    if family == "auc":
        # The influence of a row is its placement less the AUC, over its class's size; so the AUC
        # of a resample is nearly the sum of both classes' mean placements, each less half of it.
        positive, placements = labels == 1, ranking.placements()
        shifted = placements - placements[positive].mean() / 2
        return [positive, ~positive, positive * shifted, ~positive * shifted]
    return [np.ones(len(labels)), ranking.precision_influence()]


def _calibration(labels: Array, scores: Array | None, unit: Array, units: int) -> Floats:
    """Rows, then for each bin by how much its labels exceed its scores in sum."""
    values = np.asarray(scores, dtype=np.float64)
    cell = unit * BINS + np.searchsorted(_EDGES, values)
    excess = np.bincount(cell, weights=labels - values, minlength=units * BINS)
    rows = np.bincount(unit, minlength=units).astype(np.float64)
    return np.column_stack([rows, excess.reshape(units, BINS)])


def value(name: str, sums: Array) -> Floats:
    """Return the measure of each row of sums, shape (..., columns of its family) to (...)."""
    if name in ("log_loss", "brier", "average_precision"):
        return _ratio(sums[..., 1], sums[..., 0], empty=np.nan)
    if name == "calibration_error":
        return _ratio(np.abs(sums[..., 1:]).sum(axis=-1), sums[..., 0], empty=np.nan)
    if name == "auc":
        return _ratio(sums[..., 2], sums[..., 0], empty=np.nan) + _ratio(
            sums[..., 3], sums[..., 1], empty=np.nan
        )
    rows, positive, called, hit = (sums[..., column] for column in range(4))
    rejected = rows - positive - called + hit
    if name == "accuracy":
        return _ratio(hit + rejected, rows, empty=np.nan)
    if name == "recall":
        return _ratio(hit, positive)
    if name == "specificity":
        return _ratio(rejected, rows - positive)
    if name == "precision":
        return _ratio(hit, called)
    if name == "f1":
        return _ratio(2 * hit, positive + called)
    recall, specificity = _ratio(hit, positive), _ratio(rejected, rows - positive)
    classes = (positive > 0).astype(np.float64) + (rows > positive)
    return _ratio(recall + specificity, classes, empty=np.nan)


def _ratio(part: Any, whole: Any, *, empty: float = 0.0) -> Floats:
    filled = np.full(np.shape(whole), empty)
    np.divide(part, whole, out=filled, where=np.asarray(whole) > 0)
    return filled
