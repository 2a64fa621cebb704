"""Measures of ranks under weights, their placements and influences, done the slow way."""

from typing import Any

import numpy as np
import pytest
from sklearn import metrics as theirs

from amltasks.gate.ranks import Ranking
from amltasks.gate.rows import Side, Truth
from amltasks.gate.sums import families

NAMES = {"auc": theirs.roc_auc_score, "average_precision": theirs.average_precision_score}


def data(seed: int, rows: int = 80, *, ties: bool = True) -> tuple[Any, Any]:
    generator = np.random.default_rng(seed)
    labels = (generator.random(rows) < 0.4).astype(np.int8)
    scores = 1 / (1 + np.exp(-(labels + generator.normal(size=rows))))
    return labels, np.round(scores, 1) if ties else scores


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("ties", [False, True])
def test_weights_agree_with_scikit_learn(name: str, ties: bool) -> None:
    labels, scores = data(1, ties=ties)
    generator = np.random.default_rng(2)
    unit = generator.integers(20, size=len(labels))
    weights = generator.integers(0, 4, size=(30, 20)).astype(float)
    expected = [NAMES[name](labels, scores, sample_weight=w[unit]) for w in weights]
    np.testing.assert_allclose(Ranking(labels, scores).values(name, weights, unit), expected)


def test_weights_of_one_class_only() -> None:
    ranking = Ranking(np.array([0, 1]), np.array([0.3, 0.2]))
    weights = np.array([[1.0, 0.0], [0.0, 1.0], [0.0, 0.0]])
    assert np.isnan(ranking.values("auc", weights)).all()
    found = ranking.values("average_precision", weights)
    np.testing.assert_array_equal(found, [np.nan, 1.0, np.nan])


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("ties", [False, True])
def test_the_influences_are_derivatives(ties: bool, weighted: bool) -> None:
    """Moving one row's weight by a little moves the measure by its influence."""
    labels, scores = data(3, ties=ties)
    side = Side(predictions=labels, scores=scores)
    rows, step = len(labels), 1e-6
    weights = np.random.default_rng(6).uniform(0, 3, size=rows) if weighted else None
    ranking = Ranking(labels, scores, weights)
    truth = Truth(labels=labels, weights=weights)
    for name, reference in NAMES.items():
        family = families.of(name, "binary")
        up, down = (np.ones((rows, rows)) + sign * step * np.eye(rows) for sign in (1, -1))
        expected = (ranking.values(name, up) - ranking.values(name, down)) / (2 * step)
        table = family.per_unit("", truth, side, np.arange(rows), rows)
        above, below, whole = (
            family.value(name, "", truth.classes, weighting @ table)
            for weighting in (up, down, np.ones((1, rows)))
        )
        np.testing.assert_allclose((above - below) / (2 * step), expected, atol=1e-8)
        known = reference(labels, scores, sample_weight=weights)
        np.testing.assert_allclose(whole, [known])


@pytest.mark.parametrize("ties", [False, True])
def test_the_variance_of_placements_is_delongs(ties: bool) -> None:
    """Against the kernel of every pair of rows, as in the paper."""
    labels, first = data(4, ties=ties)
    second = np.round(first + np.random.default_rng(5).normal(scale=0.2, size=len(first)), 1)
    positive = labels == 1
    expected, found = np.zeros((2, 2)), np.zeros((2, 2))
    kernels = [
        (s[positive][:, None] > s[~positive]) + 0.5 * (s[positive][:, None] == s[~positive])
        for s in (first, second)
    ]
    placements = [Ranking(labels, s).placements() for s in (first, second)]
    for axis, chosen in ((1, positive), (0, ~positive)):
        expected += np.cov([kernel.mean(axis=axis) for kernel in kernels]) / chosen.sum()
        found += np.cov([each[chosen] for each in placements]) / chosen.sum()
    np.testing.assert_allclose(found, expected)
