"""Predictions and scores that are of one model, and that are not."""

from __future__ import annotations

from pathlib import Path

import pytest

from amltasks.errors import TaskError
from amltasks.evaluate_and_gate.predictions.layout import Layout
from amltasks.evaluate_and_gate.predictions.reader import read
from amltasks.gate import rules
from amltasks.gate.rows import Rows

MANY = "id,label,prediction,score_a,score_b\n"
SEVERAL = "id,label_a,label_b,prediction_a,prediction_b,score_a,score_b\n"
TWO = "id,label,prediction,score\n"
LOWER = "rules: [{metric: hamming_loss, ceiling: 1}]"


def of(tmp_path: Path, content: str) -> Rows:
    path = tmp_path / "predictions.csv"
    path.write_text(content)
    text = LOWER if content.startswith(SEVERAL) else rules.DEFAULT
    return read(path, Layout.of(rules.read(text, source="t")))


@pytest.mark.parametrize(
    "content",
    [
        TWO + "1,1,1,0.1\n2,0,0,0.9\n",
        MANY + "1,a,a,0.1,0.9\n2,b,b,0.8,0.2\n",
        SEVERAL + "1,1,0,1,0,0.1,0.2\n2,0,1,0,1,0.9,0.8\n",
    ],
)
def test_predictions_that_contradict_every_score_are_refused(tmp_path: Path, content: str) -> None:
    with pytest.raises(TaskError, match=r"PREDICTIONS_INVALID.*contradict its scores"):
        of(tmp_path, content)


@pytest.mark.parametrize(
    ("content", "note"),
    [
        (TWO + "1,1,1,0.1\n2,0,0,0.9\n3,1,1,0.95\n", "at least 1 rows are on the wrong side"),
        (TWO + "1,1,1,nan\n2,0,0,0.1\n", "1 rows have no score that is a number"),
        (MANY + "1,a,a,0.1,0.9\n2,b,b,0.2,0.8\n", "1 rows are not predicted by their highest"),
        (MANY + "1,a,a,,0.9\n2,b,b,0.2,0.8\n", "1 rows have a score that is no number"),
        (
            SEVERAL + "1,1,0,1,0,0.1,0.2\n2,0,1,0,1,0.3,0.8\n3,1,1,1,1,0.9,0.9\n",
            "no one threshold of the scores of the class 'a' gives the predictions",
        ),
    ],
)
def test_some_that_do_are_noted(tmp_path: Path, content: str, note: str) -> None:
    (found,) = of(tmp_path, content).notes
    assert note in found


@pytest.mark.parametrize(
    "content",
    [
        TWO + "1,1,1,0.9\n2,0,0,0.1\n",
        TWO + "1,1,1,0.2\n2,0,1,0.1\n",
        MANY + "1,a,a,0.5,0.5\n2,b,b,0.5,0.5\n",
        SEVERAL + "1,1,0,1,0,0.9,0.2\n2,0,1,0,1,0.3,0.8\n",
    ],
)
def test_what_agrees_has_no_note(tmp_path: Path, content: str) -> None:
    assert of(tmp_path, content).notes == ()


@pytest.mark.parametrize("missing", ["NaN", "nan", ""])
def test_a_missing_label_is_no_class(tmp_path: Path, missing: str) -> None:
    with pytest.raises(TaskError, match="1 rows have no label, the first is data row 1"):
        of(tmp_path, f"id,label,prediction\n1,{missing},1\n2,0,0\n")
