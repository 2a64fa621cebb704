"""Each way of training fits, and says what it took and how good it became."""

from __future__ import annotations

import importlib
import json
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.tensorflow
@pytest.mark.slow
# Keras hands TensorFlow's variables to numpy 2 in the way of numpy 1, which still works.
@pytest.mark.filterwarnings("ignore:__array__ implementation doesn't accept:DeprecationWarning")
def test_each_way_says_what_it_took(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "path", [str(ROOT / "ml_scripts"), *sys.path])
    training_ways = importlib.import_module("bench.training_ways")
    monkeypatch.setattr(training_ways, "ROWS", 4_000)
    for way, most in (("ours", 10), ("0.001", 1)):
        training_ways.main(way)
        found = json.loads(capsys.readouterr().out.splitlines()[-1])
        assert found["cpu_s"] > 0 < found["wall_s"]
        assert 1 <= found["epochs"] <= most
        assert found["accuracy"] > 0.8
