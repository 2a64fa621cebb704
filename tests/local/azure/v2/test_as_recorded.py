"""What scripts see that do not wait, ask in another way, or change what they were shown."""

from __future__ import annotations

import time
import uuid
from typing import Any
from urllib.parse import parse_qs

import pytest
import requests

from tests.patience import PATIENCE_S

ENDPOINT = {"properties": {"authMode": "Key"}}


@pytest.fixture
def arm(local_azure: Any, azure_http: requests.Session) -> Any:
    def call(method: str, tail: str, body: Any = None, **query: str) -> requests.Response:
        url = f"https://management.azure.com{local_azure.scope}/{tail}"
        asked = {"api-version": "2024-04-01", **query}
        return azure_http.request(method, url, params=asked, json=body)

    return call


@pytest.fixture
def name() -> str:
    return f"n{uuid.uuid4().hex[:10]}"


def settled(arm: Any, tail: str) -> Any:
    deadline = time.monotonic() + PATIENCE_S
    while True:
        shown = arm("GET", tail).json()
        if shown["properties"]["provisioningState"] in ("Succeeded", "Failed"):
            return shown
        assert time.monotonic() < deadline
        time.sleep(0.1)


def test_an_endpoint_is_not_there_at_once(
    arm: Any, name: str, anonymous_http: requests.Session
) -> None:
    made = arm("PUT", f"onlineEndpoints/{name}", ENDPOINT)
    assert made.status_code == 201
    assert made.headers["Location"].partition("?")[0].endswith(f"/onlineEndpoints/{name}")
    properties = arm("GET", f"onlineEndpoints/{name}").json()["properties"]
    assert (properties["provisioningState"], properties["scoringUri"]) == ("Creating", None)
    early = arm("PUT", f"onlineEndpoints/{name}", ENDPOINT)
    assert (early.status_code, early.json()["error"]["code"]) == (409, "Conflict")
    address = f"https://{name}.eastus.inference.ml.azure.com/score"
    assert anonymous_http.post(address).status_code == 404
    assert settled(arm, f"onlineEndpoints/{name}")["properties"]["scoringUri"] == address
    tagged = arm("PATCH", f"onlineEndpoints/{name}", {"location": "eastus", "tags": {"a": "b"}})
    assert (tagged.status_code, tagged.json()["tags"]) == (202, {"a": "b"})
    settled(arm, f"onlineEndpoints/{name}")
    assert arm("DELETE", f"onlineEndpoints/{name}").status_code == 202
    assert arm("GET", f"onlineEndpoints/{name}").json()["properties"]["provisioningState"] == (
        "Deleting"
    )


def test_a_token_of_an_endpoint_is_for_scoring_only(
    arm: Any, name: str, local_azure: Any, anonymous_http: requests.Session
) -> None:
    arm("PUT", f"onlineEndpoints/{name}", {"properties": {"authMode": "AMLToken"}})
    token = arm("POST", f"onlineEndpoints/{name}/token").json()["accessToken"]
    answer = anonymous_http.get(
        f"https://eastus.api.azureml.ms/history/v1.0{local_azure.scope}/experiments/any",
        headers={"Authorization": f"Bearer {token}"},
    )
    assert answer.status_code == 401


@pytest.mark.parametrize("tail", ["jobs", "models", "onlineEndpoints", "datastores", "computes"])
def test_unknown_parameters_are_not_ignored(arm: Any, tail: str) -> None:
    answer = arm("GET", tail, filter="x")
    assert (answer.status_code, "the parameter filter of" in answer.text) == (501, True)


def test_a_datastore_is_opened_by_a_sas_that_is_checked(
    arm: Any, local_azure: Any, anonymous_http: requests.Session
) -> None:
    path = "datastores/workspaceblobstore"
    asked = {"expirableSecret": True, "expireAfterHours": 1}
    secrets = arm("POST", f"{path}/listSecrets", asked).json()
    sas = secrets["sasToken"].removeprefix("?")
    assert (secrets["secretsType"], parse_qs(sas)["sp"]) == ("Sas", ["rcuwdl"])
    store = arm("GET", path).json()["properties"]
    base = f"https://{store['accountName']}.blob.core.windows.net/{store['containerName']}"
    blob = f"{base}/sas/{uuid.uuid4()}.txt"
    headers = {"x-ms-blob-type": "BlockBlob"}
    assert anonymous_http.put(f"{blob}?{sas}", data="x", headers=headers).status_code == 201
    assert anonymous_http.get(f"{blob}?{sas}").text == "x"
    listed = f"{base}?restype=container&comp=list&{sas}"
    assert anonymous_http.get(listed).status_code == 200
    wider = sas.replace("sp=rcuwdl", "sp=racwdl")
    assert anonymous_http.get(f"{blob}?{wider}").status_code == 403
    for part, other in (("srt=co", "srt=s"), ("ss=bf", "ss=q"), ("sp=rcuwdl", "sp=w")):
        assert anonymous_http.get(f"{blob}?{sas.replace(part, other)}").status_code == 403


def test_a_component_may_be_described_anew_but_not_changed(arm: Any, name: str) -> None:
    path = f"components/{name}/versions/1"
    environment = "azureml://registries/azureml/environments/sklearn-1.5/labels/latest"
    spec = {"type": "command", "command": "echo 1", "environment": environment}
    assert arm("PUT", path, {"properties": {"componentSpec": spec}}).status_code == 201
    shown = arm("GET", path).json()["properties"]["componentSpec"]
    assert shown["environment"] == environment
    again = {**shown, "display_name": "other", "creation_context": {"created_by": "x"}}
    answer = arm("PUT", path, {"properties": {"componentSpec": again}})
    assert answer.status_code == 200
    assert answer.json()["properties"]["componentSpec"]["display_name"] == "other"
    changed = arm("PUT", path, {"properties": {"componentSpec": {**spec, "command": "echo 2"}}})
    told = changed.json()["error"]["message"]
    assert (changed.status_code, '"command" is immutable' in told) == (400, True)
    following = arm("GET", f"components/{name}").json()["properties"]["nextVersion"]
    assert len(following) == len("2025-11-04-09-39-28-9008459")


def test_what_is_not_there_is_told_in_the_words_of_its_kind(arm: Any, name: str) -> None:
    compute = arm("GET", f"computes/{name}")
    assert (compute.status_code, compute.content) == (404, b"")
    endpoint = arm("GET", f"onlineEndpoints/{name}").json()["error"]
    inner = next(one for one in endpoint["additionalInfo"] if one["type"] == "InnerError")
    assert inner["info"]["value"]["innerError"]["code"] == "EndpointNotFound"
    model = arm("GET", f"models/{name}/versions")
    assert model.status_code == 404
    assert [one["code"] for one in model.json()["error"]["details"]] == ["ModelNotFound"]
    component = arm("GET", f"components/{name}").json()["error"]
    assert component["message"] == f"Not found component {name}."
