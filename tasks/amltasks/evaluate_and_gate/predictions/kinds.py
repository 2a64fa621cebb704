"""Labels, predictions and scores of each kind of model, from the columns of a file."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
import polars as pl

from amltasks.evaluate_and_gate.predictions import binary, classes
from amltasks.evaluate_and_gate.predictions.columns import BINARY_WORDS, Columns
from amltasks.evaluate_and_gate.predictions.layout import Layout
from amltasks.evaluate_and_gate.predictions.said import Said
from amltasks.gate import model_types


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
    two = bool(layout.positive_label) or labels.str.to_lowercase().is_in(BINARY_WORDS).all()
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
    model_types.BINARY: binary.read,
    model_types.MULTICLASS: classes.one,
    model_types.MULTILABEL: classes.several,
    model_types.REGRESSION: _regression,
    model_types.RANKING: _ranking,
    model_types.SCORES: _plain_scores,
}
