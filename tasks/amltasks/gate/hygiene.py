"""What is wrong with an evaluation itself, measured from the predictions."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from amltasks.gate.model_types import BINARY, RANKING
from amltasks.gate.rows import Array, Rows

TRAINING_SHARE = "training_positive_share"
"""The logged metric that ``label_shift`` is measured against: label 1's share of the training."""


def value(
    name: str, rows: Rows | None, chosen: Array | None, metrics: Mapping[str, float]
) -> float | None:
    """One of :data:`amltasks.gate.rules.HYGIENE`, None where the rows do not tell it.

    Args:
        name: which.
        rows: the candidate's predictions, None when there are none.
        chosen: which rows (bool, n); None for all.
        metrics: what the run logged.
    """
    if rows is None:
        return None
    part = rows if chosen is None else rows.where(chosen)
    if name == "distinct_predictions":
        return float(len(np.unique(part.predictions, axis=0))) if part.predictions.size else None
    if name == "invalid_scores":
        if part.scores is None or part.model_type == RANKING:
            return None
        # NaN compares false with everything, so it counts as invalid.
        return float(np.mean(~((part.scores >= 0) & (part.scores <= 1))))
    if name == "seen_in_training":
        if part.seen is None:
            return None
        return len(np.unique(part.inputs[part.seen])) / len(np.unique(part.inputs))
    trained = metrics.get(TRAINING_SHARE)
    if part.model_type != BINARY:
        return None
    return None if trained is None else abs(float(np.mean(part.labels)) - trained)
