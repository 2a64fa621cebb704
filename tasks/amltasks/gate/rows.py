"""Predictions of a classifier with two classes, row by row, and two models' on the same rows."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]

ALL_ROWS = "all rows"
"""The scope of a rule without slices, as checks, comparisons and reports call it."""


@dataclass(frozen=True, kw_only=True)
class Rows:
    """One model's predictions; arrays of one length n, in the order of the file.

    ``ids`` are unique texts, ``labels`` and ``predictions`` 0 or 1 (int8), ``scores`` the
    probability of label 1 (float64), None when the file has none. ``inputs`` numbers the distinct
    inputs from 0 (int64): rows of one input are one cluster; without such a column every row is its
    own. ``slices`` maps a column to each row's value (texts), ``seen`` says whether the row's input
    was trained on (bool), None when the file does not say.
    """

    ids: Array = field(repr=False)
    labels: Array = field(repr=False)
    predictions: Array = field(repr=False)
    scores: Array | None = field(default=None, repr=False)
    inputs: Array = field(repr=False)
    texts: Array | None = field(default=None, repr=False)
    slices: Mapping[str, Array] = field(default_factory=dict, repr=False)
    seen: Array | None = field(default=None, repr=False)

    def where(self, chosen: Array) -> Rows:
        """The rows that a boolean array of length n chooses."""
        return Rows(
            ids=self.ids[chosen],
            labels=self.labels[chosen],
            predictions=self.predictions[chosen],
            scores=_of(self.scores, chosen),
            inputs=np.unique(self.inputs[chosen], return_inverse=True)[1],
            texts=_of(self.texts, chosen),
            slices={name: values[chosen] for name, values in self.slices.items()},
            seen=_of(self.seen, chosen),
        )

    @property
    def digest(self) -> str:
        """SHA-256 of what was evaluated, whatever the order: ids, labels and inputs."""
        inputs = np.full(len(self), "") if self.texts is None else self.texts
        lines = sorted(
            f"{each}\t{label}\t{given}\n"
            for each, label, given in zip(self.ids, self.labels, inputs, strict=True)
        )
        return hashlib.sha256("".join(lines).encode("utf-8", "surrogatepass")).hexdigest()

    def __len__(self) -> int:
        """How many rows there are."""
        return len(self.ids)


@dataclass(frozen=True, kw_only=True)
class Side:
    """What one model says of the rows of a :class:`Pair`; as in :class:`Rows`."""

    predictions: Array = field(repr=False)
    scores: Array | None = field(default=None, repr=False)


@dataclass(frozen=True, kw_only=True)
class Pair:
    """Two models on the very same rows: what is measured once, and what each model says."""

    labels: Array = field(repr=False)
    inputs: Array = field(repr=False)
    slices: Mapping[str, Array] = field(default_factory=dict, repr=False)
    candidate: Side
    baseline: Side

    def __len__(self) -> int:
        """How many rows there are."""
        return len(self.labels)

    def where(self, chosen: Array) -> Pair:
        """The rows that a boolean array of length n chooses."""
        return Pair(
            labels=self.labels[chosen],
            inputs=np.unique(self.inputs[chosen], return_inverse=True)[1],
            slices={name: values[chosen] for name, values in self.slices.items()},
            candidate=_chosen(self.candidate, chosen),
            baseline=_chosen(self.baseline, chosen),
        )


def paired(candidate: Rows, baseline: Rows) -> Pair | str:
    """Both models' predictions of the same rows, in the candidate's order.

    Returns:
        The pair, or in words what differs: the ids, their labels or their inputs.
    """
    order = np.argsort(baseline.ids)
    found = np.searchsorted(baseline.ids, candidate.ids, sorter=order)
    at = order[np.minimum(found, len(order) - 1)]
    missing = int(np.count_nonzero(baseline.ids[at] != candidate.ids))
    if missing or len(candidate) != len(baseline):
        return (
            f"the candidate has {len(candidate)} rows and the baseline {len(baseline)}, "
            f"of which {len(candidate) - missing} have the same id"
        )
    if np.any(baseline.labels[at] != candidate.labels):
        wrong = int(np.count_nonzero(baseline.labels[at] != candidate.labels))
        return f"{wrong} rows of the same id have another label"
    if candidate.texts is not None and baseline.texts is not None:
        wrong = int(np.count_nonzero(baseline.texts[at] != candidate.texts))
        if wrong:
            return f"{wrong} rows of the same id have another input"
    return Pair(
        labels=candidate.labels,
        # Whichever file tells of inputs: rows would count as more than they are.
        inputs=baseline.inputs[at]
        if candidate.texts is None and baseline.texts is not None
        else candidate.inputs,
        slices=candidate.slices,
        candidate=Side(predictions=candidate.predictions, scores=candidate.scores),
        baseline=Side(predictions=baseline.predictions[at], scores=_of(baseline.scores, at)),
    )


def _chosen(side: Side, chosen: Array) -> Side:
    return Side(predictions=side.predictions[chosen], scores=_of(side.scores, chosen))


def _of(values: Array | None, chosen: Array) -> Array | None:
    return None if values is None else values[chosen]
