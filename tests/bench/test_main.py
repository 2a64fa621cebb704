"""``python -m bench``: its names are benchmarks, and it prints and writes their figures."""

from __future__ import annotations

import importlib
import json
from pathlib import Path
from types import SimpleNamespace

import pytest
from click.testing import CliRunner

from bench import __main__ as program
from bench.measure import Comparison

FOUND = Comparison(
    claim="ours is faster",
    ours="in numpy",
    other="in Keras",
    ours_s=0.0015,
    other_s=0.003,
    ratio_low=1.5,
    ratio=2.0,
    ratio_high=2.5,
    rounds=7,
    clock="CPU",
)


@pytest.mark.parametrize("name", program.NAMES)
def test_each_name_is_a_benchmark(name: str) -> None:
    assert callable(importlib.import_module(f"bench.{name}").run)


def test_figures_are_printed_and_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = {"forward": FOUND, "gate": {"gate 1": FOUND, "gate 2": FOUND}}
    benchmarks = {
        f"bench.{name}": SimpleNamespace(run=lambda result=result: result)
        for name, result in found.items()
    }
    monkeypatch.setattr("bench.__main__.importlib.import_module", benchmarks.__getitem__)
    file = tmp_path / "figures.json"
    ended = CliRunner().invoke(program.main, ["forward", "gate", "--json", str(file)])
    assert ended.exit_code == 0, ended.output
    assert (
        "forward: ours is faster: 2.00 times (quartiles 1.50 to 2.50; 7 rounds, CPU time)\n"
        "       1.500 ms  in numpy\n       3.000 ms  in Keras\n"
    ) in ended.output
    figures = json.loads(file.read_text(encoding="utf-8"))
    assert set(figures) == {"forward", "gate 1", "gate 2", "machine"}
    assert figures["forward"]["ratio"] == 2.0
    assert "cores" in figures["machine"]


def test_an_unknown_name_is_refused_before_anything_runs() -> None:
    ended = CliRunner().invoke(program.main, ["gates"])
    assert ended.exit_code == 2
    assert "'gates' is not one of 'gate', 'training'" in ended.output
