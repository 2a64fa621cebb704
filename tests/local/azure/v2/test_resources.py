"""What v2 answers on the wire: strict bodies, api-versions, pages, operations, refusals."""

from __future__ import annotations

import sys
import time
from typing import Any

import pytest
import requests

from tests.patience import PATIENCE_S

CONDA = "dependencies:\n- python\n"


@pytest.fixture
def arm(local_azure: Any, azure_http: requests.Session) -> Any:
    def call(method: str, tail: str, body: Any = None, version: str | None = "2024-10-01") -> Any:
        url = f"https://management.azure.com{local_azure.scope}/{tail}"
        query = {"api-version": version} if version else {}
        return azure_http.request(method, url, params=query, json=body)

    return call


@pytest.fixture
def environment_id(arm: Any) -> str:
    body = {"properties": {"image": "python"}}
    made = arm("PUT", "environments/wire-python/versions/1", body)
    assert made.status_code in (200, 201)
    identifier: str = made.json()["id"]
    return identifier


def message(answer: requests.Response) -> str:
    """What an error says, with everything that is wrong with a body."""
    error = answer.json()["error"]
    details = [detail["message"] for detail in error.get("details", [])]
    return " ".join([error["message"], *details])


def command_job(environment_id: str, **more: Any) -> dict[str, Any]:
    properties = {"jobType": "Command", "command": "echo hi", "environmentId": environment_id}
    return {"properties": {**properties, **more}}


def test_unknown_member_is_named(arm: Any, environment_id: str) -> None:
    outputs = {"model": {"jobOutputType": "uri_folder", "assetVersion": "1"}}
    answer = arm("PUT", "jobs/strict", command_job(environment_id, outputs=outputs))
    assert answer.status_code == 400
    assert message(answer) == (
        "Request is invalid and/or missing fields. Could not find member 'assetVersion' on object "
        "of type 'UriFolderJobOutput'. Path 'assetVersion', line 1, position "
        + message(answer).rpartition(" ")[2]
    )
    assert arm("GET", "jobs/strict").status_code == 404


@pytest.mark.parametrize(
    ("tail", "body", "words"),
    [
        ("data/d/versions/1", {"properties": {"dataType": "uri_file"}}, "'dataUri' not found"),
        ("data/d/versions/1", [], "must be a JSON object"),
        ("models/m/versions/1", {"properties": {"uri": "x"}}, "type 'ModelVersion'"),
        ("computes/cc", {"properties": {"computeType": "AmlCompute", "size": 1}}, "'AmlCompute'"),
        ("environments/e/versions/1", {"properties": {"condaFile": CONDA}}, "no image"),
        ("codes/c/versions/1", {"properties": {"codeUri": "https://x.y/z"}}, "not on this machine"),
    ],
)
def test_bodies_that_do_not_fit(arm: Any, tail: str, body: Any, words: str) -> None:
    answer = arm("PUT", tail, body)
    assert (answer.status_code, words in message(answer)) == (400, True), message(answer)


@pytest.mark.parametrize(
    ("version", "status"), [(None, 400), ("2019-05-01", 501), ("2024-01-01-preview", 200)]
)
def test_api_versions(arm: Any, version: str | None, status: int) -> None:
    assert arm("GET", "jobs", version=version).status_code == status


def test_what_is_not_covered_is_not_implemented(arm: Any) -> None:
    assert arm("GET", "batchEndpoints").status_code == 501
    sweep = arm("PUT", "jobs/sweep", {"properties": {"jobType": "Sweep"}})
    assert (sweep.status_code, message(sweep)) == (
        501,
        "Jobs of type 'Sweep' are not in the local Azure. It runs command and pipeline jobs.",
    )


def test_several_nodes_are_refused(arm: Any, environment_id: str) -> None:
    answer = arm("PUT", "jobs/many", command_job(environment_id, resources={"instanceCount": 2}))
    assert answer.status_code == 501


def test_pages_link_to_the_rest(arm: Any, azure_http: requests.Session) -> None:
    for number in range(3):
        body = {"properties": {"image": f"python:3.1{number}"}}
        assert arm("PUT", f"environments/paged/versions/{number}", body).status_code == 201
    first = arm("GET", "environments/paged/versions?$top=2").json()
    assert [one["name"] for one in first["value"]] == ["2", "1"]
    rest = azure_http.get(first["nextLink"]).json()
    assert [one["name"] for one in rest["value"]] == ["0"]
    assert "nextLink" not in rest


