"""Projects come and go by operations."""

from __future__ import annotations

import time
import uuid
from typing import Any

from tests.local.azure.devops.organisation import Organisation, connect

VERSION = {"api-version": "7.1"}


def ask(organisation: Organisation, method: str, path: str, body: Any = None) -> Any:
    return organisation.request(method, path, params=VERSION, json=body)


def wait(organisation: Organisation, operation: Any) -> list[str]:
    """The states that an operation goes through."""
    seen = [operation["status"]]
    deadline = time.monotonic() + 30
    while seen[-1] != "succeeded":
        assert time.monotonic() < deadline
        status = ask(organisation, "GET", f"_apis/operations/{operation['id']}").json()["status"]
        if status != seen[-1]:
            seen.append(status)
    return seen


def test_a_project_is_there_when_its_operation_has_succeeded(organisation: Organisation) -> None:
    name = uuid.uuid4().hex
    body = {"name": name, "visibility": 2, "description": "d"}
    operation = ask(organisation, "POST", "_apis/projects", body)
    assert operation.status_code == 202
    early = ask(organisation, "GET", f"_apis/projects/{name}")
    assert early.json()["typeKey"] == "ProjectDoesNotExistWithNameException"
    again = ask(organisation, "POST", "_apis/projects", body)
    assert again.json()["typeKey"] == "ProjectAlreadyExistsException"
    assert wait(organisation, operation.json()) == ["notSet", "inProgress", "succeeded"]
    found = ask(organisation, "GET", f"_apis/projects/{name}").json()
    assert (found["visibility"], found["description"]) == ("public", "d")


def test_a_project_is_deleted_with_all_that_it_holds(organisation: Organisation) -> None:
    name = uuid.uuid4().hex
    organisation.create_project(name)
    made = ask(organisation, "POST", f"{name}/_apis/build/definitions", {"name": "d"}).json()
    ask(organisation, "POST", f"{name}/_apis/build/builds", {"definition": {"id": made["id"]}})
    identity = ask(organisation, "GET", f"_apis/projects/{name}").json()["id"]
    operation = ask(organisation, "DELETE", f"_apis/projects/{identity}")
    assert operation.status_code == 202
    assert ask(organisation, "GET", f"{name}/_apis/build/builds").status_code == 404
    assert wait(organisation, operation.json())[-1] == "succeeded"
    listed = ask(organisation, "GET", "_apis/projects").json()["value"]
    assert name not in [one["name"] for one in listed]
    repositories = ask(organisation, "GET", "_apis/git/repositories").json()["value"]
    assert identity not in [one["project"]["id"] for one in repositories]
    # Nobody takes its builds, and its name is free again.
    pool = "_apis/distributedtask/pools/1"
    session = ask(organisation, "POST", f"{pool}/sessions", {"agent": {"name": "a"}}).json()
    while True:
        path = f"{pool}/messages?sessionId={session['sessionId']}"
        message = ask(organisation, "GET", path)
        if message.status_code == 202:
            break
        assert identity not in message.text
    organisation.create_project(name)


def test_a_job_changes_no_project(organisation: Organisation, client_environment: Any) -> None:
    from tests.local.azure.devops.builds.test_job_requests import job_of

    _, _, token = job_of(organisation)
    connect(client_environment.environment, token=token)
    for method, path in (
        ("POST", "_apis/projects"),
        ("DELETE", f"_apis/projects/{organisation.project}"),
    ):
        body = {"name": "x"} if method == "POST" else None
        answer = organisation.request(method, path, token=token, params=VERSION, json=body)
        assert answer.status_code == 403


def test_people_are_found_by_name(organisation: Organisation) -> None:
    base = organisation.url.replace("//dev.", "//vssps.dev.")
    for value, count in (("Local User", 1), ("somebody", 0)):
        answer = organisation.session.get(
            f"{base}/_apis/Identities",
            params={**VERSION, "searchFilter": "General", "filterValue": value},
            auth=("", organisation.token),
            timeout=30,
        )
        assert answer.json()["count"] == count
