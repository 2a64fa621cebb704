"""Measures, against scikit-learn."""

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics as theirs

from amltasks.gate.measures import ALIASES, MEASURES, point

Data = tuple[Any, Any, Any]

# scikit-learn warns of what it does not define; we only say it.
THEIRS: dict[str, Callable[[Any, Any, Any], float]] = {
    "accuracy": lambda y, p, s: theirs.accuracy_score(y, p),
    "balanced_accuracy": lambda y, p, s: theirs.balanced_accuracy_score(y, p),
    "precision": lambda y, p, s: theirs.precision_score(y, p, zero_division=0),
    "recall": lambda y, p, s: theirs.recall_score(y, p, zero_division=0),
    "specificity": lambda y, p, s: theirs.recall_score(y, p, pos_label=0, zero_division=0),
    "f1": lambda y, p, s: theirs.f1_score(y, p, zero_division=0),
    "auc": lambda y, p, s: theirs.roc_auc_score(y, s),
    "average_precision": lambda y, p, s: theirs.average_precision_score(y, s),
    "log_loss": lambda y, p, s: theirs.log_loss(y, np.clip(s, 1e-7, 1 - 1e-7), labels=[0, 1]),
    "brier": lambda y, p, s: theirs.brier_score_loss(y, s, pos_label=1),
    "calibration_error": lambda y, p, s: calibration_error(y, s),
}


def calibration_error(labels: Any, scores: Any) -> float:
    """From the bins of scikit-learn's calibration curve."""
    from sklearn.calibration import calibration_curve

    true, predicted = calibration_curve(labels, scores, n_bins=15)
    edges = np.linspace(0, 1, 16)
    counts = np.bincount(np.searchsorted(edges[1:-1], scores), minlength=15)
    return float(np.sum(np.abs(true - predicted) * counts[counts > 0]) / len(labels))


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


@settings(max_examples=150, deadline=None)
@given(data=rows())
def test_every_measure_agrees_with_scikit_learn(data: Data) -> None:
    for name, function in THEIRS.items():
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            expected = function(*data)
        np.testing.assert_allclose(point(name, *data), expected, atol=1e-12, err_msg=name)


def test_every_measure_has_been_compared() -> None:
    assert {measure.name for measure in MEASURES.values()} == set(THEIRS)
    assert set(MEASURES) == set(THEIRS) | set(ALIASES)
    assert MEASURES["ece"].name == "calibration_error"
    assert [m for m in THEIRS if MEASURES[m].direction == "lower"] == [
        "log_loss",
        "brier",
        "calibration_error",
    ]


@pytest.mark.parametrize("name", sorted(MEASURES))
def test_what_is_not_defined_is_nan(name: str) -> None:
    none = np.array([], dtype=np.int8)
    assert np.isnan(point(name, none, none, none.astype(float)))
    labels = np.array([0, 1, 1], dtype=np.int8)
    for scores in (None, np.array([0.1, np.nan, 0.2]), np.array([0.1, np.inf, 0.2])):
        found = point(name, labels, labels, scores)
        assert np.isnan(found) == MEASURES[name].needs_scores


def test_scores_beyond_a_probability_stay_defined() -> None:
    labels, scores = np.array([0, 1, 1]), np.array([-3.0, 2.0, 0.5])
    for name, measure in MEASURES.items():
        if measure.needs_scores:
            assert np.isfinite(point(name, labels, labels, scores))
