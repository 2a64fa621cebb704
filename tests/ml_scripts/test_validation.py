import json
from pathlib import Path

import components
import dataset
import pandas as pd
import pytest
import validation


def report_of(frame: pd.DataFrame) -> validation.Report:
    return validation.validate(frame, dataset.divide(frame))


def test_good_data_deserves_no_look() -> None:
    report = report_of(dataset.load("", 5000))
    assert report.warnings == ()
    assert (report.rows, report.words, report.leaked) == (5000, 65, 0)
    assert sum(report.part_rows.values()) == 5000


def test_contradictions_are_counted() -> None:
    frame = dataset.load("", 2000)
    twice = pd.concat([frame, frame.head(1).assign(label=1 - frame["label"].iloc[0])])
    report = report_of(twice)
    assert report.contradictions == 1
    assert "1 of" in report.warnings[0]
    assert "both labels" in report.warnings[0]


def test_leakage_is_told() -> None:
    frame = dataset.load("", 2000)
    parts = dataset.divide(frame)
    leaking = dataset.Parts(
        training=pd.concat([parts.training, parts.evaluation.head(1)]),
        validation=parts.validation,
        evaluation=parts.evaluation,
    )
    report = validation.validate(frame, leaking)
    assert report.leaked == 1
    assert report.warnings == ("1 evaluation texts are also trained on.",)


def test_what_is_not_read_is_told() -> None:
    frame = dataset.load("", 2000)
    longer = frame.assign(text=frame["text"].where(frame.index > 0, "in " * 101))
    assert "1 texts have more than 100 words" in " ".join(report_of(longer).warnings)


def test_a_shift_of_labels_is_told() -> None:
    frame = dataset.load("", 2000)
    parts = dataset.divide(frame)
    shifted = dataset.Parts(
        training=parts.training,
        validation=parts.validation,
        evaluation=parts.evaluation.assign(label=1),
    )
    (warning,) = validation.validate(frame, shifted).warnings
    assert warning.startswith("The share of label 1 is 1.000 in the part for evaluation")


def test_command_line_writes_a_report(tmp_path: Path) -> None:
    components.write_csv(tmp_path / "own.csv", 2000, variant="noisy")
    target = tmp_path / "report.json"
    validation.main([str(tmp_path / "own.csv"), "--report", str(target)])
    assert json.loads(target.read_text(encoding="utf-8"))["rows"] == 2000
    with pytest.raises(SystemExit, match="validation: There is no file"):
        validation.main(["missing.csv"])
