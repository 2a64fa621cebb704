"""Asking a service for its labels: each distinct input once, and nothing made up."""

from __future__ import annotations

import json

import numpy as np
import pytest

from amltasks.errors import TaskError
from amltasks.evaluate_and_gate import rescoring
from amltasks.gate.rows import Rows
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
        (Services(body="[1]"), "it gave no 2 labels that are 0 or 1"),
        (Services(body='[1, "yes"]'), "it gave no 2 labels that are 0 or 1"),
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
