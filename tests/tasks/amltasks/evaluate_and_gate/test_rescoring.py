"""Asking a service for its labels: each distinct input once, and nothing made up."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from amltasks.errors import TaskError
from amltasks.evaluate_and_gate import rescoring
from amltasks.gate.rows import Pair, Rows, paired
from amltasks.workspace.port import Answer, Revision
from tests.tasks.amltasks.fakes import FakeServices


class Services(FakeServices):
    """A service that calls every text with 'bad' in it 1; or says what it is told to."""

    def __init__(self, status: int = 200, body: str = "") -> None:
        self.status, self.body = status, body
        self.asked: list[list[str]] = []

    def score(self, revision: Revision, body: str) -> Answer:
        assert revision.in_service
        texts = json.loads(body)["data"]
        self.asked.append(texts)
        labels = [int("bad" in text) for text in texts]
        scores = [0.9 if label else 0.1 for label in labels]
        answer = {"predictions": labels, "scores": scores}
        return Answer(status=self.status, body=self.body or json.dumps(answer), seconds=0.0)


def rows(texts: list[str] | None) -> Rows:
    size = len(texts or "abc")
    kept = None if texts is None else np.array(texts, dtype=object)
    codes = np.arange(size) if kept is None else np.unique(kept, return_inverse=True)[1]
    return Rows(
        ids=np.arange(size).astype(str).astype(object),
        labels=np.zeros(size, dtype=np.int8),
        predictions=np.zeros(size, dtype=np.int8),
        inputs=codes,
        texts=kept,
    )


def rescored(services: Services, texts: list[str] | None) -> Rows:
    return rescoring.rescore(services, "s", rows(texts))


def test_distinct_inputs_are_asked_once_in_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rescoring, "_BATCH", 2)
    services = Services()
    found = rescored(services, ["z bad", "a", "z bad", "m bad", "a"])
    assert services.asked == [["a", "m bad"], ["z bad"]]
    assert found.predictions.tolist() == [1, 0, 1, 1, 0]
    assert found.scores is not None
    assert found.scores.tolist() == [0.9, 0.1, 0.9, 0.9, 0.1]


@pytest.mark.parametrize(
    ("services", "words"),
    [
        (Services(status=503, body="busy"), "it answered 503: busy"),
        (Services(body="[1]"), "it gave 1 labels for 2 inputs"),
        (Services(body='[1, "yes"]'), "the label 'yes' is neither 0 nor 1"),
        (Services(body="[1, [0]]"), "RESCORING_FAILED"),
        (Services(body='{"error": "no"}'), "the answer holds no list of predictions"),
        (Services(body="<html>"), "RESCORING_FAILED"),
    ],
)
def test_what_is_no_answer_is_named(services: Services, words: str) -> None:
    with pytest.raises(TaskError, match="RESCORING_FAILED") as found:
        rescored(services, ["a", "b"])
    assert words in str(found.value)


def test_labels_without_scores_are_enough() -> None:
    found = rescored(Services(body="[1, 0]"), ["a", "b"])
    assert found.predictions.tolist() == [1, 0]
    assert found.scores is None


def test_a_service_is_not_asked_too_much(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rescoring, "MOST_INPUTS", 1)
    services = Services()
    with pytest.raises(TaskError, match="2 distinct inputs are more than 1"):
        rescored(services, ["a", "b"])
    with pytest.raises(TaskError, match="no column 'text' or 'input'"):
        rescored(services, None)
    assert services.asked == []


def test_rows_of_one_group_are_asked_for_each_text() -> None:
    services = Services()
    grouped = replace(rows(["a", "b bad", "a"]), inputs=np.zeros(3, dtype=np.int64))
    found = rescoring.rescore(services, "s", grouped)
    assert services.asked == [["a", "b bad"]]
    assert found.predictions.tolist() == [0, 1, 0]
    assert found.inputs.tolist() == [0, 0, 0]


@pytest.mark.parametrize(
    ("more", "body", "predictions"),
    [
        ({"classes": ("bad", "good")}, '["good", "bad"]', [1, 0]),
        ({"classes": ("bad", "good")}, "[0, 1]", [0, 1]),
        ({"model_type": "multiclass", "classes": ("iron", "wood")}, '["tin", "iron"]', [1, 0]),
        ({"model_type": "multiclass", "classes": ("1", "2")}, "[2, 1]", [1, 0]),
        ({"model_type": "regression", "classes": ()}, '[1.5, "-2"]', [1.5, -2.0]),
    ],
)
def test_labels_of_other_kinds_of_model_are_understood(
    more: dict[str, Any], body: str, predictions: list[float]
) -> None:
    given = replace(rows(["a", "b"]), **more)
    found = rescoring.rescore(Services(body=body), "s", given)
    assert found.predictions.tolist() == predictions
    assert found.model_type == given.model_type
    if "tin" in body:
        assert found.classes == ("iron", "tin", "wood")
        assert isinstance(paired(given, found), Pair)


@pytest.mark.parametrize(
    ("model_type", "body", "words"),
    [
        ("regression", "[1, NaN]", "a prediction is not a finite number"),
        ("regression", '[1, "much"]', "could not convert"),
        ("ranking", "[1, 2]", "predictions of a ranking model cannot be asked for"),
    ],
)
def test_labels_that_do_not_fit_the_kind_of_model_are_named(
    model_type: str, body: str, words: str
) -> None:
    given = replace(rows(["a", "b"]), model_type=model_type, classes=())
    with pytest.raises(TaskError, match="RESCORING_FAILED") as found:
        rescoring.rescore(Services(body=body), "s", given)
    assert words in str(found.value)
