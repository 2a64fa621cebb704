"""Shares of rows: of which rows a measure is a share, and which of them a model gets right."""

from __future__ import annotations

import numpy as np

from amltasks.gate.model_types import BINARY, MULTICLASS, MULTILABEL
from amltasks.gate.rows import Array, Side, Truth


def right(base: str, parameter: str, truth: Truth, side: Side) -> tuple[Array, Array]:
    """Return which rows the share is of, and which of all rows are right; each (bool, n).

    ``base`` and ``parameter`` are those of a :class:`amltasks.gate.measures.Measure` of kind
    ``proportion`` that is defined for these rows.
    """
    labels, predictions = truth.labels, side.predictions
    every = np.ones(len(truth), dtype=bool)
    if base == "top_k_accuracy@":
        return every, _among_first(int(parameter), truth, side)
    if base == "recall:":
        at = truth.classes.index(parameter)
        if truth.model_type == MULTILABEL:
            return labels[:, at] == 1, predictions[:, at] == 1
        return labels == at, predictions == at
    if base == "recall":
        return labels == 1, predictions == 1
    if base == "specificity":
        return labels == 0, predictions == 0
    if truth.model_type == MULTILABEL:
        return every, (labels == predictions).all(axis=1)
    assert truth.model_type in (BINARY, MULTICLASS)  # noqa: S101 - no other has an accuracy
    return every, labels == predictions


def _among_first(count: int, truth: Truth, side: Side) -> Array:
    """Whether fewer than ``count`` other classes have a score as high as the label's."""
    scores = np.asarray(side.scores)
    own = np.take_along_axis(scores, truth.labels[:, None], axis=1)
    return np.asarray((scores >= own).sum(axis=1) <= count)
