"""Sums of a classifier with many classes, of which a row has one or any number."""

from __future__ import annotations

import numpy as np

from amltasks.gate import shares
from amltasks.gate.model_types import MULTILABEL
from amltasks.gate.rows import Array, Side, Truth
from amltasks.gate.sums.binary import SMALLEST
from amltasks.gate.sums.family import Family, Floats, mean, ratio, summed


def _counts(_parameter: str, truth: Truth, side: Side, unit: Array, units: int) -> Floats:
    """For each class the labels, then the predictions, then where they agree; 3 blocks."""
    labels, predictions = truth.labels, side.predictions
    if truth.model_type == MULTILABEL:
        each = [labels == 1, predictions == 1, (labels == 1) & (predictions == 1)]
        columns = [block[:, at] for block in each for at in range(len(truth.classes))]
        return summed(columns, truth, unit, units)
    classes = len(truth.classes)
    weights = np.ones(len(truth)) if truth.weights is None else truth.weights
    hit = labels == predictions
    blocks = [
        np.bincount(unit[rows] * classes + codes[rows], weights[rows], units * classes)
        for codes, rows in (
            (labels, slice(None)),
            (predictions, slice(None)),
            (labels, hit),
        )
    ]
    return np.column_stack([block.reshape(units, classes) for block in blocks])


def _of_counts(base: str, parameter: str, classes: tuple[str, ...], sums: Floats) -> Floats:
    support, called, hit = (
        sums[..., start : start + len(classes)]
        for start in range(0, 3 * len(classes), len(classes))
    )
    if parameter:
        at = classes.index(parameter)
        support, called, hit = support[..., at], called[..., at], hit[..., at]
        whole = {"recall:": support, "precision:": called, "f1:": (support + called) / 2}
        return ratio(hit, whole[base])
    if base == "accuracy":
        return ratio(hit.sum(axis=-1), support.sum(axis=-1))
    if base == "micro_f1":
        return ratio(2 * hit.sum(axis=-1), support.sum(axis=-1) + called.sum(axis=-1))
    if base == "balanced_accuracy":
        return _mean(ratio(hit, support), (support > 0).astype(np.float64))
    f1 = ratio(2 * hit, support + called)
    if base == "weighted_f1":
        return _mean(f1, support)
    return _mean(f1, (support + called > 0).astype(np.float64))


def _mean(values: Floats, weights: Floats) -> Floats:
    """Weighted mean over the last axis; values of no weight may be NaN."""
    counted = np.where(weights > 0, values, 0.0) * weights
    return ratio(counted.sum(axis=-1), weights.sum(axis=-1))


def _right(base: str) -> Family:
    def per_unit(parameter: str, truth: Truth, side: Side, unit: Array, units: int) -> Floats:
        of, right = shares.right(base, parameter, truth, side)
        return summed([of, of & right], truth, unit, units)

    return Family(name=base, per_unit=per_unit, value=mean, by_parameter=True)


def _log_loss(_parameter: str, truth: Truth, side: Side, unit: Array, units: int) -> Floats:
    scores = np.asarray(side.scores, dtype=np.float64)
    own = np.take_along_axis(scores, truth.labels[:, None], axis=1)[:, 0]
    loss = -np.log(np.clip(own, SMALLEST, 1.0))
    return summed([np.ones(len(truth)), loss], truth, unit, units)


def _hamming(_parameter: str, truth: Truth, side: Side, unit: Array, units: int) -> Floats:
    # Counted, not divided, so that equal sums are equal to the last digit.
    wrong = (truth.labels != side.predictions).sum(axis=1)
    return summed([np.full(len(truth), len(truth.classes)), wrong], truth, unit, units)


COUNTS = Family(name="classes", per_unit=_counts, value=_of_counts)
ACCURACY = _right("accuracy")
TOP_K = _right("top_k_accuracy@")
LOG_LOSS = Family(name="log_loss", per_unit=_log_loss, value=mean)
HAMMING = Family(name="hamming_loss", per_unit=_hamming, value=mean)
