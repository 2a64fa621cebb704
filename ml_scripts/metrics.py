"""Measures of a classifier with two classes; label 1 is the positive one.

Formulas: Fawcett, "An introduction to ROC analysis", Pattern Recognition Letters 27 (2006).
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

THRESHOLD = 0.5
# Keeps the logarithm finite for a score of exactly 0 or 1, as scikit-learn and Keras do.
_SMALLEST = 1e-7

BINS = 15

Array = npt.NDArray[Any]


@dataclass(frozen=True, kw_only=True)
class Bin:
    """Rows with like scores: in a calibrated model ``share`` of label 1 is their ``mean_score``."""

    rows: int
    mean_score: float
    share: float


def calibration(labels: Array, scores: Array) -> list[Bin]:
    """Return the bins of equal width in the score that hold rows, from the lowest score on.

    Their differences, weighted by rows, add up to the expected calibration error (Guo et al., "On
    calibration of modern neural networks", ICML 2017).
    """
    of = np.minimum((scores * BINS).astype(int), BINS - 1)
    return [
        Bin(
            rows=int(np.sum(of == number)),
            mean_score=float(np.mean(scores[of == number])),
            share=float(np.mean(labels[of == number])),
        )
        for number in np.unique(of)
    ]


def predictions(scores: Array) -> npt.NDArray[np.int64]:
    """Turn scores into labels: 1 where the score is at least `THRESHOLD`."""
    return (scores >= THRESHOLD).astype(np.int64)


def classification_metrics(labels: Array, scores: Array) -> dict[str, float]:
    """Return accuracy, precision, recall, f1, auc, log_loss, brier, calibration_error, test_rows.

    ``labels`` are 0 or 1, both present; ``scores`` are probabilities of 1. A ratio without cases
    (precision when nothing was called positive) counts as 0.
    """
    predicted = predictions(scores)
    true_positives = int(np.sum((predicted == 1) & (labels == 1)))
    precision = _ratio(true_positives, int(np.sum(predicted == 1)))
    recall = _ratio(true_positives, int(np.sum(labels == 1)))
    bounded = np.clip(scores.astype(np.float64), _SMALLEST, 1 - _SMALLEST)
    return {
        "accuracy": float(np.mean(predicted == labels)),
        "precision": precision,
        "recall": recall,
        "f1": _ratio(2 * precision * recall, precision + recall),
        "auc": _auc(labels, scores),
        "log_loss": float(-np.mean(np.where(labels == 1, np.log(bounded), np.log1p(-bounded)))),
        "brier": float(np.mean((scores - labels) ** 2)),
        "calibration_error": sum(
            each.rows * abs(each.mean_score - each.share) for each in calibration(labels, scores)
        )
        / len(labels),
        "test_rows": float(len(labels)),
    }


def _ratio(part: float, whole: float) -> float:
    return part / whole if whole else 0.0


def _auc(labels: Array, scores: Array) -> float:
    """Return how often a positive row scores above a negative one; a tie counts half.

    This is the Mann-Whitney statistic, computed from the mean ranks of equal scores.
    """
    _, group, sizes = np.unique(scores, return_inverse=True, return_counts=True)
    mean_ranks = np.cumsum(sizes) - (sizes - 1) / 2
    positives = int(np.sum(labels == 1))
    negatives = len(labels) - positives
    rank_sum = float(np.sum(mean_ranks[group][labels == 1]))
    return (rank_sum - positives * (positives + 1) / 2) / (positives * negatives)
