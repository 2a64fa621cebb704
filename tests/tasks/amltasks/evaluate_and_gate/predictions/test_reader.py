"""Files of predictions: what is read of them, and what is wrong with them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from amltasks.errors import TaskError
from amltasks.evaluate_and_gate.predictions import formats
from amltasks.evaluate_and_gate.predictions.layout import Layout
from amltasks.evaluate_and_gate.predictions.reader import read
from amltasks.gate.rows import Pair, paired

BINARY = Layout(model_types=("binary",))
CSV = """id,text,label,score,prediction,in_training,material
a,iron part,1,0.9,1,1,iron
b,steel part,0,0.2,0,0,steel
c,iron part,1,0.4,0,1,iron
"""


def written(folder: Path, content: str | bytes, name: str = "predictions.csv") -> Path:
    path = folder / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def test_columns_become_arrays(tmp_path: Path) -> None:
    rows = read(written(tmp_path, CSV), Layout(slices=("material", "absent")))
    assert rows.ids.tolist() == ["a", "b", "c"]
    assert rows.labels.tolist() == [1, 0, 1]
    assert rows.predictions.tolist() == [1, 0, 0]
    assert rows.scores is not None
    assert rows.scores.tolist() == [0.9, 0.2, 0.4]
    assert rows.inputs[0] == rows.inputs[2] != rows.inputs[1]
    assert list(rows.slices) == ["material"]
    assert rows.seen is not None
    assert rows.seen.tolist() == [True, False, True]


def test_parquet_and_csv_are_the_same(tmp_path: Path) -> None:
    frame = pl.read_csv(written(tmp_path, CSV))
    frame.write_parquet(tmp_path / "predictions.parquet")
    one = read(tmp_path / "predictions.csv", Layout(slices=("material",)))
    other = read(tmp_path / "predictions.parquet", Layout(slices=("material",)))
    assert isinstance(paired(one, other), Pair)
    assert one.inputs.tolist() == other.inputs.tolist()


def test_a_score_alone_is_cut_at_one_half(tmp_path: Path) -> None:
    rows = read(written(tmp_path, "id,label,score\n1,0,0.5\n2,1,0.49\n3,1,1\n"))
    assert rows.predictions.tolist() == [1, 0, 1]
    assert rows.inputs.tolist() == [0, 1, 2]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("", "it is empty"),
        ("id,label,prediction\n", "holds no rows"),
        ("label,prediction\n1,1\n", "no column 'id'; its columns are label, prediction"),
        ("id,label\n1,1\n", "neither a column 'prediction' nor 'score'; its columns are id, label"),
        ("id,label,prediction\n1,1,1\n1,0,0\n", "the id '1' stands in several rows"),
        ("id,label,prediction\n,1,1\n", "a row has no id"),
        ("id,label,prediction\n1,2,1\n", "neither 0 nor 1, the first is data row 1 (label: '2')"),
        ("id,label,prediction\n1,1,yes\n", "a prediction that is neither 0 nor 1"),
        ("id,label,prediction\n1,,1\n", "1 rows have no label, the first is data row 1"),
        ("id,label,score\n1,1,high\n", "the score of data row 1 is no number ('high')"),
        ("id,label,prediction\n1,1,1,1\n", "cannot be read as CSV"),
        (b"id,label,prediction\n\xff\xfe,1,1\n", "cannot be read as CSV"),
        (
            "id,label,score\n1,1,0.9\n2,0,9\n3,0,0.1\n",
            "the score of data row 2 is 9, which is no probability",
        ),
        ("id,label,score\n1,1,90\n2,0,55\n", "go from 55 to 90, which looks like per cent"),
        ("id,label,score\n1,1,90%\n", "is no number ('90%'); write a share of 1, not per cent"),
        ("id,label,prediction,score\n1,1,1,0.1\n2,0,0,0.9\n", "predictions contradict its scores"),
        (
            "id,label,prediction,group\n1,1,1,a\n2,1,1, \n",
            "1 rows have no group, the first is data row 2",
        ),
        ("id,label,prediction,weight\n1,1,1,-1\n", "the weight of data row 1 is below 0"),
        ("id,label,prediction,weight\n1,1,1,0\n", "all its weights are 0"),
        ("id,label,prediction,weight\n1,1,1,\n", "a weight that is missing or not finite"),
        ("id,label,prediction\n1,no,no\n2,yes,no\n", "such as 'positive_label: yes'"),
        (
            "id, Label,LABEL ,prediction\n1,1,1,1\n",
            "more than one column 'label': ' Label', 'LABEL '",
        ),
        ("id,label,score\n1,1,0.9\n2,0,nan\n", "data row 2 has neither a prediction nor a score"),
        ("id,label,score\n1,1,\n", "data row 1 has neither a prediction nor a score"),
        ("id,label,prediction,label\n1,1,1,0\n", "more than one column 'label'"),
    ],
)
def test_what_is_wrong_is_named(tmp_path: Path, content: str | bytes, words: str) -> None:
    with pytest.raises(TaskError, match="PREDICTIONS_INVALID") as found:
        read(written(tmp_path, content), BINARY)
    assert words in str(found.value)


def test_a_score_may_be_missing_beside_a_prediction(tmp_path: Path) -> None:
    rows = read(written(tmp_path, "id,label,prediction,score\n1,1,1,\n2,1,0,nan\n"))
    assert rows.predictions.tolist() == [1, 0]
    assert rows.scores is not None
    assert np.isnan(rows.scores).all()


@pytest.mark.parametrize("column", ["id", "label", "text", "part"])
def test_lists_in_a_column_are_named(tmp_path: Path, column: str) -> None:
    frame = pl.DataFrame({"id": [1], "label": [1], "prediction": [1], "text": "a", "part": "b"})
    path = tmp_path / "predictions.parquet"
    frame.with_columns(pl.Series([[1]]).alias(column)).write_parquet(path)
    with pytest.raises(TaskError, match=f"the column '{column}' holds no texts"):
        read(path, replace(BINARY, slices=("part",)))


def test_what_is_no_parquet_is_named(tmp_path: Path) -> None:
    with pytest.raises(TaskError, match="cannot be read as parquet"):
        read(written(tmp_path, "id", "predictions.parquet"))


def test_a_gigantic_file_is_refused_unread(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(formats, "MOST_BYTES", 10)
    with pytest.raises(TaskError, match=r"PREDICTIONS_INVALID: .* larger than"):
        read(written(tmp_path, CSV))


def test_a_small_file_of_too_many_rows_is_refused_unread(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(formats, "MOST_ROWS", 1_000_000)
    path = tmp_path / "predictions.parquet"
    every = pl.repeat(1, 1_000_001, dtype=pl.Int8, eager=True)
    pl.DataFrame({"id": every, "label": every, "prediction": every}).write_parquet(path)
    assert path.stat().st_size < 100_000
    with pytest.raises(TaskError, match="its 1,000,001 rows are more than 1,000,000"):
        read(path)


def test_a_column_may_have_another_name(tmp_path: Path) -> None:
    columns = {"label": "y_true", "score": "Probability", "text": "abstract"}
    content = "id,y_true,label,probability,abstract\n1,1,0,0.9,a\n2,0,1,0.1,a\n"
    rows = read(written(tmp_path, content), Layout(columns=columns))
    assert rows.labels.tolist() == rows.predictions.tolist() == [1, 0]
    assert rows.inputs.tolist() == [0, 0]
    with pytest.raises(TaskError, match="no column 'y', which the rules call the label; its col"):
        read(written(tmp_path, content), Layout(columns={"label": "y"}))


def test_upper_case_and_spaces_in_the_header_do_not_matter(tmp_path: Path) -> None:
    content = " ID ,Label,Prediction ,MATERIAL\n1,1,1,iron\n"
    rows = read(written(tmp_path, content), Layout(slices=("material",)))
    assert rows.slices["material"].tolist() == ["iron"]


def test_rows_of_one_group_are_one_cluster_and_so_are_those_of_one_text(tmp_path: Path) -> None:
    content = "id,label,prediction,text,group\n1,1,1,a,x\n2,1,1,a,y\n3,1,1,b,y\n4,1,1,c,z\n"
    assert read(written(tmp_path, content)).inputs.tolist() == [0, 0, 0, 1]


def test_slices_are_crossed(tmp_path: Path) -> None:
    name = "material \N{MULTIPLICATION SIGN} era"
    content = "id,label,prediction,material,era\n1,1,1,iron,old\n2,1,1,iron,\n"
    rows = read(written(tmp_path, content), Layout(slices=(name, f"era{name[8:11]}absent")))
    assert list(rows.slices) == [name]
    assert rows.slices[name].tolist() == [
        "iron \N{MULTIPLICATION SIGN} old",
        "iron \N{MULTIPLICATION SIGN} (empty)",
    ]


def test_parquet_types_are_read_as_what_they_hold(tmp_path: Path) -> None:
    """Decimals, dictionaries, binary ids, whole numbers that pandas made floats, booleans."""
    frame = pl.DataFrame(
        {
            "id": [b"a", b"\xff"],
            "label": [1.0, 0.0],
            "prediction": [True, False],
            "score": pl.Series(["0.75", "0.25"]).cast(pl.Decimal(10, 4)),
            "text": pl.Series(["x", "y"], dtype=pl.Categorical),
            "part": [7.0, None],
        }
    )
    path = tmp_path / "predictions.PARQUET"
    frame.write_parquet(path)
    rows = read(path, Layout(slices=("part",)))
    assert rows.ids.tolist() == ["61", "ff"]
    assert rows.labels.tolist() == rows.predictions.tolist() == [1, 0]
    assert rows.scores is not None
    assert rows.scores.tolist() == [0.75, 0.25]
    assert rows.texts is not None
    assert rows.texts.tolist() == ["x", "y"]
    assert rows.slices["part"].tolist() == ["7", "(empty)"]
