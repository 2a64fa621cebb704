"""Secret variables go in and never come out, except to the job that uses them."""

from __future__ import annotations

import json
import uuid
from typing import Any

import pytest

from local.azure.devops.secrets import hidden
from local.azure.devops.variables import Variables, kept
from tests.local.azure.devops.organisation import Organisation

SECRET = "S3cret-value"
VERSION = {"api-version": "7.1"}
VARIABLES = {
    "key": {"value": SECRET, "isSecret": True, "allowOverride": True},
    "plain": {"value": "shown"},
    # The service takes other cases, and text for a truth value.
    "other": {"Value": SECRET, "IsSecret": "true"},
}


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ({"value": "x", "isSecret": True}, {"value": None, "isSecret": True}),
        ({"isSecret": True}, {"value": None, "isSecret": True}),
        ({"Value": "x", "IsSecret": "True"}, {"value": None, "IsSecret": "True"}),
        ({"value": "x", "isSecret": False}, {"value": "x", "isSecret": False}),
        ([{"a": [{"value": "x", "isSecret": True}]}], [{"a": [{"value": None, "isSecret": True}]}]),
        ("x", "x"),
    ],
)
def test_secrets_are_hidden_at_any_depth(value: Any, shown: Any) -> None:
    assert hidden(value) == shown


def test_a_null_that_comes_back_keeps_the_secret() -> None:
    present: Variables = {"Key": {"value": "x", "isSecret": True}, "plain": {"value": "y"}}
    given: Variables = {"key": {"isSecret": True}, "plain": {}, "new": {"isSecret": True}}
    assert kept(present, given) == {**given, "key": {"value": "x", "isSecret": True}}
    assert kept(present, {"key": {"isSecret": False}}) == {"key": {"isSecret": False}}
    assert kept(present, {"key": {"isSecret": True, "value": ""}})["key"]["value"] == ""


class Kind:
    """A kind of document that holds variables: how it is made, read, sent back and listed."""

    def __init__(self, organisation: Organisation, base: str, body: dict[str, Any]) -> None:
        self.organisation = organisation
        self.url = f"{base}/{organisation.project}/_apis/{body.pop('path')}"
        self.body = body

    def ask(self, method: str, below: str = "", **options: Any) -> Any:
        answer = self.organisation.session.request(
            method,
            self.url + below,
            params=VERSION,
            auth=("", self.organisation.token),
            timeout=30,
            **options,
        )
        assert answer.status_code < 300, answer.text
        assert SECRET not in answer.text
        return answer.json()


@pytest.fixture(params=["build", "release"])
def kind(organisation: Organisation, request: pytest.FixtureRequest) -> Kind:
    name = f"secret-{uuid.uuid4().hex[:8]}"
    if request.param == "build":
        body = {"path": "build/definitions", "name": name, "variables": VARIABLES}
        return Kind(organisation, organisation.url, body)
    stage = {"name": "Test", "variables": VARIABLES}
    body = {"path": "release/definitions", "name": name, "variables": VARIABLES}
    vsrm = organisation.url.replace("//dev.", "//vsrm.dev.")
    return Kind(organisation, vsrm, {**body, "environments": [stage]})


def test_definitions_never_show_a_secret(kind: Kind) -> None:
    made = kind.ask("POST", json=kind.body)
    assert made["variables"]["key"] == {"value": None, "isSecret": True, "allowOverride": True}
    assert made["variables"]["plain"]["value"] == "shown"
    for stage in made.get("environments", []):
        assert stage["variables"]["key"]["value"] is None
    assert kind.ask("GET", f"/{made['id']}")["variables"]["key"]["value"] is None
    kind.ask("GET")
    changed = kind.ask("PUT", f"/{made['id']}", json=made)
    assert changed["revision"] == 2


