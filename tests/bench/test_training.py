"""The benchmark of training: each way in each round, and both clocks."""

from __future__ import annotations

from typing import Any

import pytest

from bench import training

SECONDS = {"ours": (2.0, 3.0), "0.1": (20.0, 12.0), "0.001": (10.0, 6.0)}


def test_the_ways_take_turns_and_both_clocks_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    fitted: list[str] = []

    def fit(way: str) -> dict[str, Any]:
        fitted.append(way)
        cpu, wall = SECONDS[way]
        accuracy = 0.99 - 0.01 * len(fitted)
        return {"cpu_s": cpu, "wall_s": wall, "epochs": len(fitted), "accuracy": accuracy}

    monkeypatch.setattr(training, "fitted", fit)
    found = training.run(rounds=2)
    assert fitted == ["ours", "0.1", "0.001"] * 2
    ratios = {name: (each.ratio, each.clock) for name, each in found.items()}
    assert ratios == {
        "training against 0.1 (CPU)": (10.0, "CPU"),
        "training against 0.1 (wall)": (4.0, "wall"),
        "training against 0.001 (CPU)": (5.0, "CPU"),
        "training against 0.001 (wall)": (2.0, "wall"),
    }
    # The worst that a way reached, so that no lucky round speaks for it.
    ours = found["training against 0.1 (CPU)"].ours
    assert ours == "the sample; accuracy at least 0.9500 after 4 passes at most"
