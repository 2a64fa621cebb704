"""A model's predictions, row by row, and two models' predictions of the same rows."""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from amltasks.gate import model_types

Array = npt.NDArray[Any]

ALL_ROWS = "all rows"
"""The scope of a rule without slices, as checks, comparisons and reports call it."""


@dataclass(frozen=True, kw_only=True)
class Truth:
    """What predictions of n rows are measured against.

    ``labels`` depends on ``model_type``:

    - ``binary``: 0 or 1 (int8, shape (n,)); ``classes`` names what 0 and 1 stand for;
    - ``multiclass``: the position in ``classes`` (int64, shape (n,));
    - ``multilabel``: 0 or 1 for each of ``classes`` (int8, shape (n, classes));
    - ``regression``: the true value (float64, shape (n,));
    - ``ranking``: the relevance, 0 or more (float64, shape (n,));
    - ``scores``: there are no labels (float64, shape (n, 0)).

    ``weights`` are the rows' weights, 0 or more (float64), None when all rows count alike.
    ``queries`` numbers the query of each row of a ranking from 0 (int64), else it is None.
    """

    model_type: str = model_types.BINARY
    classes: tuple[str, ...] = ("0", "1")
    labels: Array = field(repr=False)
    weights: Array | None = field(default=None, repr=False)
    queries: Array | None = field(default=None, repr=False)

    def __len__(self) -> int:
        """How many rows there are."""
        return len(self.labels)


@dataclass(frozen=True, kw_only=True)
class Side:
    """What one model says of n rows.

    ``predictions`` is shaped and coded as the labels of :class:`Truth`; a ranking and plain scores
    have none, shape (n, 0). ``scores`` (float64) are the probabilities of label 1 (binary), of each
    class (multiclass, multilabel; shape (n, classes)), or what the rows of a query are ordered by
    (ranking); None when there are none. ``values`` maps a column of numbers to its values (float64,
    shape (n,)). ``kept`` holds what takes long to derive from the scores; see `ranks.ranked`.
    """

    predictions: Array = field(repr=False)
    scores: Array | None = field(default=None, repr=False)
    values: Mapping[str, Array] = field(default_factory=dict, repr=False)
    kept: dict[str, Any] = field(default_factory=dict, init=False, repr=False, compare=False)


@dataclass(frozen=True, kw_only=True)
class Rows:
    """One model's predictions; arrays of one length n, in the order of the file.

    ``ids`` are unique texts. ``model_type``, ``classes``, ``labels``, ``weights`` and ``queries``
    are those of :class:`Truth`, ``predictions``, ``scores`` and ``values`` those of :class:`Side`.
    ``inputs`` numbers the clusters from 0 (int64): the rows of one distinct input, and of one
    group, are one cluster; without such columns every row is its own. ``slices`` maps a column to
    each row's value (texts), ``seen`` says whether the row's input was trained on (bool), None when
    the file does not say. ``notes`` are sentences on what a person should know about the file.
    """

    ids: Array = field(repr=False)
    model_type: str = model_types.BINARY
    classes: tuple[str, ...] = ("0", "1")
    labels: Array = field(repr=False)
    predictions: Array = field(repr=False)
    scores: Array | None = field(default=None, repr=False)
    values: Mapping[str, Array] = field(default_factory=dict, repr=False)
    weights: Array | None = field(default=None, repr=False)
    queries: Array | None = field(default=None, repr=False)
    inputs: Array = field(repr=False)
    texts: Array | None = field(default=None, repr=False)
    slices: Mapping[str, Array] = field(default_factory=dict, repr=False)
    seen: Array | None = field(default=None, repr=False)
    notes: tuple[str, ...] = ()

    @property
    def truth(self) -> Truth:
        """What the predictions are measured against."""
        return Truth(
            model_type=self.model_type,
            classes=self.classes,
            labels=self.labels,
            weights=self.weights,
            queries=self.queries,
        )

    @property
    def side(self) -> Side:
        """What the model says."""
        return Side(predictions=self.predictions, scores=self.scores, values=self.values)

    def where(self, chosen: Array) -> Rows:
        """The rows that a boolean array of length n chooses, or those at positions, in order."""
        return replace(
            self,
            ids=self.ids[chosen],
            labels=self.labels[chosen],
            predictions=self.predictions[chosen],
            scores=_of(self.scores, chosen),
            values=_each(self.values, chosen),
            weights=_of(self.weights, chosen),
            queries=_numbered(_of(self.queries, chosen)),
            inputs=np.unique(self.inputs[chosen], return_inverse=True)[1],
            texts=_of(self.texts, chosen),
            slices=_each(self.slices, chosen),
            seen=_of(self.seen, chosen),
        )

    @functools.cached_property
    def digest(self) -> str:
        """SHA-256 of ids, labels, inputs, and weights and queries if any, whatever the order."""
        inputs = np.full(len(self), "") if self.texts is None else self.texts
        more = [each for each in (self.weights, self.queries) if each is not None]
        columns = zip(self.ids, self._label_texts(), inputs, *more, strict=True)
        lines = sorted("\t".join(map(str, fields)) + "\n" for fields in columns)
        return hashlib.sha256("".join(lines).encode("utf-8", "surrogatepass")).hexdigest()

    def _label_texts(self) -> list[str]:
        """Each label as a text that does not depend on which other labels the file has."""
        if self.model_type == model_types.SCORES:
            return [""] * len(self)
        if self.model_type in (model_types.BINARY, model_types.MULTICLASS):
            return [self.classes[label] for label in self.labels]
        if self.model_type == model_types.MULTILABEL:
            names = np.array(self.classes, dtype=object)
            return ["|".join(sorted(names[row == 1])) for row in self.labels]
        return [repr(float(label)) for label in self.labels]

    def __len__(self) -> int:
        """How many rows there are."""
        return len(self.ids)


