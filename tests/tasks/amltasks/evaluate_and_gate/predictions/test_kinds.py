"""Labels, predictions and scores of each kind of model."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from amltasks.errors import TaskError
from amltasks.evaluate_and_gate.predictions.layout import Layout
from amltasks.evaluate_and_gate.predictions.reader import read
from amltasks.gate import rules
from amltasks.gate.rows import Pair, Rows, paired


def of(tmp_path: Path, content: str, **layout: Any) -> Rows:
    path = tmp_path / "predictions.csv"
    path.write_text(content)
    return read(path, Layout(**layout))


@pytest.mark.parametrize("scores", ["", ",0.9", ",0.2", ",0.7"])
def test_two_labels_of_any_name(tmp_path: Path, scores: str) -> None:
    content = f"id,label,prediction{',score' if scores else ''}\n"
    for number, (label, said) in enumerate([("bad", "good"), ("good", "good"), ("bad", "bad")]):
        content += f"{number},{label},{said}{scores}\n"
    rows = of(tmp_path, content, positive_label="bad")
    assert (rows.model_type, rows.classes) == ("binary", ("good", "bad"))
    assert rows.labels.tolist() == [1, 0, 1]
    assert rows.predictions.tolist() == [0, 0, 1]


@pytest.mark.parametrize(
    ("labels", "positive", "words"),
    [
        (("bad", "good"), "ugly", "no row has the positive label 'ugly'; its labels are bad, good"),
        (("a", "b", "c"), "a", "it has 3 labels, a, b, c, where positive_label asks for two"),
    ],
)
def test_a_positive_label_that_does_not_fit_is_named(
    tmp_path: Path, labels: tuple[str, ...], positive: str, words: str
) -> None:
    content = "id,label,prediction\n" + "".join(f"{each},{each},{each}\n" for each in labels)
    with pytest.raises(TaskError, match="PREDICTIONS_INVALID") as found:
        of(tmp_path, content, model_types=("binary",), positive_label=positive)
    assert words in str(found.value)


def test_what_a_label_stands_for_must_be_the_same_in_both_files(tmp_path: Path) -> None:
    first = of(tmp_path, "id,label,prediction\n1,bad,bad\n", positive_label="bad")
    second = of(tmp_path, "id,label,prediction\n1,bad,good\n", positive_label="bad")
    pair = paired(first, second)
    assert isinstance(pair, Pair)
    assert pair.classes == ("good", "bad")
    other = of(tmp_path, "id,label,prediction\n1,bad,fine\n", positive_label="bad")
    assert "label 0 stands for 'good'" in str(paired(second, other))
    other = of(tmp_path, "id,label,prediction\n1,bad,good\n", positive_label="good")
    assert "label 1 stands for 'bad' in the candidate" in str(paired(first, other))


MANY = """id,label,prediction,score_iron,score_steel,score_wood
1,iron,steel,0.2,0.7,0.1
2,wood,wood,0.1,0.1,0.8
3,iron,iron,0.5,0.3,0.2
"""


def test_many_classes(tmp_path: Path) -> None:
    rows = of(tmp_path, MANY)
    assert (rows.model_type, rows.classes) == ("multiclass", ("iron", "steel", "wood"))
    assert rows.labels.tolist() == [0, 2, 0]
    assert rows.predictions.tolist() == [1, 2, 0]
    assert rows.scores is not None
    assert rows.scores[0].tolist() == [0.2, 0.7, 0.1]
    without = "\n".join(
        ",".join(line.split(",")[:2] + line.split(",")[3:]) for line in MANY.splitlines()
    )
    assert of(tmp_path, without).predictions.tolist() == [1, 2, 0]
    named = MANY.replace("score_", "p_")
    columns = {"score": "p"}
    rows = of(tmp_path, named, columns=columns, model_types=("multiclass",))
    assert rows.scores is not None
    assert rows.scores[1].tolist() == [0.1, 0.1, 0.8]


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("0.2,0.7,0.1", "0.2,0.7,0.7", "the probabilities of data row 1 add up to 1.6, not to 1"),
        (
            "0.2,0.7,0.1",
            "20,70,10",
            "the score of data row 1 for 'iron' is 20; write probabilities",
        ),
        ("score_wood", "score_oak", "the label 'wood' has no column 'score_wood'; its columns"),
        (",prediction,score_iron,score_steel,score_wood", ",a,b,c,d", "nor one 'score_CLASS' for"),
    ],
)
def test_what_is_wrong_with_many_classes_is_named(
    tmp_path: Path, old: str, new: str, words: str
) -> None:
    assert old in MANY
    with pytest.raises(TaskError, match="PREDICTIONS_INVALID") as found:
        of(tmp_path, MANY.replace(old, new), model_types=("multiclass",))
    assert words in str(found.value)


def test_numbers_are_not_taken_for_classes(tmp_path: Path) -> None:
    lines = [f"{n},{n / 7},{n / 8}" for n in range(1500)]
    content = "\n".join(["id,label,prediction", *lines])
    with pytest.raises(TaskError, match=r"3,\d{3} labels|2,\d{3} labels") as found:
        of(tmp_path, content, model_types=("multiclass",))
    assert "for numbers write 'model_type: regression'" in str(found.value)


def test_classes_that_one_file_lacks_are_known_from_the_other(tmp_path: Path) -> None:
    first = of(tmp_path, MANY)
    second = of(tmp_path, "id,label,prediction\n3,iron,amber\n1,iron,iron\n2,wood,wood\n")
    pair = paired(first, second)
    assert isinstance(pair, Pair)
    assert pair.classes == ("amber", "iron", "steel", "wood")
    assert pair.labels.tolist() == [1, 3, 1]
    assert pair.candidate.predictions.tolist() == [2, 3, 1]
    assert pair.baseline.predictions.tolist() == [1, 3, 0]
    assert pair.candidate.scores is not None
    assert pair.candidate.scores[0].tolist() == [0.0, 0.2, 0.7, 0.1]
    assert first.digest == second.digest


WIDE = """id,label_red,label_big,prediction_red,score_big
1,1,0,1,0.2
2,0,1,1,0.6
"""


def test_many_labels_in_columns_lists_and_texts_are_the_same(tmp_path: Path) -> None:
    wide = of(tmp_path, WIDE)
    assert (wide.model_type, wide.classes) == ("multilabel", ("big", "red"))
    assert wide.labels.tolist() == [[0, 1], [1, 0]]
    assert wide.predictions.tolist() == [[0, 1], [1, 1]]
    content = "id,label,prediction\n1,red,red\n2, big,red|big\n"
    texts = of(tmp_path, content, model_types=("multilabel",))
    path = tmp_path / "predictions.parquet"
    frame = pl.DataFrame(
        {"id": [1, 2], "label": [["red"], ["big"]], "prediction": [["red"], ["big", "red"]]}
    )
    frame.write_parquet(path)
    lists = read(path)
    for rows in (texts, lists):
        assert rows.model_type == "multilabel"
        assert rows.predictions.tolist() == wide.predictions.tolist()
        assert rows.digest == wide.digest


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("id,text\n1,a\n", "neither a column 'label' nor one 'label_CLASS' for each class"),
        (
            "id,label_a,score_a,prediction_b\n1,1,1,1\n",
            "the class 'b' has a prediction and no 'label_b'",
        ),
        ("id,label_a\n1,1\n", "the class 'a' has neither 'prediction_a' nor 'score_a'"),
    ],
)
def test_what_is_wrong_with_many_labels_is_named(tmp_path: Path, content: str, words: str) -> None:
    with pytest.raises(TaskError, match="PREDICTIONS_INVALID") as found:
        of(tmp_path, content, model_types=("multilabel",))
    assert words in str(found.value)


def test_regressions(tmp_path: Path) -> None:
    content = "id,label,prediction,quantile_0.9,horizon\n1,1.5,2,3,1\n2,-1e3,0,1,2\n"
    rows = of(
        tmp_path,
        content,
        model_types=("regression",),
        values=("quantile_0.9", "quantile_0.5", "quantile_0.1"),
        slices=("horizon",),
    )
    assert rows.labels.tolist() == [1.5, -1000.0]
    assert rows.values["quantile_0.9"].tolist() == [3.0, 1.0]
    assert rows.values["quantile_0.5"].tolist() == [2.0, 0.0]
    assert "quantile_0.1" not in rows.values
    assert rows.slices["horizon"].tolist() == ["1", "2"]
    with pytest.raises(TaskError, match="a prediction that is missing or not finite, the first is"):
        of(tmp_path, content.replace(",2,3,1", ",,3,1"), model_types=("regression",))


def test_rankings(tmp_path: Path) -> None:
    content = "id,query,label,score\n1,q,1,0.1\n2,p,0,3\n3,q,2,-1\n"
    rows = of(tmp_path, content, model_types=("ranking",))
    assert rows.queries is not None
    assert rows.queries.tolist() == rows.inputs.tolist() == [1, 0, 1]
    other = of(tmp_path, content.replace("3,q", "3,p"), model_types=("ranking",))
    assert paired(rows, other) == "rows of the same id belong to other queries"
    for old, new, words in (
        ("1,q,1,", "1,q,-1,", "the label of data row 1 is a relevance below 0"),
        ("0.1", "nan", "1 rows have a score that is missing or not finite"),
        (",query,", ",of,", "no column 'query'"),
        ("id,query", "weight,query", "no column 'id'"),
    ):
        with pytest.raises(TaskError, match=words):
            of(tmp_path, content.replace(old, new), model_types=("ranking",))
    weighted = "id,query,label,score,weight\n1,q,1,0.1,1\n2,q,0,3,2\n"
    with pytest.raises(TaskError, match="the rows of a query have different weights"):
        of(tmp_path, weighted, model_types=("ranking",))


def test_plain_numbers_need_no_labels(tmp_path: Path) -> None:
    found = rules.read("rules: [{metric: 'mean:bleu', direction: higher, floor: 1}]", source="t")
    rows = of(
        tmp_path,
        "id,bleu\na,0.5\nb,\n",
        model_types=found.model_types,
        values=found.value_columns,
    )
    assert rows.model_type == "scores"
    assert np.isnan(rows.values["bleu"]).tolist() == [False, True]
    with pytest.raises(TaskError, match=r"the bleu of data row 1 is no number \('good'\)"):
        of(tmp_path, "id,bleu\na,good\n", model_types=("scores",), values=("bleu",))


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ("id,label,prediction\n1,0,1\n", "binary"),
        ("id,label,prediction\n1,true,false\n", "binary"),
        ("id,label,prediction\n1,a,b\n", "multiclass"),
        ("id,label,prediction\n1,1.5,2\n", "regression"),
        ("id,query,label,score\n1,a,2,0.5\n", "ranking"),
        ("id,label_a,score_a\n1,1,0.5\n", "multilabel"),
        ("id,bleu\n1,2\n", "scores"),
    ],
)
def test_the_file_decides_where_the_rules_do_not(
    tmp_path: Path, content: str, expected: str
) -> None:
    found = rules.read("rules: [{metric: size, direction: lower, ceiling: 1}]", source="t")
    assert of(tmp_path, content, model_types=found.model_types).model_type == expected


def test_scores_that_contradict_some_predictions_are_noted(tmp_path: Path) -> None:
    lines = ["1,1,1,0.9", "2,0,0,0.1", "3,0,1,0.05", "4,0,0,nan"]
    rows = of(tmp_path, "\n".join(["id,label,prediction,score", *lines]))
    assert rows.notes == (
        "1 rows have no score that is a number",
        "no one threshold of the scores gives the predictions: at least 1 rows are on the wrong "
        "side of any",
    )
