"""The scripts with TensorFlow: on 4,000 rows, in one process."""

import csv
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sources import SourceError

pytestmark = pytest.mark.tensorflow


class RecordingRun:
    """Stands for a run: keeps what is logged."""

    def __init__(self) -> None:
        self.logged: list[tuple[str, int]] = []
        self.values: dict[str, float] = {}
        self.of_pipeline: dict[str, float] = {}

    def log(self, metrics: dict[str, float], *, step: int = 0) -> None:
        self.logged += [(name, step) for name in metrics]
        self.values |= metrics

    def log_to_pipeline(self, metrics: dict[str, float]) -> None:
        self.of_pipeline |= metrics


@pytest.fixture
def metrics_of(scripts_with_tensorflow: tuple[Any, Any], tmp_path: Path) -> Callable[..., Any]:
    _, evaluate = scripts_with_tensorflow
    return lambda model: evaluate.evaluate(model, "", 4000, tmp_path / "outputs")


def test_good_model(small_model: Path, metrics_of: Callable[..., Any], tmp_path: Path) -> None:
    metrics = metrics_of(small_model)
    assert metrics["accuracy"] >= 0.98
    assert metrics["recall"] >= 0.98
    written = json.loads((tmp_path / "outputs" / "metrics.json").read_text())
    metadata = json.loads((small_model / "metadata.json").read_text())
    assert written.pop("evaluation_sha256") == metadata["evaluation_sha256"]
    assert written == metrics
    with (tmp_path / "outputs" / "predictions.csv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert list(rows[0]) == [
        *("id", "text", "label", "score", "prediction"),
        *("in_training", "material", "condition"),
    ]
    assert {row["in_training"] for row in rows} == {"0"}
    assert all(f" {row['material']} " in f" {row['text']} " for row in rows)
    assert metadata["training_positive_share"] == metrics["training_positive_share"]
    assert 0 < metrics["model_size_mb"] < 10
    assert metrics["scoring_ms"] > 0
    assert len(rows) == metrics["test_rows"]
    right = [row["label"] == row["prediction"] for row in rows]
    assert np.mean(right) == pytest.approx(metrics["accuracy"])


def test_two_runs_agree(
    small_model: Path, train_small: Callable[..., Path], metrics_of: Callable[..., Any]
) -> None:
    first, second = metrics_of(train_small()), metrics_of(small_model)
    # What a row takes depends on the machine's mood, the size on what zip makes of the weights.
    measured = first.keys() - {"scoring_ms", "model_size_mb"}
    assert {n: first[n] for n in measured} == pytest.approx(
        {n: second[n] for n in measured}, rel=1e-4
    )


@pytest.mark.parametrize("setting", [("--epochs", "0"), ("--learning-rate", "5", "--epochs", "1")])
def test_bad_setting_gives_a_bad_model(
    setting: tuple[str, ...], train_small: Callable[..., Path], metrics_of: Callable[..., Any]
) -> None:
    assert metrics_of(train_small(*setting))["accuracy"] < 0.7


def test_own_data_and_glove_vectors(
    train_small: Callable[..., Path],
    metrics_of: Callable[..., Any],
    tmp_path: Path,
) -> None:
    import components

    components.write_csv(tmp_path / "own.csv", 4000)
    words = {word for text, _ in components.generate(4000) for word in text.split()}
    random = np.random.default_rng(1)
    lines = [
        f"{word} {' '.join(f'{x:.3f}' for x in random.normal(size=20))}" for word in sorted(words)
    ]
    (tmp_path / "glove.txt").write_text("\n".join([*lines, ". . " + "0.1 " * 19 + "0.1"]))
    model = train_small("--data", f"{tmp_path}/own.csv", "--glove", f"{tmp_path}/glove.txt")
    assert metrics_of(model)["accuracy"] > 0.9


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("good 0.1 0.2\nnew 0.1\n", "is no GloVe text file"),
        ("good 0.1 x\n", "is no GloVe text file"),
        ("xyzzy 0.1 0.2\n", "for none of the 65 words"),
        ("", "for none of the 65 words"),
    ],
)
def test_unusable_glove_file_is_refused(
    content: str, message: str, train_small: Callable[..., Path], tmp_path: Path
) -> None:
    (tmp_path / "glove.txt").write_text(content)
    with pytest.raises(SourceError, match=message):
        train_small("--glove", str(tmp_path / "glove.txt"))


def test_metrics_go_to_the_run_and_its_pipeline(
    scripts_with_tensorflow: tuple[Any, Any],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    train, evaluate = scripts_with_tensorflow
    monkeypatch.chdir(tmp_path)
    run = RecordingRun()
    monkeypatch.setattr(train, "current_run", lambda: run)
    monkeypatch.setattr(evaluate, "current_run", lambda: run)

    train.main(["--rows", "4000", "--epochs", "2", "--model-output", "for/evaluate"])
    names = ["train_loss", "train_accuracy", "val_loss", "val_accuracy"]
    assert run.logged == [(name, epoch) for epoch in (1, 2) for name in names]
    assert not run.of_pipeline
    assert (tmp_path / "outputs" / "model" / "metadata.json").is_file()

    run.values.clear()
    evaluate.main(["--model", "for/evaluate", "--rows", "4000"])
    assert run.values.keys() == {
        *("accuracy", "precision", "recall", "f1", "auc", "log_loss", "test_rows"),
        *("model_size_mb", "scoring_ms", "training_positive_share"),
    }
    assert run.of_pipeline == run.values


def test_csv_without_the_columns_ends_with_one_sentence(
    scripts_with_tensorflow: tuple[Any, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("own.csv").write_text("comment,good\nnice,1\n")
    for script, arguments in zip(scripts_with_tensorflow, ([], ["--model", "."]), strict=True):
        with pytest.raises(SystemExit) as ended:
            script.main([*arguments, "--data", "own.csv"])
        assert isinstance(ended.value.code, str)  # which Python prints, and exits with 1
        assert ended.value.code.startswith(("train: own.csv has no", "evaluate: There is no us"))
    assert not Path("outputs").exists()


@pytest.mark.parametrize(
    "setting",
    [
        *(["--epochs", "-1"], ["--epochs", "many"], ["--batch-size", "0"]),
        *(["--learning-rate", "0"], ["--learning-rate", "nan"], ["--seed", "-1"]),
    ],
)
def test_impossible_setting_is_refused(
    setting: list[str], scripts_with_tensorflow: tuple[Any, Any]
) -> None:
    with pytest.raises(SystemExit) as ended:
        scripts_with_tensorflow[0].parse(setting)
    assert ended.value.code == 2
