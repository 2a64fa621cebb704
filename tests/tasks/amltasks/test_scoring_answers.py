"""What scoring services answer, in the forms that score scripts use."""

from __future__ import annotations

import json

import pytest

from amltasks.scoring_answers import Answers, answers


@pytest.mark.parametrize(
    ("body", "labels"),
    [
        ("[0, 1]", [0, 1]),
        ('["a", "b"]', ["a", "b"]),
        ("[]", []),
        ('{"predictions": [1]}', [1]),
        ('{"result": [1]}', [1]),
        ('{"results": [1]}', [1]),
        ('{"labels": [1]}', [1]),
        # The first of the names that is there counts.
        ('{"labels": [2], "predictions": [1]}', [1]),
        (json.dumps(json.dumps([0, 1])), [0, 1]),
        (json.dumps(json.dumps({"result": [0]})), [0]),
    ],
)
def test_the_labels(body: str, labels: list[object]) -> None:
    assert answers(body) == Answers(labels=labels)


@pytest.mark.parametrize("key", ["scores", "probabilities"])
def test_scores_beside_the_labels(key: str) -> None:
    found = answers(json.dumps({"predictions": [1, 0], key: [0.9, 0.2]}))
    assert found == Answers(labels=[1, 0], scores=[0.9, 0.2])


def test_scores_that_are_no_list_are_no_scores() -> None:
    assert answers('{"predictions": [1], "scores": 0.9}').scores is None


@pytest.mark.parametrize(
    "body",
    ["1", "null", "{}", '{"predictions": null}', '{"outcome": [1]}', '"7"', '{"result": {}}'],
)
def test_an_answer_without_a_list_is_told(body: str) -> None:
    with pytest.raises(ValueError, match="the answer holds no list of predictions") as raised:
        answers(body)
    assert body in str(raised.value)


@pytest.mark.parametrize("body", ["", "<html>", '"not json"'])
def test_an_answer_that_is_no_json_is_an_error(body: str) -> None:
    with pytest.raises(ValueError, match="Expecting value"):
        answers(body)


def test_a_long_answer_is_shortened() -> None:
    with pytest.raises(ValueError, match="no list") as raised:
        answers(json.dumps({"error": "x" * 5000}))
    assert len(str(raised.value)) < 300
