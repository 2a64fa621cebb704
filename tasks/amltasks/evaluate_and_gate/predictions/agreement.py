"""Whether what a model predicts and the scores that it gives are of one model."""

from __future__ import annotations

import numpy as np

from amltasks.evaluate_and_gate.predictions.columns import Columns
from amltasks.gate.rows import Array

_TIE = 1e-9


def of_two(
    columns: Columns, predictions: Array, scores: Array, of_class: str = ""
) -> tuple[str, ...]:
    """Say what is odd about predictions of 0 and 1 and the scores of 1, both of shape (n,).

    ``of_class`` is the class that they are of, where a row may have several.

    Raises:
        TaskError: ``PREDICTIONS_INVALID`` where all of them contradict each other.
    """
    whose = f" of the class '{of_class}'" if of_class else ""
    known = np.isfinite(scores)
    notes = []
    if not known.all():
        notes.append(f"{int((~known).sum())} rows have no score{whose} that is a number")
    called, rest = scores[known & (predictions == 1)], scores[known & (predictions == 0)]
    if not len(called) or not len(rest):
        return tuple(notes)
    if called.max() < rest.min():
        raise columns.invalid(
            f"its predictions{whose} contradict its scores: every row that is predicted 1 has a "
            "lower score than every row that is predicted 0; is the score that of the other label?"
        )
    if called.min() < rest.max():
        wrong = int(min((called < rest.max()).sum(), (rest > called.min()).sum()))
        notes.append(
            f"no one threshold of the scores{whose} gives the predictions: at least {wrong} rows "
            "are on the wrong side of any"
        )
    return tuple(notes)


def of_many(columns: Columns, predictions: Array, scores: Array) -> tuple[str, ...]:
    """Say what is odd about predicted classes, shape (n,), and scores, shape (n, classes).

    Raises:
        TaskError: ``PREDICTIONS_INVALID`` where no row is predicted by its highest score.
    """
    known = np.isfinite(scores).all(axis=1)
    notes = []
    if not known.all():
        notes.append(f"{int((~known).sum())} rows have a score that is no number")
    own = scores[known, predictions[known]]
    lower = own < scores[known].max(axis=1, initial=0) - _TIE
    if lower.all() and lower.any():
        raise columns.invalid(
            "its predictions contradict its scores: in no row is the predicted class the one with "
            "the highest score; do the columns of the scores belong to these classes?"
        )
    if lower.any():
        notes.append(f"{int(lower.sum())} rows are not predicted by their highest score")
    return tuple(notes)
