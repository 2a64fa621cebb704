"""Labels, predictions and scores of a model with two classes."""

from __future__ import annotations

import numpy as np

from amltasks.evaluate_and_gate.predictions import agreement
from amltasks.evaluate_and_gate.predictions.columns import BINARY_WORDS, Columns
from amltasks.evaluate_and_gate.predictions.layout import Layout
from amltasks.evaluate_and_gate.predictions.problem import listed
from amltasks.evaluate_and_gate.predictions.said import Said, cut
from amltasks.gate.rows import Array


def read(columns: Columns, layout: Layout) -> Said:
    """Read them.

    Raises:
        TaskError: ``PREDICTIONS_INVALID``
    """
    columns.series("label")
    _needs_either(columns, "prediction", "score")
    classes = _two_classes(columns, layout.positive_label) if layout.positive_label else ("0", "1")
    labels = _ones(columns, "label", layout)
    scores = columns.numbers("score") if "score" in columns else None
    if scores is not None:
        _refuse_per_cent(columns, scores)
    if "prediction" not in columns:
        assert scores is not None  # noqa: S101 - one of the two is there
        predictions = cut(columns, scores)
        return Said(classes=classes, labels=labels, predictions=predictions, scores=scores)
    predictions = _ones(columns, "prediction", layout)
    notes = () if scores is None else agreement.of_two(columns, predictions, scores)
    return Said(classes=classes, labels=labels, predictions=predictions, scores=scores, notes=notes)


def _ones(columns: Columns, role: str, layout: Layout) -> Array:
    """1 where a column has the positive label."""
    if layout.positive_label:
        return (columns.labels(role) == layout.positive_label).to_numpy().astype(np.int8)
    names = sorted(columns.labels(role).unique())
    other = not any(name in BINARY_WORDS for name in names)
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


def _needs_either(columns: Columns, first: str, second: str) -> None:
    if first not in columns and second not in columns:
        raise columns.invalid(
            f"it has neither a column '{first}' nor '{second}'; its columns are "
            f"{listed(columns.names)}"
        )
