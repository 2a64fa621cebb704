"""Runs as the service shows them."""

from __future__ import annotations

import pytest

from local.azure.history import runs
from local.azure.history.run_views import shown

START = "2026-01-02T00:00:00.0000000+00:00"


def view(cloud, **change):
    runs.create_run(cloud, experiment="e", run_id="r")
    return shown(cloud, runs.update_run(cloud, "r", **change))


@pytest.mark.parametrize(
    ("end", "expected"),
    [
        (None, None),
        ("2026-01-02T00:01:02.5000000+00:00", "00:01:02.5000000"),
        ("2026-01-04T03:00:00.0000000+00:00", "2.03:00:00.0000000"),
        ("2026-01-01T00:00:00.0000000+00:00", "00:00:00.0000000"),
    ],
)
def test_a_duration_is_written_as_dotnet_writes_it(fresh_azure, end, expected):
    found = view(fresh_azure, startTimeUtc=START, endTimeUtc=end)
    assert found["duration"] == found["computeDuration"] == expected
    assert (found["lastStartTimeUtc"] is None) is (end is not None)


def test_what_only_the_local_azure_keeps_is_not_shown(fresh_azure):
    found = view(fresh_azure)
    assert not {"experimentName", "heartbeatEnabled", "options"} & set(found)
    assert found["jobSpecification"] is None


def test_a_step_says_who_runs_it(fresh_azure):
    found = view(fresh_azure, runType="azureml.StepRun", target="cpu", cancelUri="https://c")
    assert found["runTypeV2"]["attribution"] == "Aether"
    assert found["compute"]["target"] == "cpu"
    assert found["actionUris"] == {"Cancel": "https://c"}
