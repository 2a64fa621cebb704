"""The benchmark of serving in small: three real servers, a few requests to each."""

from __future__ import annotations

import sys

import pytest

from bench import serving


@pytest.mark.tensorflow
@pytest.mark.slow
# Keras hands TensorFlow's variables to numpy 2 in the way of numpy 1, which still works.
@pytest.mark.filterwarnings("ignore:__array__ implementation doesn't accept:DeprecationWarning")
@pytest.mark.skipif(sys.platform == "win32", reason="gunicorn does not run on Windows")
def test_all_three_servers_answer_and_are_compared(monkeypatch: pytest.MonkeyPatch) -> None:
    # So many that the CPU time, which the system counts in hundredths of a second, is not 0.
    few = {"ours": 100, "empty": 100, "workshop": 2}
    cases = {"100 texts": ("texts", "ids", 1, few), "1 row": ("text", "id", 2, few)}
    monkeypatch.setattr(serving, "CASES", cases)
    monkeypatch.setattr(sys, "path", [*sys.path])
    found = serving.run(rounds=1)
    assert len(found) == 3 * 4
    assert all(
        each.ours_s > 0 and each.other_s > 0 for each in found.values() if each.clock == "wall"
    )
