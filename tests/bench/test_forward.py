"""The benchmark of one text: both ways score it alike."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

import pytest

from bench import forward, measure


@pytest.mark.tensorflow
@pytest.mark.slow
# Keras hands TensorFlow's variables to numpy 2 in the way of numpy 1, which still works.
@pytest.mark.filterwarnings("ignore:__array__ implementation doesn't accept:DeprecationWarning")
def test_both_ways_find_the_same_score(monkeypatch: pytest.MonkeyPatch) -> None:
    ways: list[tuple[str, Callable[[], Any]]] = []

    def compare(claim: str, *, ours: Any, other: Any, rounds: int) -> measure.Comparison:
        ways.extend([ours, other])
        return measure.compare(claim, ours=ours, other=other, rounds=2)

    monkeypatch.setattr(forward, "compare", compare)
    monkeypatch.setattr(sys, "path", [*sys.path])
    found = forward.run()
    assert (found.rounds, found.other) == (2, "model.predict")
    (mine,), (theirs,) = (way() for _, way in ways)
    assert mine == pytest.approx(theirs, abs=1e-5)
