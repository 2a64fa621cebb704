"""Pipelines and their runs, with variables and parameters."""

from __future__ import annotations

import uuid
from typing import Any

import pytest

from tests.local.azure.devops.organisation import Organisation
from tests.local.azure.devops.test_secrets import SECRET, Kind, job


@pytest.fixture
def pipeline(organisation: Organisation) -> Any:
    body = {
        "name": f"run-{uuid.uuid4().hex[:8]}",
        "process": {"type": 2, "yamlFilename": "azure-pipelines.yml"},
        "variables": {
            "free": {"value": "a", "allowOverride": True},
            "key": {"value": "b", "isSecret": True, "allowOverride": True},
            "fixed": {"value": "c"},
        },
    }
    return Kind(organisation, organisation.url, {"path": "build/definitions"}).ask(
        "POST", json=body
    )


def test_a_run_has_variables_and_parameters(organisation: Organisation, pipeline: Any) -> None:
    runs = Kind(organisation, organisation.url, {"path": f"pipelines/{pipeline['id']}/runs"})
    body = {
        "resources": {"repositories": {"self": {"refName": "refs/heads/topic"}}},
        "variables": {"free": {"value": "x"}, "key": {"value": SECRET}},
        "templateParameters": {"epochs": 3},
    }
    run = runs.ask("POST", json=body)
    assert (run["state"], run["pipeline"]["name"]) == ("inProgress", pipeline["name"])
    assert run["variables"] == {"free": {"value": "x"}}
    assert run["templateParameters"] == {"epochs": 3}
    assert run["resources"]["repositories"]["self"]["refName"] == "refs/heads/topic"
    given = job(organisation, run["id"])["variables"]
    assert given["free"] == {"value": "x"}
    assert given["key"] == {"value": SECRET, "isSecret": True}
    assert [one["id"] for one in runs.ask("GET")["value"]] == [run["id"]]
    build = organisation.client("build")
    build.update_build({"status": "completed", "result": "failed"}, organisation.project, run["id"])
    ended = runs.ask("GET", f"/{run['id']}")
    assert (ended["state"], ended["result"]) == ("completed", "failed")
    listed = Kind(organisation, organisation.url, {"path": "pipelines"}).ask("GET")["value"]
    assert pipeline["id"] in [one["id"] for one in listed]


@pytest.mark.parametrize(
    ("body", "status", "words"),
    [
        (
            {"variables": {"fixed": {"value": "x"}}},
            400,
            "can't set the following variables (fixed)",
        ),
        ({"variables": {"none": {"value": "x"}}}, 400, "(none)"),
        ({"stagesToSkip": ["A"]}, 501, "'stagesToSkip'"),
        ({"previewRun": True}, 501, "'previewRun'"),
        ({"resources": {"pipelines": {}}}, 501, "'resources.pipelines'"),
        ({"resources": {"repositories": {"other": {}}}}, 501, "'other'"),
    ],
)
def test_what_a_run_cannot_have(
    organisation: Organisation, pipeline: Any, body: Any, status: int, words: str
) -> None:
    path = f"{organisation.project}/_apis/pipelines/{pipeline['id']}/runs?api-version=7.1"
    answer = organisation.request("POST", path, json=body)
    assert answer.status_code == status
    assert words in answer.json()["message"]
