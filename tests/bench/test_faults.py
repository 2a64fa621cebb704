"""A part of the fault suite: `dev.py bench faults` runs each fault, and kills a hundred times."""

from __future__ import annotations

import os
import random
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from bench import faults
from bench.faults import Bench, Row


def part(bench: Bench) -> Iterator[Row]:
    """A lost answer at each phase, and one kill of each task."""
    chance = random.Random(bench.sdk)  # noqa: S311
    yield from faults.faulted(bench, ("truncate=10 times=1",))
    yield faults.killed_runs(bench, 1, chance)
    yield faults.killed_clusters(bench, 1, chance)


@pytest.mark.slow
@pytest.mark.parametrize("sdk", ["v2", "v1"])
def test_a_lost_answer_and_a_kill_change_no_outcome(
    tmp_path: Path, sdk: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The launcher finds uv on the PATH.
    tools = Path(sys.executable).parent
    monkeypatch.setenv("PATH", f"{tools}{os.pathsep}{os.environ['PATH']}")
    rows = faults.of_sdk(sdk, faults.packed(tmp_path), part)
    assert len(rows) == sum(len(phases) for phases in faults.PHASES.values()) + 2
    assert [problem for row in rows for problem in row.problems] == []
    assert all(row.cases == row.one == row.right == row.silent == 1 for row in rows)


def test_what_is_wrong_is_counted_and_told() -> None:
    row = Row(task="RunAmlPipeline", phase="submitting", sdk="v2")
    row.add("a", one=True, right=True, silent=True, said="fine")
    row.add("b", one=False, right=True, silent=True, said="two runs")
    row.add("c", one=True, right=False, silent=False, said="x" * 1000)
    assert faults.line(row) == "| RunAmlPipeline | submitting | v2 | 3 | 2 | 2 | 2 |"
    assert row.problems == ["b: two runs", "c: " + "x" * 600]
    assert list(faults.table([row]))[2:] == [faults.line(row)]
