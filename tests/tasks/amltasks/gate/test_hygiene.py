"""What is wrong with an evaluation itself: duplicates, bad scores, leaks, shifted labels."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from amltasks.gate.hygiene import TRAINING_SHARE, value
from amltasks.gate.rows import Rows
from amltasks.gate.rules import HYGIENE


def rows(**more: Any) -> Rows:
    given: dict[str, Any] = {
        "ids": np.array(["a", "b", "c", "d"], dtype=object),
        "labels": np.array([1, 1, 1, 0], np.int8),
        "predictions": np.array([1, 0, 1, 0], np.int8),
        "inputs": np.array([0, 0, 1, 2]),
        **more,
    }
    return Rows(**given)


@pytest.mark.parametrize("name", HYGIENE)
def test_without_predictions_nothing_is_known(name: str) -> None:
    assert value(name, None, None, {TRAINING_SHARE: 0.5}) is None


def test_different_predictions_are_counted() -> None:
    constant = rows(predictions=np.ones(4, np.int8))
    assert value("distinct_predictions", rows(), None, {}) == 2
    assert value("distinct_predictions", constant, None, {}) == 1


def test_predictions_of_several_labels_differ_by_the_whole_row() -> None:
    many = rows(
        model_type="multilabel",
        labels=np.zeros((4, 2), np.int8),
        predictions=np.array([[0, 1], [1, 0], [0, 1], [1, 1]], np.int8),
    )
    assert value("distinct_predictions", many, None, {}) == 3


def test_a_ranking_has_no_predicted_labels() -> None:
    ranking = rows(
        model_type="ranking", predictions=np.zeros((4, 0)), scores=np.array([3.0, 2, -1, 9])
    )
    assert value("distinct_predictions", ranking, None, {}) is None
    assert value("invalid_scores", ranking, None, {}) is None


@pytest.mark.parametrize(
    ("scores", "share"),
    [
        ([0.0, 1.0, 0.5, 0.2], 0.0),
        ([-0.01, 1.01, 0.5, 0.2], 0.5),
        ([np.nan, 0.5, 0.5, 0.5], 0.25),
        ([np.inf, -np.inf, np.nan, 7.0], 1.0),
    ],
)
def test_scores_that_are_no_probability(scores: list[float], share: float) -> None:
    assert value("invalid_scores", rows(scores=np.array(scores)), None, {}) == share


def test_without_scores_none_is_invalid_nor_valid() -> None:
    assert value("invalid_scores", rows(), None, {}) is None


def test_inputs_that_were_trained_on_count_once_each() -> None:
    # Three of four rows were seen, which are two of three inputs.
    seen = rows(seen=np.array([True, True, True, False]))
    assert value("seen_in_training", seen, None, {}) == pytest.approx(2 / 3)
    assert value("seen_in_training", rows(), None, {}) is None


def test_label_shift_is_the_distance_of_the_shares() -> None:
    assert value("label_shift", rows(), None, {TRAINING_SHARE: 0.5}) == pytest.approx(0.25)
    assert value("label_shift", rows(), None, {TRAINING_SHARE: 0.9}) == pytest.approx(0.15)
    assert value("label_shift", rows(), None, {"other": 1.0}) is None


def test_only_two_labels_can_shift() -> None:
    numbers = rows(model_type="regression", labels=np.arange(4.0), predictions=np.arange(4.0))
    assert value("label_shift", numbers, None, {TRAINING_SHARE: 0.5}) is None


def test_a_slice_is_looked_at_alone() -> None:
    chosen = np.array([False, False, True, True])
    part = rows(seen=np.array([True, True, True, False]))
    assert value("seen_in_training", part, chosen, {}) == 0.5
    assert value("label_shift", part, chosen, {TRAINING_SHARE: 0.5}) == 0.0
    assert value("distinct_predictions", part, chosen, {}) == 2
