"""Files of predictions: what is read of them, and what is wrong with them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from amltasks.errors import TaskError
from amltasks.evaluate_and_gate import predictions
from amltasks.gate.rows import Pair, Rows, paired

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
    rows = predictions.read(written(tmp_path, CSV), ["material", "absent"])
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
    one = predictions.read(tmp_path / "predictions.csv", ["material"])
    other = predictions.read(tmp_path / "predictions.parquet", ["material"])
    assert isinstance(paired(one, other), Pair)
    assert one.inputs.tolist() == other.inputs.tolist()


def test_a_score_alone_is_cut_at_one_half(tmp_path: Path) -> None:
    rows = predictions.read(written(tmp_path, "id,label,score\n1,0,0.5\n2,1,0.49\n3,1,9\n"))
    assert rows.predictions.tolist() == [1, 0, 1]
    assert rows.inputs.tolist() == [0, 1, 2]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("", "cannot be read as CSV"),
        ("id,label,prediction\n", "holds no rows"),
        ("label,prediction\n1,1\n", "no column 'id'; its columns are label, prediction"),
        ("id,label\n1,1\n", "no column 'prediction'"),
        ("id,label,prediction\n1,1,1\n1,0,0\n", "the id '1' stands in several rows"),
        ("id,label,prediction\n,1,1\n", "a row has no id"),
        ("id,label,prediction\n1,2,1\n", "neither 0 nor 1, the first is data row 1 (label: '2')"),
        ("id,label,prediction\n1,1,yes\n", "a prediction that is neither 0 nor 1"),
        ("id,label,prediction\n1,,1\n", "a label that is neither 0 nor 1"),
        ("id,label,score\n1,1,high\n", "the score of data row 1 is no number ('high')"),
        ("id,label,prediction\n1,1,1,1\n", "cannot be read as CSV"),
        (b"id,label,prediction\n\xff\xfe,1,1\n", "cannot be read as CSV"),
        ("id,label,prediction\n1,1,1\n".encode("utf-16"), "predictions.csv"),
        ("id,label,score\n1,1,0.9\n2,0,nan\n", "data row 2 has neither a prediction nor a score"),
        ("id,label,score\n1,1,\n", "data row 1 has neither a prediction nor a score"),
        ("id,label,prediction,label\n1,1,1,0\n", "more than one column 'label'"),
    ],
)
def test_what_is_wrong_is_named(tmp_path: Path, content: str | bytes, words: str) -> None:
    with pytest.raises(TaskError, match="PREDICTIONS_INVALID") as found:
        predictions.read(written(tmp_path, content))
    assert words in str(found.value)


def test_a_score_may_be_missing_beside_a_prediction(tmp_path: Path) -> None:
    rows = predictions.read(written(tmp_path, "id,label,prediction,score\n1,1,1,\n2,1,0,nan\n"))
    assert rows.predictions.tolist() == [1, 0]
    assert rows.scores is not None
    assert np.isnan(rows.scores).all()


@pytest.mark.parametrize("column", ["id", "label", "text", "part"])
def test_lists_in_a_column_are_named(tmp_path: Path, column: str) -> None:
    frame = pl.DataFrame({"id": [1], "label": [1], "prediction": [1], "text": "a", "part": "b"})
    path = tmp_path / "predictions.parquet"
    frame.with_columns(pl.Series([[1]]).alias(column)).write_parquet(path)
    with pytest.raises(TaskError, match=f"the column '{column}' holds no texts"):
        predictions.read(path, ("part",))


def test_what_is_no_parquet_is_named(tmp_path: Path) -> None:
    with pytest.raises(TaskError, match="cannot be read as parquet"):
        predictions.read(written(tmp_path, "id", "predictions.parquet"))


def test_a_gigantic_file_is_refused_unread(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(predictions, "MOST_BYTES", 10)
    with pytest.raises(TaskError, match=r"PREDICTIONS_INVALID: .* larger than"):
        predictions.read(written(tmp_path, CSV))


def test_a_small_file_of_too_many_rows_is_refused_unread(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(predictions, "MOST_ROWS", 1_000_000)
    path = tmp_path / "predictions.parquet"
    every = pl.repeat(1, 1_000_001, dtype=pl.Int8, eager=True)
    pl.DataFrame({"id": every, "label": every, "prediction": every}).write_parquet(path)
    assert path.stat().st_size < 100_000
    with pytest.raises(TaskError, match="its 1,000,001 rows are more than 1,000,000"):
        predictions.read(path)


def rows(ids: list[str], labels: list[int], texts: list[str] | None = None) -> Rows:
    return Rows(
        ids=np.array(ids, dtype=object),
        labels=np.array(labels, dtype=np.int8),
        predictions=np.array(labels, dtype=np.int8),
        inputs=np.arange(len(ids)),
        texts=None if texts is None else np.array(texts, dtype=object),
    )


@pytest.mark.parametrize(
    ("other", "words"),
    [
        (rows(["a"], [1]), "has 2 rows and the baseline 1, of which 1 have the same id"),
        (rows(["a", "c"], [1, 0]), "of which 1 have the same id"),
        (rows(["a", "b"], [1, 1]), "1 rows of the same id have another label"),
        (rows(["a", "b"], [1, 0], ["x", "z"]), "1 rows of the same id have another input"),
    ],
)
def test_other_rows_are_told(other: Rows, words: str) -> None:
    found = paired(rows(["a", "b"], [1, 0], ["x", "y"]), other)
    assert isinstance(found, str)
    assert words in found


@given(st.lists(st.text(max_size=3), min_size=1, unique=True), st.randoms())
def test_the_order_of_rows_does_not_matter(ids: list[str], random: object) -> None:
    labels = [len(each) % 2 for each in ids]
    order = list(range(len(ids)))
    random.shuffle(order)  # type: ignore[attr-defined]
    shuffled = rows([ids[i] for i in order], [labels[i] for i in order])
    found = paired(rows(ids, labels), shuffled)
    assert isinstance(found, Pair)
    assert found.baseline.predictions.tolist() == labels
    assert shuffled.digest == rows(ids, labels).digest
    assert shuffled.digest != rows(ids, [1 - label for label in labels]).digest
