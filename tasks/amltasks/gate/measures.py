"""The measures of a classifier with two classes that the gate can judge; label 1 is positive.

Conventions are scikit-learn's: a ratio without cases counts as 0 where it says ``zero_division=0``.
Formulas: Fawcett, "An introduction to ROC analysis", Pattern Recognition Letters 27 (2006); Guo et
al., "On calibration of modern neural networks" (2017) for the calibration error.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from amltasks.gate import ranks, sums
from amltasks.gate.rows import Array, Side


@dataclass(frozen=True, kw_only=True)
class Measure:
    """One measure.

    ``direction`` is ``higher`` or ``lower``: which way is better. ``kind`` is how it is made:
    ``proportion`` (a share of rows that do not depend on the model), ``confusion`` (of the four
    counts), ``mean`` (of a number per row), ``calibration`` or ``rank`` (of the order of scores).
    """

    name: str
    direction: str
    needs_scores: bool
    kind: str


def _measure(name: str, kind: str, *, direction: str = "higher") -> Measure:
    needs_scores = kind in ("mean", "calibration", "rank")
    return Measure(name=name, direction=direction, needs_scores=needs_scores, kind=kind)


_ALL = (
    _measure("accuracy", "proportion"),
    _measure("recall", "proportion"),
    _measure("specificity", "proportion"),
    _measure("balanced_accuracy", "confusion"),
    _measure("precision", "confusion"),
    _measure("f1", "confusion"),
    _measure("auc", "rank"),
    _measure("average_precision", "rank"),
    _measure("log_loss", "mean", direction="lower"),
    _measure("brier", "mean", direction="lower"),
    _measure("calibration_error", "calibration", direction="lower"),
)
ALIASES: Mapping[str, str] = {
    "acc": "accuracy",
    "sensitivity": "recall",
    "roc_auc": "auc",
    "ece": "calibration_error",
}
_BY_NAME = {measure.name: measure for measure in _ALL}
# By every name that a rule may use.
MEASURES: Mapping[str, Measure] = {
    **_BY_NAME,
    **{alias: _BY_NAME[name] for alias, name in ALIASES.items()},
}


def point(name: str, labels: Array, predictions: Array, scores: Array | None) -> float:
    """Return the measure of one model on n rows.

    ``name`` is a key of `MEASURES`; ``labels`` and ``predictions`` are 0 or 1, ``scores`` the
    probabilities of 1. Without rows every measure is NaN; those that need scores also when there
    are none or one is not finite. For the rest, where a class or a kind of prediction is absent:

    - precision is 0 when nothing is called positive, recall (specificity) when no label is
      positive (negative), f1 when there is no positive label and nothing is called positive;
    - balanced_accuracy is the recall of the only class that there is;
    - auc is NaN with one class; average_precision is 0 without positive labels;
    - log_loss takes scores as at least 1e-7 and at most 1 - 1e-7;
    - calibration_error has 15 bins of equal width, each without its lower edge except the first.
    """
    measure = MEASURES[name]
    side = Side(predictions=predictions, scores=scores)
    if len(labels) == 0 or not usable(measure, side):
        return float("nan")
    if measure.kind == "rank":
        assert scores is not None  # noqa: S101 - or it were not usable
        ranking = ranks.Ranking(labels, scores)
        return float(ranking.values(measure.name, np.ones((1, len(labels))))[0])
    family = sums.FAMILY[measure.name]
    whole = np.zeros(len(labels), dtype=np.int64)
    return float(
        sums.value(measure.name, sums.per_unit(family, labels, side, whole, 1).sum(axis=0))
    )


def usable(measure: Measure, side: Side) -> bool:
    """Whether a model says what the measure needs: finite scores, where it needs any."""
    if not measure.needs_scores:
        return True
    return side.scores is not None and bool(np.isfinite(side.scores).all())
