"""Shares of rows: of which rows, and which of them are right."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from amltasks.gate.rows import Side, Truth
from amltasks.gate.shares import right

BINARY = Truth(labels=np.array([1, 1, 0, 0]))
SAID = Side(predictions=np.array([1, 0, 0, 1]))


def shares(base: str, parameter: str, truth: Truth, side: Side) -> tuple[Any, Any]:
    of, found = right(base, parameter, truth, side)
    return of.astype(int).tolist(), found.astype(int).tolist()


@pytest.mark.parametrize(
    ("base", "of", "correct"),
    [
        ("accuracy", [1, 1, 1, 1], [1, 0, 1, 0]),
        ("recall", [1, 1, 0, 0], [1, 0, 0, 1]),
        ("specificity", [0, 0, 1, 1], [0, 1, 1, 0]),
    ],
)
def test_two_labels(base: str, of: list[int], correct: list[int]) -> None:
    assert shares(base, "", BINARY, SAID) == (of, correct)


def test_recall_of_one_class_of_several() -> None:
    truth = Truth(model_type="multiclass", classes=("a", "b", "c"), labels=np.array([0, 1, 2, 1]))
    side = Side(predictions=np.array([0, 1, 1, 2]))
    assert shares("recall:", "b", truth, side) == ([0, 1, 0, 1], [0, 1, 1, 0])
    assert shares("accuracy", "", truth, side) == ([1, 1, 1, 1], [1, 1, 0, 0])


def test_rows_of_several_labels_are_right_as_a_whole() -> None:
    truth = Truth(
        model_type="multilabel", classes=("a", "b"), labels=np.array([[1, 0], [1, 1], [0, 0]])
    )
    side = Side(predictions=np.array([[1, 0], [1, 0], [0, 1]]))
    assert shares("accuracy", "", truth, side) == ([1, 1, 1], [1, 0, 0])
    assert shares("recall:", "b", truth, side) == ([0, 1, 0], [0, 0, 1])


def test_the_first_k_of_a_tie_are_not_guessed() -> None:
    scores = np.array([[0.5, 0.3, 0.2], [0.2, 0.3, 0.5], [1 / 3, 1 / 3, 1 / 3]])
    truth = Truth(model_type="multiclass", classes=("a", "b", "c"), labels=np.array([1, 0, 0]))
    side = Side(predictions=scores.argmax(axis=1), scores=scores)
    every = [1, 1, 1]
    assert shares("top_k_accuracy@", "1", truth, side) == (every, [0, 0, 0])
    assert shares("top_k_accuracy@", "2", truth, side) == (every, [1, 0, 0])
    assert shares("top_k_accuracy@", "3", truth, side) == (every, [1, 1, 1])
