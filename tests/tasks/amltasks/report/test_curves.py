"""Points of the report's curves, held to scikit-learn."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn import calibration, metrics

from amltasks.gate.rows import Array
from amltasks.report import curves


def drawn(count: int, seed: int, share: float = 0.5) -> tuple[Array, Array]:
    """Labels and scores, many of them tied."""
    rng = np.random.default_rng(seed)
    labels = (rng.random(count) < share).astype(np.int8)
    labels[:2] = (0, 1)
    scores = np.clip(rng.normal(0.4 + 0.2 * labels, 0.2), 0, 1)
    return labels, scores.round(2) if seed % 2 else scores


@pytest.mark.parametrize("seed", range(6))
def test_small_curves_are_those_of_scikit_learn(seed: int) -> None:
    labels, scores = drawn(120, seed)
    x, y = curves.roc(labels, scores)
    false, true, _ = metrics.roc_curve(labels, scores, drop_intermediate=False)
    np.testing.assert_allclose([x, y], [false, true])
    recall, precision = curves.precision_recall(labels, scores)
    theirs = metrics.precision_recall_curve(labels, scores)
    # Theirs goes up from the lowest threshold, and ends at a precision of 1 by definition.
    np.testing.assert_allclose(recall[1:], theirs[1][-2::-1])
    np.testing.assert_allclose(precision[1:], theirs[0][-2::-1])
    mean, share, count = curves.reliability(labels, scores)
    assert count.sum() == len(labels)
    if not seed % 2:  # a score on a bin's edge is in the other bin in theirs
        np.testing.assert_allclose(
            [share, mean], calibration.calibration_curve(labels, scores, n_bins=10)
        )
    predictions = (scores > 0.5).astype(np.int8)
    theirs = metrics.confusion_matrix(labels, predictions)
    np.testing.assert_array_equal(curves.confusion(labels, predictions), theirs)


@pytest.mark.parametrize("share", [0.5, 0.001])
def test_a_thinned_curve_keeps_its_shape(share: float) -> None:
    labels, scores = drawn(300_000, 8, share)
    x, y = curves.roc(labels, scores)
    assert len(x) <= curves.MOST_POINTS
    assert (x[0], y[0], x[-1], y[-1]) == (0, 0, 1, 1)
    assert metrics.auc(x, y) == pytest.approx(metrics.roc_auc_score(labels, scores), abs=0.004)
    recall, precision = curves.precision_recall(labels, scores)
    assert len(recall) <= curves.MOST_POINTS
    assert recall[-1] == 1
    area = metrics.auc(recall, precision)
    assert area == pytest.approx(metrics.average_precision_score(labels, scores), abs=0.01)


def test_agreement_counts_who_is_right() -> None:
    labels = np.array([0, 0, 1, 1, 1], dtype=np.int8)
    candidate = np.array([0, 1, 1, 0, 0], dtype=np.int8)
    baseline = np.array([0, 0, 0, 0, 1], dtype=np.int8)
    assert curves.agreement(candidate == labels, baseline == labels).tolist() == [[1, 1], [2, 1]]


def test_gains_are_shares_of_the_positive_labels() -> None:
    labels = np.array([1, 1, 0, 0, 0, 0, 0, 0, 0, 0])
    falling = np.linspace(1, 0, 10)
    assert curves.gains(labels, falling).tolist() == [0.5, *[1.0] * 9]
    np.testing.assert_allclose(curves.gains(labels, np.ones(10)), np.linspace(0.1, 1, 10))
    np.testing.assert_allclose(curves.gains(labels, -falling)[-2:], [0.5, 1.0])


def test_a_distribution_is_thinned_and_keeps_its_ends() -> None:
    values = np.random.default_rng(0).normal(size=10_000)
    x, share = curves.distribution(values)
    assert len(x) == curves.MOST_POINTS
    assert (x[0], x[-1], share[-1]) == (values.min(), values.max(), 1.0)
    np.testing.assert_allclose(share, np.searchsorted(np.sort(values), x, "right") / 10_000)


def test_deciles_hold_a_tenth_each_and_keep_equal_values_together() -> None:
    assert np.bincount(curves.decile(np.arange(100.0))).tolist() == [10] * 10
    assert len(np.unique(curves.decile(np.ones(50)))) == 1


@pytest.mark.parametrize("seed", range(5))
def test_a_weight_is_so_many_rows(seed: int) -> None:
    generator = np.random.default_rng(seed)
    labels = generator.integers(0, 2, 60).astype(np.int8)
    scores = np.round(generator.random(60), 1)
    whole = generator.integers(0, 4, 60)
    weights = whole.astype(float)
    at = np.repeat(np.arange(60), whole)
    many, each = labels[at], scores[at]
    for curve in (curves.roc, curves.precision_recall):
        for ours, theirs in zip(curve(labels, scores, weights), curve(many, each), strict=True):
            np.testing.assert_allclose(ours, theirs)
    found = curves.reliability(labels, scores, weights=weights)
    for ours, theirs in zip(found, curves.reliability(many, each), strict=True):
        np.testing.assert_allclose(ours, theirs)
    np.testing.assert_allclose(curves.gains(labels, scores, weights), curves.gains(many, each))
    called = (scores > 0.5).astype(np.int8)
    np.testing.assert_array_equal(
        curves.confusion(labels, called, weights=weights), curves.confusion(many, called[at])
    )
    x, share = curves.distribution(scores, weights)
    ends = np.flatnonzero(np.diff(x, append=2))
    shares = [float((each <= value).mean()) for value in x[ends]]
    np.testing.assert_allclose(share[ends], shares)
    ours = curves.quantiles(scores, (0.05, 0.5, 0.9), weights)
    np.testing.assert_allclose(ours, np.quantile(each, (0.05, 0.5, 0.9), method="inverted_cdf"))
