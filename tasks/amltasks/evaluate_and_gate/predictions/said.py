"""What a file of predictions says, for each kind of model."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import polars as pl

from amltasks.evaluate_and_gate.predictions.columns import Columns
from amltasks.gate.rows import Array

THRESHOLD = 0.5
MOST_CLASSES = 1000
"""More distinct labels are refused: they are no classes, or too many to count each by itself."""


@dataclass(frozen=True, kw_only=True)
class Said:
    """Labels and what the model says; as in :class:`amltasks.gate.rows.Rows`."""

    classes: tuple[str, ...] = ()
    labels: Array = field(repr=False)
    predictions: Array = field(repr=False)
    scores: Array | None = field(default=None, repr=False)
    notes: tuple[str, ...] = ()


def cut(columns: Columns, scores: Array) -> Array:
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


def refuse_too_many(columns: Columns, classes: tuple[str, ...]) -> None:
    """Raise ``PREDICTIONS_INVALID`` where there are more than `MOST_CLASSES`."""
    if len(classes) <= MOST_CLASSES:
        return
    numeric = pl.Series(classes).cast(pl.Float64, strict=False).is_not_null().all()
    hint = "; for numbers write 'model_type: regression'" if numeric else ""
    raise columns.invalid(f"its {len(classes):,} labels are more than {MOST_CLASSES:,}{hint}")
