"""Events that the code of a run sends."""

from __future__ import annotations

import pytest

from local.azure.history import run_events, runs
from local.azure.kernel.http import ServiceError
from tests.local.azure.conftest import asked

EVENT = "Microsoft.MachineLearning.Run."


@pytest.fixture
def send(fresh_azure):
    runs.create_run(fresh_azure, experiment="e", run_id="r")

    def post(name, **data):
        body = {"name": name if "." in name else EVENT + name, "data": data}
        run_events.post_event(fresh_azure, asked(body, experiment="e", run="r"))
        return runs.get_run(fresh_azure, "r")

    return post


def test_a_run_starts_and_ends_at_the_times_that_it_says(send):
    started = send("Start", StartTime="2026-01-02T00:00:00Z")
    assert (started["status"], started["startTimeUtc"]) == ("Running", "2026-01-02T00:00:00Z")
    ended = send("Completed")
    assert ended["status"] == "Completed"
    assert ended["endTimeUtc"]


def test_a_run_that_has_ended_stays_ended(send):
    send("Failed")
    assert send("Start")["status"] == "Failed"
    assert send("CancelRequested")["status"] == "Failed"


def test_an_error_and_warnings_are_kept(send):
    send("Error", ErrorResponse={"error": {"message": "boom"}})
    send("Warning", Source="train", Message="one")
    found = send("Warning", Source="train", Message="two")
    assert found["error"] == {"error": {"message": "boom"}}
    assert [one["message"] for one in found["warnings"]] == ["one", "two"]


def test_a_heartbeat_changes_nothing(send):
    before = send("Start")
    assert send("Heartbeat") == before


def test_an_unknown_event_is_refused(send):
    with pytest.raises(ServiceError, match=r"Run\.Dance' is not known"):
        send("Dance")


def test_events_of_several_runs_at_once(fresh_azure):
    for name in ("a", "b"):
        runs.create_run(fresh_azure, experiment="e", run_id=name)
    events = [{"name": EVENT + "Start", "data": {"RunId": name}} for name in ("a", "b")]
    run_events.post_events(fresh_azure, asked({"events": events}, experiment="e"))
    found = [runs.get_run(fresh_azure, name) for name in ("a", "b")]
    assert [run and run["status"] for run in found] == ["Running", "Running"]