def test_a_release_never_shows_a_secret(organisation: Organisation) -> None:
    vsrm = organisation.url.replace("//dev.", "//vsrm.dev.")
    name = f"secret-{uuid.uuid4().hex[:8]}"
    stages = [{"name": "Test", "variables": VARIABLES}]
    body = {"path": "release/definitions", "name": name, "variables": VARIABLES}
    made = Kind(organisation, vsrm, {**body, "environments": stages})
    definition = made.ask("POST", json=made.body)
    releases = Kind(organisation, vsrm, {"path": "release/releases"})
    override = {"more": {"value": SECRET, "isSecret": True}}
    release = releases.ask("POST", json={"definitionId": definition["id"], "variables": override})
    assert release["variables"]["more"]["value"] is None
    assert release["variables"]["key"]["value"] is None
    below = f"/{release['id']}"
    releases.ask("GET", below)
    releases.ask("GET")
    stage = f"{below}/environments/{release['environments'][0]['id']}"
    releases.ask("GET", stage)
    releases.ask("PATCH", stage, json={"status": "inProgress"})
    given = job(organisation, release["id"])["variables"]
    assert given["key"] == given["more"] == given["other"] == {"value": SECRET, "isSecret": True}


def test_a_job_is_given_the_secrets_that_a_build_does_not_show(organisation: Organisation) -> None:
    builds = Kind(organisation, organisation.url, {"path": "build/builds"})
    definitions = Kind(organisation, organisation.url, {"path": "build/definitions"})
    name = f"secret-{uuid.uuid4().hex[:8]}"
    made = definitions.ask("POST", json={"name": name, "variables": VARIABLES})
    definitions.ask("PUT", f"/{made['id']}", json=made)  # the null that it shows changes nothing
    for parameters, expected in (
        ({}, {"value": SECRET, "isSecret": True}),
        ({"KEY": f"{SECRET}-2", "plain": "b"}, {"value": f"{SECRET}-2", "isSecret": True}),
    ):
        body = {"definition": {"id": made["id"]}, "parameters": json.dumps(parameters)}
        queued = builds.ask("POST", json=body)
        assert "key" not in json.loads(queued["parameters"])
        builds.ask("GET", f"/{queued['id']}")
        builds.ask("GET")
        given = job(organisation, queued["id"])["variables"]
        assert given["key"] == expected
        assert given["plain"] == {"value": parameters.get("plain", "shown")}


def test_an_unknown_parameter_of_a_connection_counts_as_secret(organisation: Organisation) -> None:
    endpoints = Kind(organisation, organisation.url, {"path": "serviceendpoint/endpoints"})
    parameters = {"tenantid": "t", "aKeyNobodyKnows": SECRET, "accessToken": SECRET}
    body = {
        "name": f"secret-{uuid.uuid4().hex[:8]}",
        "type": "someones-type",
        "data": {"apiKey": SECRET, "environment": "AzureCloud"},
        "url": "https://example.org",
        "authorization": {"scheme": "Token", "parameters": parameters},
        "serviceEndpointProjectReferences": [
            {"projectReference": {"name": organisation.project}, "name": "x"}
        ],
    }
    answer = organisation.request(
        "POST", "_apis/serviceendpoint/endpoints", params=VERSION, json=body
    )
    assert answer.status_code == 200, answer.text
    assert answer.json()["authorization"]["parameters"] == {
        "tenantid": "t",
        "aKeyNobodyKnows": None,
        "accessToken": None,
    }
    endpoints.ask("GET")
    shown = endpoints.ask("GET", f"/{answer.json()['id']}")
    assert shown["data"] == {"apiKey": None, "environment": "AzureCloud"}
    endpoints.ask("PUT", f"/{shown['id']}", json=shown)


def job(organisation: Organisation, number: int) -> dict[str, Any]:
    """The job request of a build or release, as an agent takes it."""
    pool = "_apis/distributedtask/pools/1"
    session = organisation.request("POST", f"{pool}/sessions", params=VERSION, json={}).json()
    while True:
        query = {"sessionId": session["sessionId"], **VERSION}
        answer = organisation.request("GET", f"{pool}/messages", params=query)
        assert answer.status_code == 200
        request: dict[str, Any] = json.loads(answer.json()["body"])
        if request["requestId"] == number:
            return request
