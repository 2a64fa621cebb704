"""Measures, against scikit-learn."""

import warnings
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics as theirs
from sklearn.calibration import calibration_curve

from amltasks.gate.measures import ALIASES, MEASURES, point
from amltasks.gate.rows import Side, Truth

BINARY = [each for each in MEASURES.values() if "binary" in each.model_types]
Data = tuple[Any, Any, Any]


def log_loss(labels: Any, scores: Any) -> float:
    return float(theirs.log_loss(labels, np.clip(scores, 1e-7, 1 - 1e-7), labels=[0, 1]))


def calibration_error(labels: Any, scores: Any) -> float:
    """From the bins of scikit-learn's calibration curve."""
    true, predicted = calibration_curve(labels, scores, n_bins=15)
    edges = np.linspace(0, 1, 16)
    counts = np.bincount(np.searchsorted(edges[1:-1], scores), minlength=15)
    return float(np.sum(np.abs(true - predicted) * counts[counts > 0]) / len(labels))


def average_precision(labels: Any, scores: Any, **more: Any) -> float:
    """scikit-learn's, which says 0 where there is no positive label."""
    return float(theirs.average_precision_score(labels, scores, **more)) if any(labels) else np.nan


# scikit-learn warns of what it does not define; we only say it.
THEIRS: dict[str, Callable[[Any, Any], float]] = {
    "accuracy": theirs.accuracy_score,
    "balanced_accuracy": theirs.balanced_accuracy_score,
    "precision": partial(theirs.precision_score, zero_division=np.nan),
    "recall": partial(theirs.recall_score, zero_division=np.nan),
    "specificity": partial(theirs.recall_score, pos_label=0, zero_division=np.nan),
    "f1": partial(theirs.f1_score, zero_division=np.nan),
    "auc": theirs.roc_auc_score,
    "average_precision": average_precision,
    "log_loss": log_loss,
    "brier": partial(theirs.brier_score_loss, pos_label=1),
    "calibration_error": calibration_error,
}


@st.composite
def rows(draw: st.DrawFn) -> Data:
    """Up to 40 rows; few distinct scores, so that ties are common, and often one class only."""
    count = draw(st.integers(1, 40))
    of = st.sampled_from([0, 1])
    labels = draw(st.lists(of, min_size=count, max_size=count))
    predictions = draw(st.lists(of, min_size=count, max_size=count))
    value = draw(st.sampled_from([st.sampled_from([0.0, 0.2, 0.5, 1.0]), st.floats(0, 1)]))
    scores = draw(st.lists(value, min_size=count, max_size=count))
    return np.array(labels, dtype=np.int8), np.array(predictions, dtype=np.int8), np.array(scores)


def seen(labels: Any, predictions: Any, scores: Any = None) -> tuple[Truth, Side]:
    return Truth(labels=labels), Side(predictions=predictions, scores=scores)


@settings(max_examples=150, deadline=None)
@given(data=rows())
def test_every_measure_agrees_with_scikit_learn(data: Data) -> None:
    labels, predictions, scores = data
    for name, function in THEIRS.items():
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            expected = function(labels, scores if MEASURES[name].needs_scores else predictions)
        found = point(name, *seen(*data))
        np.testing.assert_allclose(found, expected, atol=1e-12, err_msg=name)


@settings(max_examples=100, deadline=None)
@given(data=rows(), seed=st.integers(0, 99))
def test_a_weight_counts_as_so_many_rows(data: Data, seed: int) -> None:
    """scikit-learn's calibration curve knows no weights, so the rows are repeated for it."""
    labels, predictions, scores = data
    weights = np.random.default_rng(seed).integers(1, 5, len(labels))
    many = np.repeat(np.arange(len(labels)), weights)
    truth = Truth(labels=labels, weights=weights.astype(np.float64))
    for name, function in THEIRS.items():
        said = (scores if MEASURES[name].needs_scores else predictions)[many]
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            expected = function(labels[many], said)
        found = point(name, truth, Side(predictions=predictions, scores=scores))
        np.testing.assert_allclose(found, expected, atol=1e-12, err_msg=name)


def test_every_measure_has_been_compared() -> None:
    assert {measure.name for measure in BINARY} == set(THEIRS)
    assert set(MEASURES) >= set(THEIRS) | set(ALIASES)
    assert MEASURES["ece"].name == "calibration_error"
    assert [m for m in THEIRS if MEASURES[m].direction == "lower"] == [
        "log_loss",
        "brier",
        "calibration_error",
    ]


@pytest.mark.parametrize("name", sorted({measure.name for measure in BINARY}))
def test_what_is_not_defined_is_nan(name: str) -> None:
    none = np.array([], dtype=np.int8)
    assert np.isnan(point(name, *seen(none, none, none.astype(float))))
    labels = np.array([0, 1, 1], dtype=np.int8)
    for scores in (None, np.array([0.1, np.nan, 0.2]), np.array([0.1, np.inf, 0.2])):
        found = point(name, *seen(labels, labels, scores))
        assert np.isnan(found) == MEASURES[name].needs_scores


def test_scores_beyond_a_probability_stay_defined() -> None:
    labels, scores = np.array([0, 1, 1]), np.array([-3.0, 2.0, 0.5])
    for measure in BINARY:
        if measure.needs_scores:
            assert np.isfinite(point(measure.name, *seen(labels, labels, scores)))
