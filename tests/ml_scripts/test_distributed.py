"""Two workers train one model together, as Azure ML starts them: with TF_CONFIG."""

import json
import os
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.patience import PATIENCE_S

SCRIPTS = Path(__file__).resolve().parents[2] / "ml_scripts"
# As the fixture `small_model` is trained, by one worker.
OPTIONS = ("--rows", "4000")

pytestmark = pytest.mark.tensorflow


def free_ports(count: int) -> list[int]:
    """Ports of 127.0.0.1 on which nothing listens."""
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [each.getsockname()[1] for each in sockets]
    for each in sockets:
        each.close()
    return ports


def started(folder: Path, config: dict[str, Any]) -> subprocess.Popen[str]:
    """Start train.py in a folder of its own."""
    folder.mkdir()
    environment = {**os.environ, "TF_CONFIG": json.dumps(config)}
    command = [sys.executable, str(SCRIPTS / "train.py"), *OPTIONS, "--model-output", "registered"]
    return subprocess.Popen(
        command,
        cwd=folder,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def ended(process: subprocess.Popen[str]) -> str:
    """Wait for a training; return its output."""
    output, _ = process.communicate(timeout=PATIENCE_S)
    assert process.returncode == 0, output
    return output


def test_two_workers_reach_the_metrics_of_one(small_model: Path, tmp_path: Path) -> None:
    addresses = [f"127.0.0.1:{port}" for port in free_ports(2)]
    pair = [
        started(
            tmp_path / str(index),
            {"cluster": {"worker": addresses}, "task": {"type": "worker", "index": index}},
        )
        for index in range(2)
    ]
    outputs = [ended(process) for process in pair]
    assert all("Training with 2 workers" in output for output in outputs)
    epochs = [[line for line in output.splitlines() if "Epoch" in line] for output in outputs]
    assert [line.partition("Epoch")[2] for line in epochs[0]] == [
        line.partition("Epoch")[2] for line in epochs[1]
    ], "both workers see the same metrics and stop after the same epoch"

    together, alone = (
        json.loads((folder / "metadata.json").read_text("utf-8"))["metrics"]
        for folder in (tmp_path / "0/outputs/model", small_model)
    )
    assert together.keys() == alone.keys()
    assert together["val_accuracy"] == pytest.approx(alone["val_accuracy"], abs=0.005)
    assert together["train_accuracy"] == pytest.approx(alone["train_accuracy"], abs=0.01)
    assert (tmp_path / "0/registered/weights.npz").stat().st_size
    assert not (tmp_path / "1/outputs").exists(), "only the chief leaves a model"
    assert not (tmp_path / "1/registered").exists()


@pytest.mark.parametrize(
    ("config", "count", "chief"),
    [
        ({}, 1, True),
        ({"cluster": {"worker": ["a:1"]}, "task": {"type": "worker", "index": 0}}, 1, True),
        ({"cluster": {"worker": ["a:1", "b:1"]}, "task": {"type": "worker", "index": 1}}, 2, False),
        (
            {
                "cluster": {"chief": ["a:1"], "worker": ["b:1"]},
                "task": {"type": "worker", "index": 0},
            },
            2,
            False,
        ),
        ({"cluster": {"chief": ["a:1"], "worker": ["b:1"]}, "task": {"type": "chief"}}, 2, True),
    ],
)
def test_the_chief_and_the_number_of_workers(
    scripts_with_tensorflow: tuple[Any, Any],
    monkeypatch: pytest.MonkeyPatch,
    config: dict[str, Any],
    count: int,
    chief: bool,
) -> None:
    import distributed

    monkeypatch.setenv("TF_CONFIG", json.dumps(config))
    assert (distributed.workers(), distributed.is_chief()) == (count, chief)


def test_a_worker_with_two_gpus_is_refused(
    scripts_with_tensorflow: tuple[Any, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    import distributed
    import numpy as np
    from plan import Plan

    class TwoEach:
        """What TensorFlow says of two workers with two GPUs each."""

        num_replicas_in_sync = 4

    monkeypatch.setattr(distributed, "join", TwoEach)
    monkeypatch.setattr(distributed, "workers", lambda: 2)
    part = (np.zeros((1, 1), np.int32), np.zeros(1, np.float32))
    plan = Plan(epochs=1, batch_size=1, patience=1)
    with pytest.raises(RuntimeError, match=r"2 workers have 4 GPUs.* Next: set CUDA_VISIBLE"):
        distributed.fit(None, part, part, plan, lambda *_: None)


def test_an_interrupted_training_goes_on_where_it_was(
    scripts_with_tensorflow: tuple[Any, Any], tmp_path: Path
) -> None:
    import distributed
    import numpy as np

    model, other = object(), object()
    state: dict[str, Any] = {}

    class Kept:
        """A network whose weights are kept in `state`."""

        def save_weights(self, file: Path) -> None:
            file.write_text("weights", encoding="utf-8")
            state["saved"] = file.name

        def load_weights(self, file: Path) -> None:
            state["loaded"] = file.read_text(encoding="utf-8")

    assert distributed._Progress.read(other, tmp_path) == distributed._Progress()
    progress = distributed._Progress().after(1, 0.5, [np.ones(2)]).after(2, 0.7, [np.zeros(2)])
    progress.keep(Kept(), tmp_path)
    found = distributed._Progress.read(Kept(), tmp_path)
    assert (found.epoch, found.loss, found.bad_epochs) == (2, 0.5, 1)
    assert found.best is not None
    assert found.best[0].tolist() == [1, 1], "the best weights, not the last"
    assert state == {"saved": "latest.weights.h5", "loaded": "weights"}
    distributed._forget(tmp_path)
    assert not list(tmp_path.iterdir())
    assert distributed._Progress.read(model, tmp_path) == distributed._Progress()
