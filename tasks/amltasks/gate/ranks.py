"""Measures of the order of scores: the area under the ROC curve, and average precision.

Sources: DeLong, DeLong & Clarke-Pearson, Biometrics 44 (1988), for placements and their variance;
Obuchowski, Biometrics 53 (1997), for clusters of rows. The influence of a row on average precision
is the derivative of its definition by the row's weight.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from amltasks.gate.rows import Array, Side, Truth

Floats = npt.NDArray[np.float64]


class Ranking:
    """Rows in descending order of their scores, equal scores as one step of the curve."""

    def __init__(self, labels: Array, scores: Array, weights: Array | None = None) -> None:
        """Sort n rows; ``labels`` are 0 or 1, ``scores`` finite, ``weights`` None for 1 each."""
        self._order = np.argsort(-scores, kind="stable")
        ordered = scores[self._order]
        self._is_positive = labels[self._order] == 1
        self._weights = None if weights is None else weights[self._order].astype(np.float64)
        every = np.ones(len(ordered)) if self._weights is None else self._weights
        self._every = every
        self._positive = np.where(self._is_positive, every, 0.0)
        fresh = np.ones(len(ordered), dtype=bool)
        fresh[1:] = ordered[1:] != ordered[:-1]
        self._starts = np.flatnonzero(fresh)
        self._step = np.cumsum(fresh) - 1

    def values(self, name: str, weights: Array, unit: Array | None = None) -> Floats:
        """Return ``auc`` or ``average_precision`` under each of r weightings.

        ``weights`` has shape (r, units); ``unit`` is each row's unit, the row itself by default.
        NaN where the AUC has one class only, and for average precision without positive rows.
        """
        order = self._order if unit is None else unit[self._order]
        weighted = weights[:, order]
        if self._weights is not None:
            weighted = weighted * self._weights
        positive = self._steps(weighted * self._is_positive)
        every = self._steps(weighted)
        hits = np.cumsum(positive, axis=1)
        positives = hits[:, -1]
        if name == "auc":
            negative = every - positive
            won = (negative * (hits - positive / 2)).sum(axis=1)
            cases = positives * negative.sum(axis=1)
            return _ratio(won, cases, np.nan)
        called = np.cumsum(every, axis=1)
        area = (positive * _ratio(hits, called, 0.0)).sum(axis=1)
        return _ratio(area, positives, np.nan)

    def _steps(self, weighted: Floats) -> Floats:
        if len(self._starts) == weighted.shape[1]:
            return weighted
        return np.add.reduceat(weighted, self._starts, axis=1)

    def placements(self) -> Floats:
        """Return for each row the share of the other class that it is on the right side of.

        In the order the rows were given in; a tie counts half. Both classes must be there. The mean
        over either class is the AUC.
        """
        positive = self._steps(self._positive[None, :])[0]
        negative = self._steps((self._every - self._positive)[None, :])[0]
        above = (np.cumsum(positive) - positive / 2) / positive.sum()
        below = 1 - (np.cumsum(negative) - negative / 2) / negative.sum()
        ordered = np.where(self._is_positive, below[self._step], above[self._step])
        return self._as_given(ordered)

    def precision_influence(self) -> Floats:
        """Return for each row the average precision plus its influence times the rows' weight.

        In the order the rows were given in. Their mean is the average precision, and their weighted
        mean nearly that of the rows so weighted; NaN without positive rows.
        """
        rows, positives = self._every.sum(), self._positive.sum()
        if positives == 0:
            return np.full(len(self._positive), np.nan)
        positive = self._steps(self._positive[None, :])[0]
        called = np.cumsum(self._steps(self._every[None, :])[0])
        hits = np.cumsum(positive)
        precision = _ratio(hits, called, 0.0)
        average = float((positive * precision).sum() / positives)
        # What a row adds to the hits and to the called of its own step and of every later one.
        as_hit = np.cumsum(_ratio(positive, called, 0.0)[::-1])[::-1]
        as_called = np.cumsum(_ratio(positive * precision, called, 0.0)[::-1])[::-1]
        own = precision - average + as_hit
        influence = self._is_positive * own[self._step] - as_called[self._step]
        return self._as_given(average + influence * rows / positives)

    def _as_given(self, ordered: Floats) -> Floats:
        given = np.empty(len(ordered))
        given[self._order] = ordered
        return given


_KEPT = "ranking"


def ranked(truth: Truth, side: Side) -> Ranking:
    """Return one model's rows in the order of its scores, sorted once for all that needs them.

    The model says the same of the same rows as long as the arrays are the same.
    """
    of = (truth.labels, side.scores, truth.weights)
    kept = side.kept.get(_KEPT)
    if kept is None or any(old is not new for old, new in zip(kept[0], of, strict=True)):
        scores = np.asarray(side.scores, dtype=np.float64)
        kept = side.kept[_KEPT] = (of, Ranking(truth.labels, scores, truth.weights))
    found: Ranking = kept[1]
    return found


def _ratio(part: Floats, whole: Floats, empty: float) -> Floats:
    filled = np.full(whole.shape, empty)
    np.divide(part, whole, out=filled, where=whole > 0)
    return filled
