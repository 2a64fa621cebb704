"""Points of the curves that the report draws, thinned so that a page stays small.

Where rows have weights, a row counts as so many; ``weights`` is None for 1 each.

Formulas: Fawcett, "An introduction to ROC analysis", Pattern Recognition Letters 27 (2006).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from amltasks.gate.rows import Array

MOST_POINTS = 400


def roc(labels: Array, scores: Array, weights: Array | None = None) -> tuple[Array, Array]:
    """False and true positive rates, both from 0 to 1; both classes must be there.

    Every point left out is within 2 / `MOST_POINTS` of one that is kept.
    """
    true, false = _counts(labels, scores, weights)
    x = np.concatenate([[0.0], false / false[-1]])
    y = np.concatenate([[0.0], true / true[-1]])
    return _thinned(x, y, x + y)


def precision_recall(
    labels: Array, scores: Array, weights: Array | None = None
) -> tuple[Array, Array]:
    """Recall and precision, from the highest threshold down; there must be positive labels."""
    true, false = _counts(labels, scores, weights)
    x = np.concatenate([[0.0], true / true[-1]])
    y = np.concatenate([true[:1] / (true[:1] + false[:1]), true / (true + false)])
    # Precision swings at the highest thresholds, so these take their share, too.
    return _thinned(x, y, x + np.linspace(0, 1, len(x)))


def reliability(
    labels: Array, scores: Array, bins: int = 10, weights: Array | None = None
) -> tuple[Array, Array, Array]:
    """Mean score, share of label 1 and weight of the rows in each bin of equal width with rows."""
    at = np.clip((scores * bins).astype(np.int64), 0, bins - 1)
    every = _every(scores, weights)
    count = np.bincount(at, weights=every, minlength=bins)
    full = count > 0
    mean = np.bincount(at, weights=scores * every, minlength=bins)[full] / count[full]
    share = np.bincount(at, weights=labels * every, minlength=bins)[full] / count[full]
    return mean, share, count[full]


def gains(labels: Array, scores: Array, weights: Array | None = None) -> Array:
    """Share of label 1 among the tenth, two tenths and so on of the rows with the highest scores.

    Rows of one score share their labels evenly. There must be positive labels.
    """
    _, step = np.unique(-scores, return_inverse=True)
    every = _every(scores, weights)
    # Between two scores the rows of one score lie evenly, so a straight line joins the steps.
    rows = np.concatenate([[0.0], np.cumsum(np.bincount(step, weights=every))])
    found = np.concatenate([[0.0], np.cumsum(np.bincount(step, weights=labels * every))])
    at = np.linspace(0, rows[-1], 11)[1:]
    return np.asarray(np.interp(at, rows, found) / found[-1])


def confusion(
    labels: Array, predictions: Array, classes: int = 2, weights: Array | None = None
) -> Array:
    """Counts, classes x classes: rows are the labels, columns the predictions, both from 0."""
    cells = labels.astype(np.int64) * classes + predictions
    return np.bincount(cells, weights=weights, minlength=classes**2).reshape(classes, classes)


def agreement(candidate: Array, baseline: Array) -> Array:
    """Counts, 2 x 2, from whether each is right: rows are the candidate's, columns the baseline's.

    Right comes before wrong.
    """
    cells = (~candidate).astype(np.int64) * 2 + ~baseline
    return np.bincount(cells, minlength=4).reshape(2, 2)


def distribution(values: Array, weights: Array | None = None) -> tuple[Array, Array]:
    """The values in order, and the share of them that are no larger; at most `MOST_POINTS`."""
    order = np.argsort(values, kind="stable")
    ordered = values[order]
    share = np.cumsum(_every(values, weights)[order])
    share = share / share[-1]
    if len(ordered) <= MOST_POINTS:
        return ordered, share
    kept = np.linspace(0, len(ordered) - 1, MOST_POINTS).astype(np.int64)
    return ordered[kept], share[kept]


def quantiles(values: Array, shares: Sequence[float], weights: Array | None = None) -> Array:
    """The values that so large shares of the rows do not exceed: numpy's, or weighted."""
    if weights is None:
        return np.asarray(np.quantile(values, shares))
    counted = weights > 0
    return np.asarray(
        np.quantile(values[counted], shares, weights=weights[counted], method="inverted_cdf")
    )


def decile(values: Array, weights: Array | None = None) -> Array:
    """Which tenth of the rows each belongs to by its value, from 0; equal values together."""
    edges = quantiles(values, np.linspace(0, 1, 11)[1:-1].tolist(), weights)
    return np.searchsorted(edges, values, side="left")


def _every(values: Array, weights: Array | None) -> Array:
    return np.ones(len(values)) if weights is None else weights


def _counts(labels: Array, scores: Array, weights: Array | None) -> tuple[Array, Array]:
    """True and false positives at each distinct threshold, the highest first."""
    if weights is not None:
        counted = weights > 0
        labels, scores, weights = labels[counted], scores[counted], weights[counted]
    order = np.argsort(-scores, kind="stable")
    ranked = scores[order]
    last = np.append(np.nonzero(np.diff(ranked))[0], len(ranked) - 1)
    every = _every(scores, weights)[order]
    true = np.cumsum(labels[order] * every)[last]
    return true, np.cumsum(every)[last] - true


def _thinned(x: Array, y: Array, along: Array) -> tuple[Array, Array]:
    """At most `MOST_POINTS` points, evenly by how far ``along`` the curve they are; both ends."""
    if len(x) <= MOST_POINTS:
        return x, y
    wanted = np.linspace(along[0], along[-1], MOST_POINTS)
    kept = np.unique(np.searchsorted(along, wanted).clip(0, len(x) - 1))
    kept[-1] = len(x) - 1
    return x[kept], y[kept]
