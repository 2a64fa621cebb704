"""Points of the curves that the report draws, thinned so that a page stays small.

Formulas: Fawcett, "An introduction to ROC analysis", Pattern Recognition Letters 27 (2006).
"""

from __future__ import annotations

import numpy as np

from amltasks.gate.rows import Array

MOST_POINTS = 400


def roc(labels: Array, scores: Array) -> tuple[Array, Array]:
    """False and true positive rates, both from 0 to 1; both classes must be there.

    Every point left out is within 2 / `MOST_POINTS` of one that is kept.
    """
    true, false = _counts(labels, scores)
    x = np.concatenate([[0.0], false / false[-1]])
    y = np.concatenate([[0.0], true / true[-1]])
    return _thinned(x, y, x + y)


def precision_recall(labels: Array, scores: Array) -> tuple[Array, Array]:
    """Recall and precision, from the highest threshold down; there must be positive labels."""
    true, false = _counts(labels, scores)
    x = np.concatenate([[0.0], true / true[-1]])
    y = np.concatenate([true[:1] / (true[:1] + false[:1]), true / (true + false)])
    # Precision swings at the highest thresholds, so these take their share, too.
    return _thinned(x, y, x + np.linspace(0, 1, len(x)))


def reliability(labels: Array, scores: Array, bins: int = 10) -> tuple[Array, Array, Array]:
    """Mean score, share of label 1 and number of rows in each bin of equal width that has rows."""
    at = np.clip((scores * bins).astype(np.int64), 0, bins - 1)
    count = np.bincount(at, minlength=bins)
    full = count > 0
    mean = np.bincount(at, weights=scores, minlength=bins)[full] / count[full]
    share = np.bincount(at, weights=labels, minlength=bins)[full] / count[full]
    return mean, share, count[full]


def gains(labels: Array, scores: Array) -> Array:
    """Share of label 1 among the tenth, two tenths and so on of the rows with the highest scores.

    Rows of one score share their labels evenly. There must be positive labels.
    """
    order = np.argsort(-scores, kind="stable")
    _, step = np.unique(-scores[order], return_inverse=True)
    even = np.bincount(step, weights=labels[order]) / np.bincount(step)
    found = np.concatenate([[0.0], np.cumsum(even[step])])
    at = np.linspace(0, len(labels), 11)[1:]
    return np.asarray(np.interp(at, np.arange(len(found)), found) / found[-1])


def confusion(labels: Array, predictions: Array, classes: int = 2) -> Array:
    """Counts, classes x classes: rows are the labels, columns the predictions, both from 0."""
    cells = labels.astype(np.int64) * classes + predictions
    return np.bincount(cells, minlength=classes**2).reshape(classes, classes)


def agreement(candidate: Array, baseline: Array) -> Array:
    """Counts, 2 x 2, from whether each is right: rows are the candidate's, columns the baseline's.

    Right comes before wrong.
    """
    cells = (~candidate).astype(np.int64) * 2 + ~baseline
    return np.bincount(cells, minlength=4).reshape(2, 2)


def distribution(values: Array) -> tuple[Array, Array]:
    """The values in order, and the share of them that are no larger; at most `MOST_POINTS`."""
    ordered = np.sort(values)
    share = np.arange(1, len(ordered) + 1) / len(ordered)
    if len(ordered) <= MOST_POINTS:
        return ordered, share
    kept = np.linspace(0, len(ordered) - 1, MOST_POINTS).astype(np.int64)
    return ordered[kept], share[kept]


def decile(values: Array) -> Array:
    """Which tenth of the rows each belongs to by its value, from 0; equal values together."""
    edges = np.quantile(values, np.linspace(0, 1, 11)[1:-1])
    return np.searchsorted(edges, values, side="left")


def _counts(labels: Array, scores: Array) -> tuple[Array, Array]:
    """True and false positives at each distinct threshold, the highest first."""
    order = np.argsort(-scores, kind="stable")
    ranked = scores[order]
    last = np.append(np.nonzero(np.diff(ranked))[0], len(ranked) - 1)
    true = np.cumsum(labels[order], dtype=np.int64)[last].astype(np.float64)
    return true, last + 1 - true


def _thinned(x: Array, y: Array, along: Array) -> tuple[Array, Array]:
    """At most `MOST_POINTS` points, evenly by how far ``along`` the curve they are; both ends."""
    if len(x) <= MOST_POINTS:
        return x, y
    wanted = np.linspace(along[0], along[-1], MOST_POINTS)
    kept = np.unique(np.searchsorted(along, wanted).clip(0, len(x) - 1))
    kept[-1] = len(x) - 1
    return x[kept], y[kept]
