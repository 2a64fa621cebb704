"""Where the tasks are, who runs them, and what a tool says that fails."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from extension.sources import PackagingError, run, runs_on_agent, task_folders


def test_a_task_is_a_folder_with_a_version_and_a_task_json(tmp_path: Path) -> None:
    for name in ("tasks/BV2", "tasks/AV1", "tasks/launcher", "tasks/EmptyV1"):
        (tmp_path / name).mkdir(parents=True)
    for name in ("tasks/BV2/task.json", "tasks/AV1/task.json", "tasks/launcher/task.json"):
        (tmp_path / name).touch()
    assert [folder.name for folder in task_folders(tmp_path)] == ["AV1", "BV2"]


def test_the_service_runs_what_no_agent_runs() -> None:
    assert runs_on_agent({"runsOn": ["Agent", "DeploymentGroup"]})
    assert not runs_on_agent({"runsOn": ["ServerGate"]})


def test_both_streams_of_a_tool_are_returned(tmp_path: Path) -> None:
    script = "import os, sys; print(os.getcwd()); print('warned', file=sys.stderr)"
    found = run([sys.executable, "-c", script], cwd=tmp_path)
    assert sorted(found.splitlines()) == sorted([str(tmp_path.resolve()), "warned"])


def test_a_tool_that_fails_is_told_with_what_it_said() -> None:
    with pytest.raises(PackagingError, match=r"failed with exit code 3:\nno luck"):
        run([sys.executable, "-c", "import sys; print('no luck'); sys.exit(3)"])


def test_a_tool_that_is_not_there_is_told() -> None:
    with pytest.raises(PackagingError, match=r"no-such-tool was not found\. Next: "):
        run(["no-such-tool"])
