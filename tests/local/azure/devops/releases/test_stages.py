"""Stages take their time; drafts, disabled definitions and name formats."""

from __future__ import annotations

import uuid
from typing import Any

import pytest

from tests.local.azure.devops.organisation import Organisation

VERSION = {"api-version": "7.1"}


@pytest.fixture
def ask(organisation: Organisation) -> Any:
    base = organisation.url.replace("//dev.", "//vsrm.dev.")

    def send(method: str, path: str, body: Any = None, **query: str) -> Any:
        return organisation.session.request(
            method,
            f"{base}/{organisation.project}/_apis/release/{path}",
            params={**VERSION, **query},
            json=body,
            auth=("", organisation.token),
            timeout=30,
        )

    return send


def define(ask: Any, **more: Any) -> Any:
    body = {"name": uuid.uuid4().hex, "environments": [{"name": "Test"}], **more}
    answer = ask("POST", "definitions", body)
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_a_stage_is_queued_until_its_job_begins(ask: Any, organisation: Organisation) -> None:
    made = define(ask, releaseNameFormat="R$(rev:rr)")
    release = ask("POST", "releases", {"definitionId": made["id"], "isDraft": True}).json()
    assert (release["name"], release["status"]) == ("R01", "draft")
    place = f"releases/{release['id']}/environments/{release['environments'][0]['id']}"
    refused = ask("PATCH", place, {"status": "inProgress"})
    assert (refused.status_code, refused.json()["typeKey"]) == (400, "InvalidRequestException")
    kept = ask("PATCH", f"releases/{release['id']}", {"status": "active", "keepForever": True})
    assert (kept.json()["status"], kept.json()["keepForever"]) == ("active", True)
    begun = ask("PATCH", place, {"status": "inProgress", "comment": "go"}).json()
    assert begun["status"] == "queued"
    (step,) = begun["deploySteps"]
    assert (step["operationStatus"], step["comment"]) == ("queuedForAgent", "go")
    plan = step["releaseDeployPhases"][0]["runPlanId"]
    path = f"{organisation.project}/_apis/distributedtask/hubs/release/plans/{plan}/events"
    states = []
    for event in ({"name": "JobStarted"}, {"name": "JobCompleted", "result": "failed"}):
        assert organisation.request("POST", path, params=VERSION, json=event).status_code == 204
        stage = ask("GET", place).json()
        states.append((stage["status"], stage["deploySteps"][0]["operationStatus"]))
    assert states == [("inProgress", "phaseInProgress"), ("rejected", "phaseFailed")]


def test_lists_show_what_is_expanded(ask: Any) -> None:
    made = define(ask)
    ask("POST", "releases", {"definitionId": made["id"]})
    for path, query in (
        ("definitions", {"searchText": made["name"]}),
        ("releases", {"definitionId": str(made["id"])}),
    ):
        (plain,) = ask("GET", path, **query).json()["value"]
        assert "environments" not in plain
        (expanded,) = ask("GET", path, **query, **{"$expand": "2"}).json()["value"]
        assert expanded["environments"][0]["name"] == "Test"


def test_a_disabled_definition_releases_nothing(ask: Any) -> None:
    made = define(ask, isDisabled=True)
    answer = ask("POST", "releases", {"definitionId": made["id"]})
    assert (answer.status_code, answer.json()["typeKey"]) == (
        403,
        "ReleaseDefinitionDisabledException",
    )
