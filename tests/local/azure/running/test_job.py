"""One run as a process: what a configuration says, and how its end is written down."""

from __future__ import annotations

import pytest

from local.azure.history import runs
from local.azure.running.job import (
    SCRIPT_RUN,
    Outcome,
    append_log,
    describe,
    fail_interrupted,
    finish,
    folder_of,
    remember,
)


def test_a_configuration_without_anything_has_defaults():
    assert describe({}) == {
        "environment": {},
        "variables": {},
        "watched": ("logs",),
        "timeout_s": None,
    }


def test_a_configuration_is_read():
    found = describe(
        {
            "environment": {"name": "e"},
            "environmentVariables": {"N": 1},
            "history": {"directoriesToWatch": ["logs", "out"]},
            "maxRunDurationSeconds": 60,
        }
    )
    assert found["variables"] == {"N": "1"}
    assert (found["watched"], found["timeout_s"]) == (("logs", "out"), 60.0)


@pytest.mark.parametrize("status", ["Completed", "Canceled", "Failed"])
def test_an_end_is_written_into_run_history(fresh_azure, status):
    runs.create_run(fresh_azure, experiment="e", run_id="r", runType=SCRIPT_RUN)
    runs.update_run(fresh_azure, "r", startTimeUtc=fresh_azure.ml_timestamp())
    finish(fresh_azure, "r", Outcome(status=status, code="UserError", message="boom"))
    run = runs.get_run(fresh_azure, "r")
    assert run is not None
    assert (run["status"], run["endTimeUtc"] is None) == (status, False)
    assert (run["error"] is None) is (status != "Failed")
    end = run["properties"]["EndTimeUtc"]
    assert end is not None
    assert len(end) == len("2026-03-27 04:03:26")


def test_runs_of_a_killed_server_are_failed_and_their_folders_gone(fresh_azure):
    for name in ("ended", "open"):
        runs.create_run(fresh_azure, experiment="e", run_id=name)
        remember(fresh_azure, name)
        folder_of(fresh_azure, name).mkdir(parents=True)
    finish(fresh_azure, "ended", Outcome(status="Completed"))
    fail_interrupted(fresh_azure)
    found = {name: runs.get_run(fresh_azure, name) for name in ("ended", "open")}
    assert [run and run["status"] for run in found.values()] == ["Completed", "Failed"]
    assert not folder_of(fresh_azure, "open").exists()


def test_a_log_is_an_artifact_from_its_first_line(fresh_azure):
    runs.create_run(fresh_azure, experiment="e", run_id="r")
    append_log(fresh_azure, "r", "azureml-logs/a.txt")("one")
    append_log(fresh_azure, "r", "azureml-logs/a.txt")("two")
    kept = list(fresh_azure.root.rglob("a.txt"))
    assert [file.read_text() for file in kept] == ["one\ntwo\n"]
