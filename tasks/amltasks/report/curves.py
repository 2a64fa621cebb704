"""Points of the curves that the report draws, thinned so that a page stays small.

Formulas: Fawcett, "An introduction to ROC analysis", Pattern Recognition Letters 27 (2006).
"""

from __future__ import annotations

import numpy as np

from amltasks.gate.rows import Array

MOST_POINTS = 400


def roc(labels: Array, scores: Array) -> tuple[Array, Array]:
    """False and true positive rates, both from 0 to 1; both classes must be there."""
    true, false = _counts(labels, scores)
    return _thinned(
        np.concatenate([[0.0], false / false[-1]]), np.concatenate([[0.0], true / true[-1]])
    )


def precision_recall(labels: Array, scores: Array) -> tuple[Array, Array]:
    """Recall and precision, from the highest threshold down; there must be positive labels."""
    true, false = _counts(labels, scores)
    return _thinned(
        np.concatenate([[0.0], true / true[-1]]), np.concatenate([[1.0], true / (true + false)])
    )


def reliability(labels: Array, scores: Array, bins: int = 10) -> tuple[Array, Array, Array]:
    """Mean score, share of label 1 and number of rows in each bin of equal width that has rows."""
    at = np.clip((scores * bins).astype(np.int64), 0, bins - 1)
    count = np.bincount(at, minlength=bins)
    full = count > 0
    mean = np.bincount(at, weights=scores, minlength=bins)[full] / count[full]
    share = np.bincount(at, weights=labels, minlength=bins)[full] / count[full]
    return mean, share, count[full]


def confusion(labels: Array, predictions: Array) -> Array:
    """Counts, 2 x 2: rows are the labels 0 and 1, columns the predictions 0 and 1."""
    cells = labels.astype(np.int64) * 2 + predictions
    return np.bincount(cells, minlength=4).reshape(2, 2)


def _counts(labels: Array, scores: Array) -> tuple[Array, Array]:
    """True and false positives at each distinct threshold, the highest first."""
    order = np.argsort(-scores, kind="stable")
    ranked = scores[order]
    last = np.append(np.nonzero(np.diff(ranked))[0], len(ranked) - 1)
    true = np.cumsum(labels[order], dtype=np.int64)[last].astype(np.float64)
    return true, last + 1 - true


def _thinned(x: Array, y: Array) -> tuple[Array, Array]:
    if len(x) <= MOST_POINTS:
        return x, y
    kept = np.unique(np.linspace(0, len(x) - 1, MOST_POINTS).astype(np.int64))
    return x[kept], y[kept]
