import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from metrics import calibration, classification_metrics

cases = st.lists(
    # Few different scores, so that ties are common.
    st.tuples(st.integers(0, 1), st.integers(0, 10).map(lambda tenths: tenths / 10)),
    min_size=2,
    max_size=40,
).filter(lambda rows: {label for label, _ in rows} == {0, 1})


def measure(rows: list[tuple[int, float]]) -> dict[str, float]:
    labels, scores = zip(*rows, strict=True)
    return classification_metrics(np.array(labels), np.array(scores))


def test_worked_example() -> None:
    rows = [(1, 0.9), (1, 0.6), (1, 0.2), (0, 0.7), (0, 0.4), (0, 0.1), (0, 0.1), (0, 0.1)]
    assert measure(rows) == pytest.approx(
        {
            "accuracy": 6 / 8,
            "precision": 2 / 3,
            "recall": 2 / 3,
            "f1": 2 / 3,
            "auc": 12 / 15,
            "log_loss": -(math.log(0.9 * 0.6 * 0.2) + math.log(0.3 * 0.6) + 3 * math.log(0.9)) / 8,
            "brier": (0.01 + 0.16 + 0.64 + 0.49 + 0.16 + 3 * 0.01) / 8,
            # Bins of a fifteenth: 0.1 three times, 0.2 and 0.7, 0.6 and 0.4 and 0.9 alone.
            "calibration_error": (3 * 0.1 + 0.8 + 0.4 + 0.4 + 0.7 + 0.1) / 8,
            "test_rows": 8,
        }
    )


def test_nothing_called_positive() -> None:
    found = measure([(1, 0.1), (0, 0.2)])
    assert (found["precision"], found["recall"], found["f1"]) == (0, 0, 0)


def test_certain_and_wrong_stays_finite() -> None:
    assert measure([(1, 0.0), (0, 1.0)])["log_loss"] == pytest.approx(-math.log(1e-7))


@given(cases)
def test_auc_counts_pairs(rows: list[tuple[int, float]]) -> None:
    pairs = [
        (positive > negative) + (positive == negative) / 2
        for label, positive in rows
        if label
        for other, negative in rows
        if not other
    ]
    assert measure(rows)["auc"] == pytest.approx(sum(pairs) / len(pairs))


@given(cases)
def test_all_are_finite_and_ratios_are_ratios(rows: list[tuple[int, float]]) -> None:
    found = measure(rows)
    assert all(math.isfinite(value) for value in found.values())
    assert all(0 <= found[n] <= 1 for n in ("accuracy", "precision", "recall", "f1", "auc"))


@given(cases)
def test_bins_hold_every_row_once(rows: list[tuple[int, float]]) -> None:
    labels, scores = (np.array(each) for each in zip(*rows, strict=True))
    bins = calibration(labels, scores)
    assert sum(each.rows for each in bins) == len(rows)
    assert sum(each.rows * each.share for each in bins) == pytest.approx(labels.sum())
    assert sum(each.rows * each.mean_score for each in bins) == pytest.approx(scores.sum())
