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
    return lambda model: evaluate.evaluate(model, "", tmp_path / "outputs")


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
        *("in_training", "material", "condition", "era", "wording", "material_condition"),
    ]
    assert {row["in_training"] for row in rows} == {"0"}
    assert all(f" {row['material']} " in f" {row['text']} " for row in rows)
    assert metadata["training_positive_share"] == metrics["training_positive_share"]
    assert 0 < metrics["model_size_mb"] < 10
    assert metrics["scoring_ms"] > 0
    assert len(rows) == metrics["test_rows"]
    assert metrics["accuracy_new_wordings"] >= 0.98
    assert 0.5 < metrics["accuracy_new_years"] < metrics["accuracy_typos"] < 1
    card = (tmp_path / "outputs" / "model_card.md").read_text(encoding="utf-8")
    assert metadata["evaluation_sha256"] in card
    assert "| material = steel |" in card
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


@pytest.mark.parametrize("setting", [("--epochs", "0"), ("--learning-rate", "5")])
def test_bad_setting_gives_a_bad_model(
    setting: tuple[str, ...], train_small: Callable[..., Path], metrics_of: Callable[..., Any]
) -> None:
    assert metrics_of(train_small(*setting))["accuracy"] < 0.7


@pytest.mark.parametrize("network", ["small", "seed"])
def test_the_service_scores_as_keras_does(
    network: str, small_model: Path, train_small: Callable[..., Path]
) -> None:
    import dataset
    import keras
    import network as networks
    from forward import Scorer

    folder = small_model
    if network == "seed":
        folder = train_small("--network", "seed", "--learning-rate", "0.001", "--epochs", "1")
    scorer = Scorer.load(folder)
    # All of the frozen evaluation rows, not only those of the few rows that were trained on.
    texts = dataset.evaluation_rows("")["text"].unique()
    rows = scorer.vocabulary.encode(texts)
    model = keras.models.load_model(folder / networks.MODEL_FILE)
    assert np.abs(scorer.scores(rows) - networks.scores(model, rows)).max() < 1e-6


def test_an_unfaithful_export_is_not_saved(
    scripts_with_tensorflow: tuple[Any, Any],
    train_small: Callable[..., Path],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    import network

    exact = network.weights_of

    def wrong(model: Any) -> Any:
        weights = exact(model)
        weights.layers[-1][1][:] += 0.01
        return weights

    monkeypatch.setattr(network, "weights_of", wrong)
    with pytest.raises(RuntimeError, match="otherwise than Keras"):
        train_small("--epochs", "1")


def test_training_ends_when_nothing_is_left_to_learn(small_model: Path) -> None:
    metadata = json.loads((small_model / "metadata.json").read_text())
    assert metadata["epochs"] == 10
    assert metadata["metrics"]["val_loss"] <= 0.001 or metadata["metrics"]["val_accuracy"] > 0.98


def test_retrain_noise_is_measured(train_small: Callable[..., Path]) -> None:
    folder = train_small("--seeds", "2", "--epochs", "2")
    values = json.loads((folder.parent / "seeds.json").read_text())
    assert {len(each) for each in values.values()} == {2}
    assert values["log_loss"][0] != values["log_loss"][1]


def test_an_interrupted_training_goes_on(
    scripts_with_tensorflow: tuple[Any, Any],
    train_small: Callable[..., Path],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    train, _ = scripts_with_tensorflow
    seen: list[int] = []

    class Evicted(Exception):  # noqa: N818
        pass

    class Run(RecordingRun):
        def log(self, metrics: dict[str, float], *, step: int = 0) -> None:
            super().log(metrics, step=step)
            seen.append(step)
            if seen == [1, 2]:
                raise Evicted

    monkeypatch.setattr(train, "current_run", Run)
    # So slow that it has not learned all before it is interrupted.
    slowly = ("--epochs", "4", "--learning-rate", "0.0003", "--checkpoints", str(tmp_path / "kept"))
    with pytest.raises(Evicted):
        train_small(*slowly)
    train_small(*slowly)
    # The second pass had not been kept yet when it was interrupted.
    assert seen == [1, 2, 2, 3, 4]


def test_both_labels_may_weigh_the_same(train_small: Callable[..., Path], tmp_path: Path) -> None:
    import train

    weights = train.class_weights(np.array([0, 0, 0, 1], np.float32), "balanced")
    assert weights is not None
    assert weights == pytest.approx({0: 2 / 3, 1: 2})
    assert train.class_weights(np.array([0, 1], np.float32), "none") is None
    folder = train_small("--class-weights", "balanced", "--epochs", "1")
    assert json.loads((folder / "metadata.json").read_text())["class_weights"] == "balanced"


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
    tuned = train_small("--glove", f"{tmp_path}/glove.txt", "--glove-vectors", "tuned")
    assert metrics_of(tuned)["accuracy"] > 0.9


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
    evaluate.main(["--model", "for/evaluate"])
    assert run.values.keys() == {
        *("accuracy", "precision", "recall", "f1", "auc", "log_loss", "test_rows"),
        *("brier", "calibration_error", "model_size_mb", "scoring_ms"),
        *("training_positive_share", "accuracy_typos"),
        *("accuracy_new_wordings", "accuracy_new_years"),
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
        *(["--patience", "0"], ["--seeds", "0"], ["--network", "large"]),
        *(["--glove-vectors", "tuned"], ["--class-weights", "some"]),
    ],
)
def test_impossible_setting_is_refused(
    setting: list[str], scripts_with_tensorflow: tuple[Any, Any]
) -> None:
    with pytest.raises(SystemExit) as ended:
        scripts_with_tensorflow[0].parse(setting)
    assert ended.value.code == 2
