"""numpy against onnxruntime, as far as it goes without onnx: the medians, and that both agree."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from bench import onnx_ways


def scoring(monkeypatch: pytest.MonkeyPatch, **scores: float) -> None:
    """Let each way find a score, in a start of 0.1 s and a call of 2 µs."""

    def run(command: list[str], **_: object) -> SimpleNamespace:
        found = {"score": scores[command[2]], "ready_s": 0.1, "call_s": 2e-6}
        return SimpleNamespace(stdout=json.dumps(found))

    monkeypatch.setattr(onnx_ways, "made", lambda folder: None)
    monkeypatch.setattr(onnx_ways, "subprocess", SimpleNamespace(run=run))


def test_medians_are_told(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    scoring(monkeypatch, numpy=0.25, onnxruntime=0.25)
    onnx_ways.main()
    assert capsys.readouterr().out.splitlines() == [
        "numpy: ready 100 ms, one text 2.0 µs (CPU)",
        "onnxruntime: ready 100 ms, one text 2.0 µs (CPU)",
    ]


def test_two_ways_that_differ_are_not_compared(monkeypatch: pytest.MonkeyPatch) -> None:
    scoring(monkeypatch, numpy=0.25, onnxruntime=0.26)
    with pytest.raises(RuntimeError, match="the two ways differ"):
        onnx_ways.main()


def test_numpys_way_scores_the_words(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    ones = {"k0": np.ones((4, 2)), "b0": np.zeros(2), "k1": np.zeros((2, 1)), "b1": np.zeros(1)}
    arrays = {name: array.astype(np.float32) for name, array in ones.items()}
    vectors = np.ones((onnx_ways.IDS, 4), np.float32)
    np.savez(tmp_path / "weights.npz", vectors=vectors, **arrays)  # type: ignore[arg-type]
    monkeypatch.setattr(onnx_ways, "CALLS", 2)
    monkeypatch.setattr(sys, "path", [*sys.path])
    onnx_ways.measured("numpy", tmp_path)
    found = json.loads(capsys.readouterr().out)
    # Without weights in the last layer, a score is as likely as not.
    assert found["score"] == pytest.approx(0.5)
    assert found["call_s"] >= 0
