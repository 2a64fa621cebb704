"""The stresses that `bench cache` counts, a few times each, and whether their counting can fail."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from bench import cache
from bench.measure import Count

pytestmark = pytest.mark.slow
isolated = pytest.mark.skipif(
    not cache.can_isolate(), reason="this account may not make namespaces of its own"
)


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> cache.Stage:
    return cache.staged(tmp_path_factory.mktemp("cache"))


@pytest.mark.parametrize(
    "stress",
    [
        lambda stage: cache.together(stage, 1),
        lambda stage: cache.killed(stage, 8),
        pytest.param(cache.full_disk, marks=isolated),
        pytest.param(cache.read_only, marks=isolated),
        pytest.param(cache.offline, marks=isolated),
    ],
    ids=["together", "killed", "full disk", "read-only", "offline"],
)
def test_each_stress_holds_every_time(
    stage: cache.Stage, stress: Callable[[cache.Stage], Count]
) -> None:
    found = stress(stage)
    assert found.good == found.of > 0


def test_a_task_that_does_not_succeed_is_not_counted(tmp_path: Path) -> None:
    broken = cache.staged(tmp_path)
    for wheel in broken.wheels.iterdir():
        wheel.unlink()
    (broken.folder / "uv-cache").mkdir()
    assert cache.killed(broken, 1).good == 0
