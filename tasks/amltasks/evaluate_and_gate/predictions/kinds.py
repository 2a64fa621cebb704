"""Labels, predictions and scores of each kind of model, from the columns of a file."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np
import polars as pl

from amltasks.evaluate_and_gate.predictions.columns import Columns
from amltasks.evaluate_and_gate.predictions.layout import Layout
from amltasks.evaluate_and_gate.predictions.problem import listed
from amltasks.gate import model_types
from amltasks.gate.rows import Array

THRESHOLD = 0.5
MOST_CLASSES = 1000
"""More distinct labels are refused: they are no classes, or too many to count each by itself."""

_BINARY_WORDS = ("0", "1", "false", "true")
# By how much the probabilities of a row may fail to add up to 1, as rounded ones do.
_ROUNDING = 0.01


@dataclass(frozen=True, kw_only=True)
class Said:
    """Labels and what the model says; as in :class:`amltasks.gate.rows.Rows`."""

    classes: tuple[str, ...] = ()
    labels: Array = field(repr=False)
    predictions: Array = field(repr=False)
    scores: Array | None = field(default=None, repr=False)
    notes: tuple[str, ...] = ()


def decided(columns: Columns, layout: Layout) -> str:
    """The kind of model that a file is of, among those that the rules allow."""
    allowed = layout.model_types
    if len(allowed) == 1:
        return allowed[0]
    if "label" not in columns:
        wide = model_types.MULTILABEL in allowed and columns.family("label")
        fallback = model_types.SCORES if model_types.SCORES in allowed else allowed[0]
        return model_types.MULTILABEL if wide else fallback
    if isinstance(columns.series("label").dtype, pl.List) and model_types.MULTILABEL in allowed:
        return model_types.MULTILABEL
    if model_types.RANKING in allowed and "query" in columns:
        return model_types.RANKING
    labels = columns.labels("label")
    two = bool(layout.positive_label) or labels.str.to_lowercase().is_in(_BINARY_WORDS).all()
    if model_types.BINARY in allowed and two:
        return model_types.BINARY
    numbers = labels.cast(pl.Float64, strict=False)
    if model_types.REGRESSION in allowed and numbers.is_finite().fill_null(False).all():
        return model_types.REGRESSION
    if model_types.MULTICLASS in allowed:
        return model_types.MULTICLASS
    return allowed[0]


def said(model_type: str, columns: Columns, layout: Layout) -> Said:
    """Read the columns that a kind of model has.

    Raises:
        TaskError: ``PREDICTIONS_INVALID``
    """
    return _READERS[model_type](columns, layout)


def _needs_either(columns: Columns, first: str, second: str) -> None:
    if first not in columns and second not in columns:
        raise columns.invalid(
            f"it has neither a column '{first}' nor '{second}'; its columns are "
            f"{listed(columns.names)}"
        )


# --- two classes -----------------------------------------------------------------------------


def _binary(columns: Columns, layout: Layout) -> Said:
    columns.series("label")
    _needs_either(columns, "prediction", "score")
    classes = _two_classes(columns, layout.positive_label) if layout.positive_label else ("0", "1")
    labels = _ones(columns, "label", layout)
    scores = columns.numbers("score") if "score" in columns else None
    if scores is not None:
        _refuse_per_cent(columns, scores)
    if "prediction" not in columns:
        assert scores is not None  # noqa: S101 - one of the two is there
        predictions = _cut(columns, scores)
        return Said(classes=classes, labels=labels, predictions=predictions, scores=scores)
    predictions = _ones(columns, "prediction", layout)
    notes = () if scores is None else _agreement(columns, predictions, scores)
    return Said(classes=classes, labels=labels, predictions=predictions, scores=scores, notes=notes)


def _ones(columns: Columns, role: str, layout: Layout) -> Array:
    """1 where a column has the positive label."""
    if layout.positive_label:
        return (columns.labels(role) == layout.positive_label).to_numpy().astype(np.int8)
    names = sorted(columns.labels(role).unique())
    other = not any(name in _BINARY_WORDS for name in names)
    if role == "label" and len(names) == 2 and other:
        raise columns.invalid(
            f"its labels are {listed(map(repr, names))}; say in the rules which of them is "
            f"positive, such as 'positive_label: {names[1]}'"
        )
    return columns.binary(role)


def _two_classes(columns: Columns, positive: str) -> tuple[str, str]:
    names = set(columns.labels("label").unique())
    if "prediction" in columns:
        names |= set(columns.labels("prediction").unique())
    if positive not in names:
        raise columns.invalid(
            f"no row has the positive label '{positive}'; its labels are {listed(sorted(names))}"
        )
    others = sorted(names - {positive})
    if len(others) > 1:
        raise columns.invalid(
            f"it has {len(names)} labels, {listed(sorted(names))}, where positive_label asks for "
            "two; for more write 'model_type: multiclass'"
        )
    return (others[0] if others else "", positive)


def _refuse_per_cent(columns: Columns, scores: Array) -> None:
    known = scores[np.isfinite(scores)]
    if len(known) > 1 and known.min() >= 0 and np.median(known) > 1 and known.max() <= 100:
        raise columns.invalid(
            f"its scores go from {known.min():g} to {known.max():g}, which looks like per cent; "
            "write probabilities from 0 to 1"
        )


def _cut(columns: Columns, scores: Array) -> Array:
    """Predictions from probabilities. NaN >= 0.5 is false: a 0 that the model never said."""
    unknown = ~np.isfinite(scores)
    if unknown.any():
        raise columns.invalid(
            f"data row {int(unknown.argmax()) + 1} has neither a prediction nor a score that is a "
            "number"
        )
    beyond = (scores < 0) | (scores > 1)
    if beyond.any():
        at = int(beyond.argmax())
        raise columns.invalid(
            f"the score of data row {at + 1} is {scores[at]:g}, which is no probability, so it "
            "does not tell the prediction; add a column 'prediction'"
        )
    return (scores >= THRESHOLD).astype(np.int8)


def _agreement(columns: Columns, predictions: Array, scores: Array) -> tuple[str, ...]:
    """What there is to say of predictions and scores that contradict each other."""
    known = np.isfinite(scores)
    notes = []
    if not known.all():
        notes.append(f"{int((~known).sum())} rows have no score that is a number")
    called, rest = scores[known & (predictions == 1)], scores[known & (predictions == 0)]
    if not len(called) or not len(rest):
        return tuple(notes)
    if called.max() < rest.min():
        raise columns.invalid(
            "its predictions contradict its scores: every row that is predicted 1 has a lower "
            "score than every row that is predicted 0; is the score that of the other label?"
        )
    if called.min() < rest.max():
        wrong = int(min((called < rest.max()).sum(), (rest > called.min()).sum()))
        notes.append(
            f"no one threshold of the scores gives the predictions: at least {wrong} rows are "
            "on the wrong side of any"
        )
    return tuple(notes)


# --- many classes ----------------------------------------------------------------------------


def _multiclass(columns: Columns, _layout: Layout) -> Said:
    labels = columns.labels("label")
    by_class = columns.family("score")
    if "prediction" not in columns and not by_class:
        raise columns.invalid(
            "it has neither a column 'prediction' nor one 'score_CLASS' for each class; its "
            f"columns are {listed(columns.names)}"
        )
    predictions = columns.labels("prediction") if "prediction" in columns else None
    names = set(labels.unique()) | set(by_class)
    if predictions is not None:
        names |= set(predictions.unique())
    classes = tuple(sorted(names))
    _refuse_too_many(columns, classes)
    scores = _probabilities(columns, by_class, classes, set(labels.unique()))
    return Said(
        classes=classes,
        labels=_positions(labels, classes),
        predictions=(
            _likeliest(columns, scores) if predictions is None else _positions(predictions, classes)
        ),
        scores=scores,
    )


def _refuse_too_many(columns: Columns, classes: tuple[str, ...]) -> None:
    if len(classes) <= MOST_CLASSES:
        return
    numeric = pl.Series(classes).cast(pl.Float64, strict=False).is_not_null().all()
    hint = "; for numbers write 'model_type: regression'" if numeric else ""
    raise columns.invalid(f"its {len(classes):,} labels are more than {MOST_CLASSES:,}{hint}")


def _positions(texts: pl.Series, classes: tuple[str, ...]) -> Array:
    return np.searchsorted(np.array(classes, dtype=object), texts.to_numpy().astype(object))


def _probabilities(
    columns: Columns, by_class: Mapping[str, str], classes: tuple[str, ...], labels: set[str]
) -> Array | None:
    if not by_class:
        return None
    missing = sorted(labels - set(by_class))
    if missing:
        raise columns.invalid(
            f"the label '{missing[0]}' has no column 'score_{missing[0]}'; its columns are "
            f"{listed(columns.names)}"
        )
    found = np.zeros((len(columns), len(classes)))
    for at, name in enumerate(classes):
        if name in by_class:
            found[:, at] = columns.numbers(by_class[name])
    wrong = (found < 0) | (found > 1)
    if wrong.any():
        row, at = (int(each[0]) for each in np.nonzero(wrong))
        raise columns.invalid(
            f"the score of data row {row + 1} for '{classes[at]}' is {found[row, at]:g}; write "
            "probabilities from 0 to 1"
        )
    total = found.sum(axis=1)
    off = np.abs(total - 1) > _ROUNDING
    if off.any():
        row = int(off.argmax())
        raise columns.invalid(
            f"the probabilities of data row {row + 1} add up to {total[row]:.4g}, not to 1"
        )
    return found


def _likeliest(columns: Columns, scores: Array | None) -> Array:
    assert scores is not None  # noqa: S101 - or there were predictions
    unknown = ~np.isfinite(scores).all(axis=1)
    if unknown.any():
        raise columns.invalid(
            f"data row {int(unknown.argmax()) + 1} has neither a prediction nor scores that are "
            "numbers"
        )
    return np.asarray(scores.argmax(axis=1), dtype=np.int64)


# --- many labels -----------------------------------------------------------------------------


def _multilabel(columns: Columns, _layout: Layout) -> Said:
    if "label" in columns:
        return _lists(columns)
    by_class, predicted, scored = (
        columns.family(role) for role in ("label", "prediction", "score")
    )
    if not by_class:
        raise columns.invalid(
            "it has neither a column 'label' nor one 'label_CLASS' for each class; its columns are "
            f"{listed(columns.names)}"
        )
    classes = tuple(sorted({*by_class, *predicted}))
    _refuse_too_many(columns, classes)
    for name in classes:
        if name not in by_class:
            raise columns.invalid(f"the class '{name}' has a prediction and no 'label_{name}'")
        if name not in predicted and name not in scored:
            raise columns.invalid(
                f"the class '{name}' has neither 'prediction_{name}' nor 'score_{name}'"
            )
    scores = _columns_of(columns, scored, classes)
    labels = np.column_stack([columns.binary(by_class[name]) for name in classes])
    predictions = np.zeros_like(labels)
    for at, name in enumerate(classes):
        if name in predicted:
            predictions[:, at] = columns.binary(predicted[name])
        else:
            predictions[:, at] = _cut(columns, columns.numbers(scored[name]))
    return Said(classes=classes, labels=labels, predictions=predictions, scores=scores)


def _columns_of(
    columns: Columns, scored: Mapping[str, str], classes: tuple[str, ...]
) -> Array | None:
    if not set(classes) <= set(scored):
        return None
    return np.column_stack([columns.numbers(scored[name]) for name in classes])


def _lists(columns: Columns) -> Said:
    """Labels as lists, or as texts between which a ``|`` stands."""
    given = [_split(columns, role) for role in ("label", "prediction")]
    classes = tuple(sorted({name for rows in given for row in rows for name in row}))
    _refuse_too_many(columns, classes)
    at = {name: number for number, name in enumerate(classes)}
    labels, predictions = (np.zeros((len(columns), len(classes)), dtype=np.int8) for _ in given)
    for matrix, rows in zip((labels, predictions), given, strict=True):
        for row, names in enumerate(rows):
            matrix[row, [at[name] for name in names]] = 1
    scores = _columns_of(columns, columns.family("score"), classes)
    return Said(classes=classes, labels=labels, predictions=predictions, scores=scores)


def _split(columns: Columns, role: str) -> list[list[str]]:
    series = columns.series(role)
    if not isinstance(series.dtype, pl.List):
        series = columns.strings(role).fill_null("").str.split("|")
    texts = series.cast(pl.List(pl.String)).fill_null([])
    return [[name.strip() for name in row if name and name.strip()] for row in texts.to_list()]


# --- numbers ---------------------------------------------------------------------------------


def _regression(columns: Columns, _layout: Layout) -> Said:
    return Said(labels=columns.finite("label"), predictions=columns.finite("prediction"))


def _ranking(columns: Columns, _layout: Layout) -> Said:
    columns.series("query")
    labels = columns.finite("label")
    if (labels < 0).any():
        at = int((labels < 0).argmax()) + 1
        raise columns.invalid(f"the label of data row {at} is a relevance below 0")
    none = np.zeros((len(columns), 0))
    return Said(labels=labels, predictions=none, scores=columns.finite("score"))


def _plain_scores(columns: Columns, _layout: Layout) -> Said:
    none = np.zeros((len(columns), 0))
    return Said(labels=none, predictions=none)


_READERS: Mapping[str, Callable[[Columns, Layout], Said]] = {
    model_types.BINARY: _binary,
    model_types.MULTICLASS: _multiclass,
    model_types.MULTILABEL: _multilabel,
    model_types.REGRESSION: _regression,
    model_types.RANKING: _ranking,
    model_types.SCORES: _plain_scores,
}