def test_content_of_a_version_is_kept(arm: Any) -> None:
    path = "environments/kept/versions/1"
    assert arm("PUT", path, {"properties": {"image": "python:3.11"}}).status_code == 201
    other = arm("PUT", path, {"properties": {"image": "python:3.12"}})
    assert (other.status_code, "already exists" in message(other)) == (409, True)
    tagged = arm("PUT", path, {"properties": {"image": "python:3.11", "tags": {"a": "b"}}})
    assert (tagged.status_code, tagged.json()["properties"]["tags"]) == (200, {"a": "b"})


def test_pipelines_are_checked_before_they_run(arm: Any) -> None:
    spec = {
        "type": "command",
        "command": "echo ${{inputs.x}}",
        "environment": "azureml:wire-python:1",
        "inputs": {"x": {"type": "string"}},
        "outputs": {"y": {"type": "uri_folder"}},
    }
    made = arm("PUT", "components/echo/versions/1", {"properties": {"componentSpec": spec}})
    assert made.status_code == 201

    def submit(**nodes: Any) -> str:
        jobs = {
            name: {"type": "command", "componentId": made.json()["id"], **given}
            for name, given in nodes.items()
        }
        answer = arm("PUT", "jobs/p", {"properties": {"jobType": "Pipeline", "jobs": jobs}})
        assert answer.status_code in (400, 501)
        return message(answer)

    def bound(text: str) -> dict[str, Any]:
        return {"inputs": {"x": {"job_input_type": "literal", "value": text}}}

    assert "'a' cannot run: it lacks the input 'x'" in submit(a={})
    assert "parent.inputs.z" in submit(a=bound("pre ${{parent.inputs.z}}"))
    assert "which is not there" in submit(a=bound("${{parent.jobs.b.outputs.y}}"))
    loop = {
        name: bound(f"${{{{parent.jobs.{other}.outputs.y}}}}")
        for name, other in [("a", "b"), ("b", "a")]
    }
    assert "wait for each other" in submit(**loop)
    assert "of type 'sweep'" in submit(a={**bound("1"), "type": "sweep"})
    assert "Unknown compute target 'nowhere'" in submit(a={**bound("1"), "computeId": "nowhere"})


@pytest.mark.skipif(sys.platform == "win32", reason="sleep is a command of POSIX shells")
def test_cancel_and_delete(arm: Any, environment_id: str, azure_http: requests.Session) -> None:
    made = arm("PUT", "jobs/long", command_job(environment_id, command="sleep 60"))
    assert (made.status_code, made.json()["properties"]["status"]) == (201, "Starting")
    assert arm("DELETE", "jobs/long").status_code == 409
    answer = arm("POST", "jobs/long/cancel")
    assert (answer.status_code, answer.headers["retry-after-ms"]) == (202, "200")
    assert "Azure-AsyncOperation" not in answer.headers
    location = answer.headers["Location"]
    deadline = time.monotonic() + PATIENCE_S
    while (result := azure_http.get(location)).status_code == 202:
        assert time.monotonic() < deadline
        time.sleep(0.1)
    assert (result.status_code, result.content) == (200, b"")
    assert arm("GET", "jobs/long").json()["properties"]["status"] == "Canceled"
    again = arm("POST", "jobs/long/cancel")
    assert (again.status_code, again.content, "Location" in again.headers) == (200, b"", False)
    assert arm("DELETE", "jobs/long").status_code == 202
    assert arm("GET", "jobs/long").status_code == 404


def test_datastores(arm: Any, local_azure: Any) -> None:
    default = arm("GET", "datastores?isDefault=true").json()["value"]
    assert [one["name"] for one in default] == ["workspaceblobstore"]
    account = default[0]["properties"]["accountName"]
    properties = {
        "datastoreType": "AzureBlob",
        "accountName": account,
        "containerName": default[0]["properties"]["containerName"],
        "credentials": {"credentialsType": "None"},
    }
    assert arm("PUT", "datastores/second", {"properties": properties}).status_code == 201
    assert arm("POST", "datastores/second/listSecrets").status_code == 400
    assert arm("POST", "datastores/workspaceblobstore/listSecrets").json()["key"]
    properties["accountName"] = "somebodyelses"
    assert arm("PUT", "datastores/third", {"properties": properties}).status_code == 400
    unseen = arm("PUT", "datastores/third?skipValidation=true", {"properties": properties})
    assert unseen.status_code == 201
    lost = {"dataType": "uri_file", "dataUri": "azureml://datastores/third/paths/a.csv"}
    refused = arm("PUT", "data/lost/versions/1", {"properties": lost})
    assert (refused.status_code, "not on this machine" in message(refused)) == (400, True)
    assert arm("DELETE", "datastores/second").status_code == 200
    assert arm("DELETE", "datastores/workspaceblobstore").status_code == 400
