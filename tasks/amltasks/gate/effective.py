"""How many independent rows, at worst, a measure of predictions rests on."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from amltasks.gate import shares
from amltasks.gate.measures import Measure
from amltasks.gate.model_types import BINARY, MULTICLASS
from amltasks.gate.rows import Array, Pair

if TYPE_CHECKING:
    from scipy import sparse


def rows(measure: Measure, pair: Pair) -> list[float]:
    """Return the number for each part that the measure is a mean of.

    None for measures of scores and of numbers: two models with the same on every row are the same
    there. Rows of one input count as one sample of it, and weights make rows count for more.
    """
    if measure.kind == "proportion":
        side = pair.candidate
        of = shares.right(measure.base, measure.parameter, pair.truth, side)[0]
        return [_worth(pair, of)]
    if measure.kind != "confusion":
        return []
    if pair.model_type == BINARY:
        return [_worth(pair, part) for part in _binary(measure.base, pair)]
    if measure.base in ("micro_f1", "weighted_f1"):
        return [_worth(pair, np.ones(len(pair), dtype=bool))]
    return list(_by_class(measure, pair))


def _binary(base: str, pair: Pair) -> list[Array]:
    positive = pair.labels == 1
    called = (pair.candidate.predictions == 1) | (pair.baseline.predictions == 1)
    if base == "precision":
        return [called]
    return [positive | called] if base == "f1" else [positive, ~positive]


def _worth(pair: Pair, part: Array) -> float:
    weights = None if pair.weights is None else pair.weights[part]
    sizes = np.bincount(pair.inputs[part], weights=weights).astype(np.float64)
    return float(sizes.sum() ** 2 / max((sizes**2).sum(), 1e-300)) if sizes.any() else 0.0


def _by_class(measure: Measure, pair: Pair) -> Iterator[float]:
    """For one class or for each: the rows that have it, or that a model says to have it."""
    sides = (pair.candidate.predictions, pair.baseline.predictions)
    of_labels = measure.base != "precision:"
    of_sides = measure.base != "balanced_accuracy"
    if measure.parameter:
        at = pair.classes.index(measure.parameter)
        codes = [*([pair.labels] if of_labels else []), *sides]
        has = [each == at if each.ndim == 1 else each[:, at] == 1 for each in codes]
        yield _worth(pair, np.logical_or.reduce(has))
        return
    counted = _memberships(pair, sides if of_sides else ())
    sizes, squares = counted.sum(axis=1), (counted**2).sum(axis=1)
    for size, square in zip(sizes, squares, strict=True):
        if size > 0:
            yield float(size**2 / square)


def _memberships(pair: Pair, sides: tuple[Array, ...]) -> sparse.csr_array:
    """The weight of each input in each class, shape (classes, inputs)."""
    from scipy import sparse  # it takes long to import, and only classes of many need it

    weights = np.ones(len(pair)) if pair.weights is None else pair.weights
    inputs = int(pair.inputs.max()) + 1
    shape = (len(pair.classes), inputs)
    columns = [pair.labels, *sides]
    if pair.model_type == MULTICLASS:
        pairs = np.unique(
            np.concatenate([each * np.int64(len(pair)) + np.arange(len(pair)) for each in columns])
        )
        at, row = pairs // len(pair), pairs % len(pair)
    else:
        row, at = np.nonzero(np.logical_or.reduce([each == 1 for each in columns]))
    return sparse.csr_array((weights[row], (at, pair.inputs[row])), shape=shape)
