"""Variable groups, and how jobs get their variables."""

from __future__ import annotations

import json
import uuid
from typing import Any

import pytest

from tests.local.azure.devops.organisation import Organisation
from tests.local.azure.devops.test_secrets import SECRET, VERSION, Kind, job


def groups(organisation: Organisation) -> Kind:
    return Kind(organisation, organisation.url, {"path": "distributedtask/variablegroups"})


def body(**more: Any) -> dict[str, Any]:
    return {
        "name": f"group-{uuid.uuid4().hex[:8]}",
        "type": "Vsts",
        "variables": {"a": {"value": "1"}, "key": {"value": SECRET, "isSecret": True}},
        **more,
    }


def test_a_group_is_made_found_changed_and_removed(organisation: Organisation) -> None:
    kind = groups(organisation)
    made = kind.ask("POST", json=body())
    assert made["variables"]["key"] == {"value": None, "isSecret": True}
    (found,) = kind.ask("GET", f"?groupName={made['name'].upper()}&actionFilter=2")["value"]
    assert found["id"] == made["id"]
    changed = kind.ask("PUT", f"/{made['id']}", json={**made, "description": "better"})
    assert changed["description"] == "better"
    url = f"{kind.url}/{made['id']}"
    options: dict[str, Any] = {"params": VERSION, "auth": ("", organisation.token), "timeout": 30}
    assert organisation.session.delete(url, **options).status_code == 204
    assert organisation.session.delete(url, **options).json()["typeKey"] == (
        "VariableGroupNotFoundException"
    )
    assert kind.ask("GET", f"/{made['id']}") is None


def test_names_are_unique_and_kinds_are_known(organisation: Organisation) -> None:
    kind = groups(organisation)
    made = kind.ask("POST", json=body())
    for given, status, key in (
        (body(name=made["name"].upper()), 409, "VariableGroupExistsException"),
        (body(variables={}), 400, "ArgumentException"),
        (body(type="AzureKeyVault"), 501, "NotImplementedException"),
    ):
        answer = organisation.request(
            "POST",
            f"{organisation.project}/_apis/distributedtask/variablegroups",
            params=VERSION,
            json=given,
        )
        assert (answer.status_code, answer.json()["typeKey"]) == (status, key)


def test_a_job_gets_the_groups_of_its_definition(organisation: Organisation) -> None:
    made = groups(organisation).ask("POST", json=body())
    definitions = Kind(organisation, organisation.url, {"path": "build/definitions"})
    definition = definitions.ask(
        "POST",
        json={
            "name": f"grouped-{uuid.uuid4().hex[:8]}",
            "variables": {"own": {"value": "2"}, "A": {"value": "3"}},
            "variableGroups": [{"id": made["id"]}],
        },
    )
    builds = Kind(organisation, organisation.url, {"path": "build/builds"})
    queued = builds.ask(
        "POST", json={"definition": {"id": definition["id"]}, "parameters": json.dumps({"own": 4})}
    )
    given = {
        name.lower(): one for name, one in job(organisation, queued["id"])["variables"].items()
    }
    assert given["key"] == {"value": SECRET, "isSecret": True}
    assert given["own"] == {"value": "4"}
    assert given["a"] == {"value": "3"}


@pytest.mark.parametrize("kind", ["build/definitions", "distributedtask/variablegroups"])
def test_a_secret_that_is_secret_no_longer_has_no_value(
    organisation: Organisation, kind: str
) -> None:
    documents = Kind(organisation, organisation.url, {"path": kind})
    made = documents.ask("POST", json={**body(), "type": None} if "build" in kind else body())
    made["variables"]["key"] = {"value": None, "isSecret": False}
    changed = documents.ask("PUT", f"/{made['id']}", json=made)
    assert changed["variables"]["key"].get("value") is None
