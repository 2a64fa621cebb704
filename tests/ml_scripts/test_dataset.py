from pathlib import Path

import dataset
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sources import SourceError

from amltasks.evaluate_and_gate.predictions import reader
from amltasks.gate import rules


def write(tmp_path: Path, content: str) -> str:
    path = tmp_path / "own.csv"
    path.write_text(content, encoding="utf-8")
    return str(path)


def test_generated_when_no_source_is_given() -> None:
    frame = dataset.load("", 100)
    assert list(frame.columns) == ["text", "label"]
    assert len(frame) == 100


def test_own_csv_may_have_more_columns_in_any_order(tmp_path: Path) -> None:
    source = write(tmp_path, 'id,label,text\n7, 1,"old, rusty"\n8,0,NA\n')
    assert dataset.load(source, 5).to_dict("list") == {
        "text": ["old, rusty", "NA"],
        "label": [1, 0],
    }


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("comment,label\nnice,0\n", r"no column text; its columns are comment, label"),
        ("a;b\n1;2\n", r"no column text and no column label"),
        ("", r"cannot be read as CSV"),
        ('text,label\n"open,0\n', r"cannot be read as CSV"),
        ("text,label\nnice,0\nbad,yes\n", r"unusable label, the first is data row 2 .*'yes'"),
        ("text,label\n  ,0\n", r"unusable text, the first is data row 1"),
        ("text,label\nnice\n", r"unusable label"),
    ],
)
def test_unusable_csv_is_refused_in_one_sentence(
    content: str, message: str, tmp_path: Path
) -> None:
    with pytest.raises(SourceError, match=message) as error:
        dataset.load(write(tmp_path, content), 5)
    assert "Next: " in str(error.value)
    assert "\n" not in str(error.value)


def test_text_in_another_encoding_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "latin.csv"
    path.write_bytes("text,label\nété,0\n".encode("latin-1"))
    with pytest.raises(SourceError, match="UTF-8"):
        dataset.load(str(path), 5)


def test_missing_file_is_refused() -> None:
    with pytest.raises(SourceError, match=r"There is no file nowhere\.csv"):
        dataset.load("nowhere.csv", 5)


def test_no_text_is_in_two_parts_and_no_row_is_lost() -> None:
    frame = dataset.load("", 5000)
    parts = dataset.divide(frame)
    texts = [set(part["text"]) for part in (parts.training, parts.validation, parts.evaluation)]
    assert sum(len(part) for part in texts) == len(set.union(*texts))
    together = pd.concat([parts.training, parts.validation, parts.evaluation]).sort_index()
    pd.testing.assert_frame_equal(together, frame)


def test_the_same_words_in_other_capitals_are_in_the_same_part() -> None:
    frame = dataset.load("", 5000)
    shouted = pd.concat([frame, frame.assign(text=frame["text"].str.upper() + "!")])
    evaluated = set(dataset.divide(frame).evaluation["text"])
    more = set(dataset.divide(shouted).evaluation["text"])
    assert more == evaluated | {f"{text.upper()}!" for text in evaluated}


def test_evaluation_texts_do_not_depend_on_the_other_rows() -> None:
    few, many = (dataset.divide(dataset.load("", rows)).evaluation for rows in (5000, 50_000))
    assert set(few["text"]) <= set(many["text"])


def test_evaluation_rows_are_frozen() -> None:
    evaluation = dataset.evaluation_rows("")
    assert len(evaluation) == 5121
    # Models are compared across builds: this must change only when all of them are trained anew.
    expected = "8d674017aa765e4e635d8cf6fc712a94c912564cb1b4dfeef0ab1d18c86fd7c4"
    assert dataset.digest(evaluation) == expected


def test_the_rules_of_the_sample_pin_the_evaluation_rows(tmp_path: Path) -> None:
    root = Path(__file__).parents[2]
    found = rules.read(
        (root / "samples" / "compliance-classifier" / "gate.yml").read_text(encoding="utf-8"),
        source="gate.yml",
    )
    evaluation = dataset.evaluation_rows("")
    file = tmp_path / "predictions.csv"
    evaluation.assign(prediction=evaluation["label"]).to_csv(file, index_label="id")
    assert found.evaluation is not None
    assert found.evaluation.sha256 == reader.read(file).digest
    assert found.evaluation.min_rows == len(evaluation)


def test_too_few_texts_are_refused() -> None:
    with pytest.raises(SourceError, match="does not hold both labels"):
        dataset.divide(dataset.load("", 5))


@given(st.lists(st.tuples(st.text(max_size=9), st.integers(0, 1)), max_size=5))
def test_digest_changes_with_any_row(rows: list[tuple[str, int]]) -> None:
    frame = pd.DataFrame(rows, columns=["text", "label"])
    longer = pd.DataFrame([*rows, ("more", 1)], columns=["text", "label"])
    assert dataset.digest(frame) == dataset.digest(frame.copy())
    assert dataset.digest(frame) != dataset.digest(longer)
