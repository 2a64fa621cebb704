"""The organization answers as the real one did: held to its recorded answers.

`facts.json` has the facts, `kept.json` the differences that stay, each with its reason. A new
difference fails, and so does one of the list that no longer occurs.
"""

from __future__ import annotations

import fnmatch
import gc
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.local.azure.conformance.trees import differences, has, mutants
from tests.local.azure.devops.conformance.scenario import PLAYS, Scenario
from tests.local.azure.devops.organisation import NAMES, Organisation, connect

HERE = Path(__file__).parent
FACTS = json.loads((HERE / "facts.json").read_text())
KEPT: list[dict[str, str]] = json.loads((HERE / "kept.json").read_text())
OPERATIONS: list[dict[str, Any]] = FACTS["operations"]
README = Path(__file__).parents[5] / "local" / "azure" / "devops" / "README.md"


@dataclass(frozen=True, kw_only=True)
class Answer:
    status: int
    kind: str
    body: Any


def name_of(operation: dict[str, Any]) -> str:
    return f"{operation['op']} {operation['version']} {','.join(operation['query'])}".strip()


@pytest.fixture(scope="module")
def organisation(local_azure: Any) -> Iterator[Organisation]:
    with pytest.MonkeyPatch.context() as patch:
        for name in NAMES:
            patch.setenv(name, local_azure.environment[name])
        opened = connect(local_azure.environment)
        yield opened
        opened.session.close()
    gc.collect()


@pytest.fixture(scope="module")
def answers(organisation: Organisation) -> dict[str, Answer]:
    scenario, found = Scenario(organisation), {}
    for operation in OPERATIONS:
        answer = scenario.play(operation)
        kind = answer.headers.get("content-type", "")
        body = answer.json() if kind.startswith("application/json") else None
        found[name_of(operation)] = Answer(status=answer.status_code, kind=kind, body=body)
    return found


def found_in(operation: dict[str, Any], answer: Answer) -> list[str]:
    """What an answer differs in from the recorded one."""
    if answer.status != operation["status"]:
        return [f"status: {answer.status} instead of {operation['status']}"]
    found = list(differences(operation["response"], answer.body))
    if answer.body is not None:
        expected = f"application/json; charset=utf-8; api-version={operation['version']}"
        if answer.kind != expected:
            found.append(f"content-type: {answer.kind} instead of {expected}")
    return sorted(set(found))


def reason_of(operation: str, difference: str) -> dict[str, str] | None:
    for one in KEPT:
        if fnmatch.fnmatchcase(operation, one["operation"]) and fnmatch.fnmatchcase(
            difference, one["difference"]
        ):
            return one
    return None


@pytest.mark.parametrize("operation", OPERATIONS, ids=name_of)
def test_an_answer_is_as_recorded(operation: dict[str, Any], answers: dict[str, Answer]) -> None:
    name = name_of(operation)
    found = found_in(operation, answers[name])
    new = [one for one in found if reason_of(name, one) is None]
    assert not new, f"{name}: {new}"


def test_each_kept_difference_still_occurs(answers: dict[str, Answer]) -> None:
    occurring = []
    for operation in OPERATIONS:
        name = name_of(operation)
        occurring += [reason_of(name, one) for one in found_in(operation, answers[name])]
    gone = [one for one in KEPT if one not in occurring]
    assert not gone
    assert all(len(one["reason"]) > 20 for one in KEPT)


def test_the_document_has_the_counts(answers: dict[str, Answer]) -> None:
    equal = sum(not found_in(one, answers[name_of(one)]) for one in OPERATIONS)
    counts = f"Of {len(OPERATIONS)} recorded operations {equal} are answered equally"
    kept = f"kept differences: {len(KEPT)}"
    print(f"{counts}; {kept}")  # noqa: T201
    text = re.sub(r"\s+", " ", README.read_text())
    assert counts in text
    assert kept in text
    assert f"{len(FACTS['locations'])} locations" in text


