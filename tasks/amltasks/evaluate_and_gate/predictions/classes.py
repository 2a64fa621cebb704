"""Labels, predictions and scores of a model with many classes, one or several of them a row."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import polars as pl

from amltasks.evaluate_and_gate.predictions import agreement
from amltasks.evaluate_and_gate.predictions.columns import Columns
from amltasks.evaluate_and_gate.predictions.layout import Layout
from amltasks.evaluate_and_gate.predictions.problem import listed
from amltasks.evaluate_and_gate.predictions.said import Said, cut, refuse_too_many
from amltasks.gate.rows import Array

# By how much the probabilities of a row may fail to add up to 1, as rounded ones do.
_ROUNDING = 0.01


def one(columns: Columns, _layout: Layout) -> Said:
    """Read one class a row.

    Raises:
        TaskError: ``PREDICTIONS_INVALID``
    """
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
    refuse_too_many(columns, classes)
    scores = _probabilities(columns, by_class, classes, set(labels.unique()))
    notes: tuple[str, ...] = ()
    if predictions is None:
        said = _likeliest(columns, scores)
    else:
        said = _positions(predictions, classes)
        notes = () if scores is None else agreement.of_many(columns, said, scores)
    return Said(
        classes=classes,
        labels=_positions(labels, classes),
        predictions=said,
        scores=scores,
        notes=notes,
    )


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


def several(columns: Columns, _layout: Layout) -> Said:
    """Read any number of classes a row.

    Raises:
        TaskError: ``PREDICTIONS_INVALID``
    """
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
    refuse_too_many(columns, classes)
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
            predictions[:, at] = cut(columns, columns.numbers(scored[name]))
    return _of_labels(columns, classes, labels, predictions, scores)


def _of_labels(
    columns: Columns,
    classes: tuple[str, ...],
    labels: Array,
    predictions: Array,
    scores: Array | None,
) -> Said:
    notes: list[str] = []
    if scores is not None:
        for at, name in enumerate(classes):
            notes += agreement.of_two(columns, predictions[:, at], scores[:, at], name)
    return Said(
        classes=classes, labels=labels, predictions=predictions, scores=scores, notes=tuple(notes)
    )


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
    refuse_too_many(columns, classes)
    at = {name: number for number, name in enumerate(classes)}
    labels, predictions = (np.zeros((len(columns), len(classes)), dtype=np.int8) for _ in given)
    for matrix, rows in zip((labels, predictions), given, strict=True):
        for row, names in enumerate(rows):
            matrix[row, [at[name] for name in names]] = 1
    scores = _columns_of(columns, columns.family("score"), classes)
    return _of_labels(columns, classes, labels, predictions, scores)


def _split(columns: Columns, role: str) -> list[list[str]]:
    series = columns.series(role)
    if not isinstance(series.dtype, pl.List):
        series = columns.strings(role).fill_null("").str.split("|")
    texts = series.cast(pl.List(pl.String)).fill_null([])
    return [[name.strip() for name in row if name and name.strip()] for row in texts.to_list()]