@dataclass(frozen=True, kw_only=True)
class Pair:
    """Two models on the very same rows: what is measured once, and what each model says.

    The fields are those of :class:`Rows` and :class:`Side`.
    """

    model_type: str = model_types.BINARY
    classes: tuple[str, ...] = ("0", "1")
    labels: Array = field(repr=False)
    weights: Array | None = field(default=None, repr=False)
    queries: Array | None = field(default=None, repr=False)
    inputs: Array = field(repr=False)
    slices: Mapping[str, Array] = field(default_factory=dict, repr=False)
    candidate: Side
    baseline: Side

    @property
    def truth(self) -> Truth:
        """What both models are measured against."""
        return Truth(
            model_type=self.model_type,
            classes=self.classes,
            labels=self.labels,
            weights=self.weights,
            queries=self.queries,
        )

    def __len__(self) -> int:
        """How many rows there are."""
        return len(self.labels)

    def where(self, chosen: Array) -> Pair:
        """The rows that a boolean array of length n chooses."""
        return replace(
            self,
            labels=self.labels[chosen],
            weights=_of(self.weights, chosen),
            queries=_numbered(_of(self.queries, chosen)),
            inputs=np.unique(self.inputs[chosen], return_inverse=True)[1],
            slices=_each(self.slices, chosen),
            candidate=_chosen(self.candidate, chosen),
            baseline=_chosen(self.baseline, chosen),
        )


def paired(candidate: Rows, baseline: Rows) -> Pair | str:
    """Both models' predictions of the same rows, in the candidate's order.

    Returns:
        The pair, or in words what differs: the kind of model, the ids, their labels, inputs,
        weights, queries or slices.
    """
    if candidate.model_type != baseline.model_type:
        return (
            f"the candidate's predictions are of a {candidate.model_type} model and the "
            f"baseline's of a {baseline.model_type} model"
        )
    order = np.argsort(baseline.ids)
    found = np.searchsorted(baseline.ids, candidate.ids, sorter=order)
    at = order[np.minimum(found, len(order) - 1)]
    missing = int(np.count_nonzero(baseline.ids[at] != candidate.ids))
    if missing or len(candidate) != len(baseline):
        return (
            f"the candidate has {len(candidate)} rows and the baseline {len(baseline)}, "
            f"of which {len(candidate) - missing} have the same id"
        )
    classes = _common_classes(candidate, baseline)
    if isinstance(classes, str):
        return classes
    new, old = recoded(candidate, classes), recoded(baseline.where(at), classes)
    return _difference(new, old) or Pair(
        model_type=new.model_type,
        classes=classes,
        labels=new.labels,
        weights=new.weights,
        queries=new.queries,
        # Whichever file tells of inputs: rows would count as more than they are.
        inputs=joined(new.inputs, old.inputs),
        slices=new.slices,
        candidate=new.side,
        baseline=old.side,
    )


