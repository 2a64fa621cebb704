"""The life of a build: kept, cancelled, deleted, refused; filters; folders."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest

from tests.local.azure.devops.organisation import Organisation

VERSION = {"api-version": "7.1-preview"}


def ask(
    organisation: Organisation, method: str, path: str, body: Any = None, /, **query: str
) -> Any:
    return organisation.request(
        method,
        f"{organisation.project}/_apis/build/{path}",
        params={**VERSION, **query},
        json=body,
    )


def test_a_cancelled_build_ends_after_a_moment(organisation: Organisation) -> None:
    queued = organisation.queue(organisation.definition())
    changed = ask(organisation, "PATCH", f"builds/{queued.id}", {"status": 4}).json()
    assert (changed["status"], "result" in changed) == ("cancelling", False)
    deadline = time.monotonic() + 30
    while changed["status"] != "completed":
        assert time.monotonic() < deadline
        time.sleep(0.05)
        changed = ask(organisation, "GET", f"builds/{queued.id}").json()
    assert changed["result"] == "canceled"


def test_a_build_that_is_kept_is_not_deleted(organisation: Organisation) -> None:
    queued = organisation.queue(organisation.definition())
    kept = ask(organisation, "PATCH", f"builds/{queued.id}", {"keepForever": True}).json()
    assert kept["keepForever"] is True
    answer = ask(organisation, "DELETE", f"builds/{queued.id}")
    assert (answer.status_code, answer.json()["typeKey"]) == (
        400,
        "CannotDeleteRetainedBuildException",
    )
    ask(organisation, "PATCH", f"builds/{queued.id}", {"keepForever": False})
    assert ask(organisation, "DELETE", f"builds/{queued.id}").status_code == 204
    answer = ask(organisation, "GET", f"builds/{queued.id}")
    assert (answer.status_code, answer.json()["typeKey"]) == (404, "BuildNotFoundException")


def test_a_disabled_definition_queues_nothing(organisation: Organisation) -> None:
    made = organisation.definition()
    body = {"name": made.name, "revision": 1, "queueStatus": 2}
    changed = ask(organisation, "PUT", f"definitions/{made.id}", body).json()
    assert changed["queueStatus"] == "disabled"
    answer = ask(organisation, "POST", "builds", {"definition": {"id": made.id}})
    assert (answer.status_code, answer.json()["typeKey"]) == (400, "DefinitionDisabledException")


@pytest.mark.parametrize(
    ("query", "count"),
    [
        ({"statusFilter": "33"}, 2),
        ({"statusFilter": "notStarted,inProgress"}, 2),
        ({"statusFilter": "completed"}, 0),
        ({"reasonFilter": "schedule"}, 1),
        ({"reasonFilter": "8"}, 1),
        ({"maxTime": "2020-01-01T00:00:00Z"}, 0),
        ({"minTime": "2020-01-01T00:00:00Z"}, 2),
        ({"requestedFor": "user@local.invalid"}, 2),
        ({"requestedFor": "somebody"}, 0),
        ({"repositoryType": "GitHub"}, 0),
        ({"deletedFilter": "onlyDeleted"}, 0),
        ({"queues": "1"}, 2),
        ({"queues": "2"}, 0),
    ],
)
def test_builds_are_found(
    two_builds: tuple[Organisation, int], query: dict[str, str], count: int
) -> None:
    organisation, definition = two_builds
    found = ask(organisation, "GET", "builds", definitions=str(definition), **query).json()
    assert found["count"] == count


@pytest.fixture
def two_builds(organisation: Organisation) -> tuple[Organisation, int]:
    made = organisation.definition()
    for reason in ("manual", "schedule"):
        organisation.queue(made, reason=reason)
    return organisation, made.id


def test_what_no_filter_can_be(organisation: Organisation) -> None:
    for query in ({"statusFilter": "done"}, {"minTime": "yesterday"}, {"$top": "many"}):
        organisation.queue(organisation.definition())
        assert ask(organisation, "GET", "builds", **query).status_code == 400, query


def test_a_build_of_high_priority_is_given_first(organisation: Organisation) -> None:
    made, demands = organisation.definition(), ["Agent.Name -equals ranked"]
    first = organisation.queue(made, demands=demands)
    second = organisation.queue(made, demands=demands, priority="high")
    pool = "_apis/distributedtask/pools/1"
    session = organisation.request(
        "POST", f"{pool}/sessions", params=VERSION, json={"agent": {"name": "ranked"}}
    ).json()
    given = []
    for _ in range(2):
        query = {"sessionId": session["sessionId"], **VERSION}
        message = organisation.request("GET", f"{pool}/messages", params=query).json()
        given.append(json.loads(message["body"])["requestId"])
    assert given == [second.id, first.id]


def test_folders_hold_definitions(organisation: Organisation) -> None:
    for path in ("a\\b", "a/c"):
        answer = ask(organisation, "PUT", f"folders/{path}", {"description": "d"})
        assert answer.status_code == 200, answer.text
    answer = ask(organisation, "PUT", "folders/A/C", {})
    assert (answer.status_code, answer.json()["typeKey"]) == (400, "FolderExistsException")
    listed = ask(organisation, "GET", "folders/a", queryOrder="folderAscending").json()["value"]
    assert [one["path"] for one in listed] == ["\\a", "\\a\\b", "\\a\\c"]
    ask(organisation, "POST", "definitions", {"name": "inside", "path": "a\\b"})
    found = ask(organisation, "GET", "definitions", path="\\a\\b").json()["value"]
    assert [one["name"] for one in found] == ["inside"]
    assert ask(organisation, "DELETE", "folders/a").status_code == 204
    assert ask(organisation, "GET", "folders/a/b").json()["count"] == 0