def test_the_suite_is_not_blind(answers: dict[str, Answer]) -> None:
    """A changed leaf of a recorded tree is noticed wherever the answer has that leaf."""
    noticed = total = 0
    for operation in OPERATIONS:
        answer = answers[name_of(operation)]
        before = found_in(operation, answer)
        for path, tree in mutants(operation["response"]):
            if not has(answer.body, path):
                continue
            total += 1
            noticed += found_in({**operation, "response": tree}, answer) != before
    print(f"{noticed} of {total} changed leaves are noticed")  # noqa: T201
    # Of a leaf that differs already, and is kept, a further change may look the same.
    assert noticed >= total - len(KEPT)
    assert total > 1000


def test_every_operation_is_played() -> None:
    assert {one["op"] for one in OPERATIONS} == set(PLAYS)


@pytest.mark.parametrize("area", FACTS["areas"], ids=lambda area: area["name"])
def test_an_area_is_where_it_was_recorded(area: dict[str, str], organisation: Organisation) -> None:
    found = organisation.request("GET", f"_apis/ResourceAreas/{area['id']}").json()
    assert found["id"] == area["id"]
    assert found["name"].lower() == area["name"].lower()
    assert found["locationUrl"] == f"https://{area['host']}/{organisation.name}/"


def test_locations_are_as_recorded(organisation: Organisation) -> None:
    listed = organisation.request("OPTIONS", "_apis").json()["value"]
    found = {one["id"]: one for one in listed}
    for recorded in FACTS["locations"]:
        ours = found[recorded["id"]]
        assert ours["area"].lower() == recorded["area"].lower()
        assert {**ours, "area": ""} == {**recorded, "area": ""}


@pytest.mark.parametrize("area", ["build", "git", "distributedtask", "core", "Location"])
def test_the_locations_of_an_area(area: str, organisation: Organisation) -> None:
    listed = organisation.request("OPTIONS", f"_apis/{area}").json()["value"]
    assert {one["area"] for one in listed} == {area}
    every = organisation.request("OPTIONS", "_apis").json()["value"]
    assert [one for one in every if one["area"] == area] == listed


@pytest.mark.parametrize("error", FACTS["errors"], ids=lambda error: error["typeKey"])
def test_an_error_is_as_recorded(error: dict[str, Any], organisation: Organisation) -> None:
    project = organisation.project
    version = {"api-version": "7.1"}
    if error["typeKey"] == "VssInvalidPreviewVersionException":
        answer = organisation.request("GET", "_apis/ConnectionData?api-version=7.1")
    elif error["typeKey"] == "BuildNotFoundException":
        answer = organisation.request("GET", f"{project}/_apis/build/builds/99999", params=version)
    elif error["typeKey"] == "ProjectDoesNotExistWithNameException":
        answer = organisation.request("GET", "nobody/_apis/build/builds", params=version)
    else:
        where = f"{project}/_apis/git/repositories/{project}"
        for branch in ("main", "recorded"):
            organisation.push(branch)
        body: dict[str, Any] = {
            "title": "t",
            "sourceRefName": "refs/heads/recorded",
            "targetRefName": "refs/heads/main",
        }
        path = "pullRequests"
        if error["typeKey"] == "GitReferenceStaleException":
            path = "pushes"
            update = {"name": "refs/heads/main", "oldObjectId": "1" * 40}
            body = {"refUpdates": [update], "commits": [{"comment": "c", "changes": []}]}
        for _ in range(2):
            answer = organisation.request("POST", f"{where}/{path}", params=version, json=body)
    assert answer.status_code == error["status"]
    found = answer.json()
    for name in ("typeKey", "typeName", "errorCode", "eventId"):
        assert found[name] == error.get(name, found[name])
    words = re.escape(error.get("message", ""))
    assert re.match(re.sub(r"\\\{\w+\\\}", ".+", words), found["message"])


def test_without_a_token_the_answer_is_empty(organisation: Organisation) -> None:
    answer = organisation.session.get(
        f"{organisation.url}/_apis/projects",
        headers={"X-TFS-FedAuthRedirect": "Suppress"},
        timeout=30,
    )
    assert (answer.status_code, answer.content) == (401, b"")
    assert re.fullmatch(r'Basic realm="https://\S+"', answer.headers["www-authenticate"])