def joined(first: Array, second: Array) -> Array:
    """Clusters of n rows, numbered from 0: rows that share either number are of one cluster."""
    if len(first) == 0 or np.array_equal(first, second):
        return first
    # Both take a quarter of a second to import, and few files have two kinds of clusters.
    from scipy import sparse
    from scipy.sparse import csgraph

    nodes = int(first.max()) + 1
    size = nodes + int(second.max()) + 1
    edges = sparse.coo_array((np.ones(len(first)), (first, second + nodes)), shape=(size, size))
    _, component = csgraph.connected_components(edges, directed=False)
    return np.unique(component[first], return_inverse=True)[1].astype(np.int64)


def _common_classes(candidate: Rows, baseline: Rows) -> tuple[str, ...] | str:
    """The classes of both models, or in words how they exclude each other."""
    if candidate.classes == baseline.classes:
        return candidate.classes
    if candidate.model_type in model_types.MANY_CLASSES:
        return tuple(sorted({*candidate.classes, *baseline.classes}))
    # One file may show the positive label only; the name of its other label is then empty.
    both = [
        sorted({new, old} - {""})
        for new, old in zip(candidate.classes, baseline.classes, strict=True)
    ]
    for number, names in enumerate(both):
        if len(names) > 1:
            return (
                f"label {number} stands for '{candidate.classes[number]}' in the candidate's "
                f"predictions and for '{baseline.classes[number]}' in the baseline's"
            )
    return tuple(names[0] if names else "" for names in both)


def recoded(rows: Rows, classes: tuple[str, ...]) -> Rows:
    """The same rows, their labels and scores coded by other classes, which hold their own."""
    if rows.classes == classes or rows.model_type not in model_types.MANY_CLASSES:
        return replace(rows, classes=classes)
    position = {name: number for number, name in enumerate(classes)}
    at = np.array([position[name] for name in rows.classes], dtype=np.int64)

    def spread(matrix: Array) -> Array:
        wide = np.zeros((len(matrix), len(classes)), dtype=matrix.dtype)
        wide[:, at] = matrix
        return wide

    many = rows.model_type == model_types.MULTILABEL
    return replace(
        rows,
        classes=classes,
        labels=spread(rows.labels) if many else at[rows.labels],
        predictions=spread(rows.predictions) if many else at[rows.predictions],
        scores=None if rows.scores is None else spread(rows.scores),
    )


def _difference(candidate: Rows, baseline: Rows) -> str:
    """In words how rows of the same ids, in the same order, differ; empty when they do not."""
    if (candidate.weights is None) != (baseline.weights is None):
        which = "baseline" if candidate.weights is None else "candidate"
        return f"only the {which}'s predictions have weights"
    columns: list[tuple[str, Array | None, Array | None]] = [
        ("another label", candidate.labels, baseline.labels),
        ("another input", candidate.texts, baseline.texts),
        ("another weight", candidate.weights, baseline.weights),
    ]
    for name in sorted(candidate.slices.keys() & baseline.slices.keys()):
        columns.append((f"another '{name}'", candidate.slices[name], baseline.slices[name]))
    for what, new, old in columns:
        wrong = _unlike(new, old)
        if wrong:
            return f"{wrong} rows of the same id have {what}"
    if not _same_queries(candidate.queries, baseline.queries):
        return "rows of the same id belong to other queries"
    return ""


def _unlike(new: Array | None, old: Array | None) -> int:
    """How many rows of two columns differ; 0 where one is not there."""
    if new is None or old is None:
        return 0
    unlike = old != new
    return int(np.count_nonzero(unlike.any(axis=1) if unlike.ndim > 1 else unlike))


def _same_queries(new: Array | None, old: Array | None) -> bool:
    """Whether the rows are in the same queries, whatever their numbers."""
    if new is None or old is None:
        return True
    pairs = np.unique(np.stack([new, old]), axis=1).shape[1]
    return bool(pairs == new.max() + 1 == old.max() + 1)


def _chosen(side: Side, chosen: Array) -> Side:
    return Side(
        predictions=side.predictions[chosen],
        scores=_of(side.scores, chosen),
        values=_each(side.values, chosen),
    )


def _of(values: Array | None, chosen: Array) -> Array | None:
    return None if values is None else values[chosen]


def _each(values: Mapping[str, Array], chosen: Array) -> dict[str, Array]:
    return {name: each[chosen] for name, each in values.items()}


def _numbered(codes: Array | None) -> Array | None:
    """Codes as numbers from 0 without a gap."""
    return None if codes is None else np.unique(codes, return_inverse=True)[1].astype(np.int64)
