"""A part of the releases under load: `dev.py bench deploy` has ten on each SDK."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from bench import deploy
from bench.deploy import Asked, Row
from bench.faults import packed


@pytest.mark.slow
@pytest.mark.parametrize("sdk", ["v2", "v1"])
def test_no_request_fails_through_a_bad_and_a_killed_release(
    tmp_path: Path, sdk: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The launcher finds uv on the PATH.
    tools = Path(sys.executable).parent
    monkeypatch.setenv("PATH", f"{tools}{os.pathsep}{os.environ['PATH']}")
    kinds = ("wrong", "killed late", "good")
    rows = deploy.of_sdk(sdk, packed(tmp_path), kinds, rate=5.0, alone_s=0.5, bake_s=0.5)
    assert [problem for row in rows for problem in row.problems] == []
    assert [row.ended for row in rows] == ["", "refused", "killed", "released", ""]
    assert all(row.figures.requests > 0 and row.figures.failures == 0 for row in rows)


def test_requests_are_summed_up_by_nearest_rank() -> None:
    asked = [Asked(due=0, took=n / 100, release=1) for n in range(1, 101)]
    asked.append(Asked(due=0, took=30, release=-1, problem="ReadTimeout"))
    found = deploy.figures(asked)
    assert (found.requests, found.failures, found.p50, found.p99) == (101, 1, 0.51, 1.0)
    assert deploy.figures([]).p99 == 0


def test_what_went_wrong_shows_in_the_table() -> None:
    asked = [Asked(due=0, took=0.25, release=1)]
    row = Row(what="slow", sdk="v1", ended="refused", figures=deploy.figures(asked))
    assert deploy.line(row) == "| v1 | slow | refused | yes | 1 | 0 | 250 | 250 |"
    row.problems.append("the key changed")
    assert "| no (1) |" in list(deploy.table([row]))[-1]
