"""Test runs as the `azure-devops` package drives them."""

from __future__ import annotations

import pytest

from tests.local.azure.devops.organisation import Organisation


def test_a_run_of_a_builds_tests(organisation: Organisation) -> None:
    client, project = organisation.client("test"), organisation.project
    build = organisation.queue(organisation.definition())
    body = {"name": "Gate", "build": {"id": str(build.id)}, "automated": True}
    run = client.create_test_run(body, project)
    assert run.state == "NotStarted"
    results = [
        {"testCaseTitle": "accuracy", "outcome": "Passed"},
        {"testCaseTitle": "size", "outcome": "Failed", "errorMessage": "too large"},
    ]
    added = client.add_test_results_to_test_run(results, project, run.id)
    assert [one.id for one in added] == [100000, 100001]
    client.update_test_run({"state": "completed"}, project, run.id)
    (found,) = client.get_test_runs(project, build_uri=build.uri)
    assert (found.state, found.total_tests, found.passed_tests) == ("Completed", 2, 1)
    (failed,) = client.get_test_results(project, run.id, outcomes=["Failed"])
    assert failed.error_message == "too large"
    with pytest.raises(Exception, match="There is no state"):
        client.update_test_run({"state": "great"}, project, run.id)
    with pytest.raises(Exception, match="cannot be found"):
        client.get_test_run_by_id(project, 9999)
