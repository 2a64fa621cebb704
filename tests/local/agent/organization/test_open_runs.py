"""The files of runs in progress: which of them belong to agents that are gone."""

from __future__ import annotations

import json
import os

import pytest

from local.agent.organization.open_runs import OpenRuns

HERE = ("https://dev.azure.com/mine", "project")


def abandoned(runs, url=HERE[0], project=HERE[1]):
    return [(run.kind, run.number) for _, run in runs.abandoned(url, project)]


def change(file, **members):
    file.write_text(json.dumps({**json.loads(file.read_text()), **members}))


@pytest.fixture
def runs(tmp_path):
    return OpenRuns(tmp_path / "open-runs")


def test_a_run_of_a_living_agent_is_left_alone(runs):
    assert abandoned(runs) == []
    file = runs.open(*HERE, "build", 7)
    assert abandoned(runs) == []
    assert json.loads(file.read_text())["pid"] == os.getpid()


def test_a_run_whose_process_is_gone_or_another_one(runs):
    change(runs.open(*HERE, "build", 7), pid=2**22 + 1)
    change(runs.open(*HERE, "release", 8), process_started=1.0)
    assert abandoned(runs) == [("build", 7), ("release", 8)]
    assert abandoned(runs, project="other") == []
    assert abandoned(runs, url="https://dev.azure.com/other") == []


def test_a_file_that_is_half_written_is_left_alone(runs):
    runs.open(*HERE, "build", 7).write_text('{"url": ')
    assert abandoned(runs) == []


def test_the_file_has_no_secret(runs):
    found = json.loads(runs.open(*HERE, "build", 7).read_text())
    assert set(found) == {"url", "project", "kind", "number", "pid", "process_started"}
