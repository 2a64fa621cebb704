"""Refs are created, moved, locked and deleted; files are read where one asks."""

from __future__ import annotations

import uuid
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from tests.local.azure.devops.organisation import Organisation

ZERO = "0" * 40
VERSION = {"api-version": "7.1"}


class Repository:
    """A new repository with a commit on main."""

    def __init__(self, organisation: Organisation) -> None:
        self.organisation = organisation
        git = organisation.client("git")
        made = git.create_repository({"name": uuid.uuid4().hex}, organisation.project)
        self.name, self.id = made.name, made.id
        self.base = f"{organisation.project}/_apis/git/repositories/{made.id}"
        self.tip = self.push("main", ZERO, {"/f.txt": "main"})

    def ask(self, method: str, path: str, body: Any = None, /, **query: str) -> Any:
        return self.organisation.request(
            method, f"{self.base}/{path}", json=body, params={**VERSION, **query}
        )

    def push(self, branch: str, old: str, files: dict[str, str], kind: str = "add") -> str:
        changes = [
            {
                "changeType": kind,
                "item": {"path": path},
                "newContent": {"content": content, "contentType": "rawtext"},
            }
            for path, content in files.items()
        ]
        body = {
            "refUpdates": [{"name": f"refs/heads/{branch}", "oldObjectId": old}],
            "commits": [{"comment": "c", "changes": changes}],
        }
        answer = self.ask("POST", "pushes", body)
        assert answer.status_code == 201, answer.text
        return str(answer.json()["commits"][-1]["commitId"])

    def update(self, name: str, old: str, new: str) -> Any:
        body = [{"name": name, "oldObjectId": old, "newObjectId": new}]
        return self.ask("POST", "refs", body).json()["value"][0]

    def read(self, **query: str) -> Any:
        return self.ask("GET", "items", path="/f.txt", **query)


@pytest.fixture
def repository(organisation: Organisation) -> Repository:
    return Repository(organisation)


def test_files_are_those_of_the_version_asked_for(repository: Repository) -> None:
    assert repository.update("refs/heads/dev", ZERO, repository.tip)["success"]
    repository.push("dev", repository.tip, {"/f.txt": "dev"}, kind="edit")
    repository.update("refs/tags/v1", ZERO, repository.tip)
    start = "versionDescriptor.version"
    for query, content in (
        ({}, "main"),
        ({start: "dev", f"{start}Type": "branch"}, "dev"),
        ({start: "dev", f"{start}Type": "0"}, "dev"),
        ({"version": "dev"}, "dev"),
        ({start: "v1", f"{start}Type": "tag"}, "main"),
        ({start: repository.tip, f"{start}Type": "commit"}, "main"),
    ):
        assert repository.read(**query).text == content, query
    for query in ({"version": "none"}, {"version": "f" * 40, "versionType": "commit"}):
        answer = repository.read(**query)
        assert (answer.status_code, answer.json()["typeKey"]) == (
            404,
            "GitUnresolvableToCommitException",
        )


def test_refs_answer_for_themselves(repository: Repository) -> None:
    branch, tip = "refs/heads/dev", repository.tip
    assert repository.update(branch, ZERO, tip)["updateStatus"] == "succeeded"
    for name, old, new, status in (
        (branch, ZERO, tip, "staleOldObjectId"),
        (branch, tip, "1" * 40, "unresolvableToCommit"),
        ("dev", ZERO, tip, "invalidRefName"),
    ):
        assert repository.update(name, old, new)["updateStatus"] == status
    locked = repository.ask("PATCH", "refs", {"isLocked": True}, filter="heads/dev").json()
    assert locked["isLockedBy"]["displayName"] == "Local User"
    assert repository.update(branch, tip, ZERO)["updateStatus"] == "locked"
    repository.ask("PATCH", "refs", {"isLocked": False}, filter="heads/dev")
    assert repository.update(branch, tip, ZERO)["success"]
    listed = repository.ask("GET", "refs", filterContains="MAI").json()["value"]
    assert [one["name"] for one in listed] == ["refs/heads/main"]
    assert repository.ask("PATCH", "refs", {"isLocked": True}, filter="heads/x").status_code == 404


def test_a_push_renames_and_deletes(repository: Repository) -> None:
    rename = {"changeType": 8, "item": {"path": "/g.txt"}, "sourceServerItem": "/f.txt"}
    body = {
        "refUpdates": [{"name": "refs/heads/main", "oldObjectId": repository.tip}],
        "commits": [{"comment": "c", "changes": [rename]}],
    }
    assert repository.ask("POST", "pushes", body).status_code == 201
    listed = repository.ask("GET", "items", recursionLevel="Full").json()["value"]
    assert [one["path"] for one in listed] == ["/", "/g.txt"]
    described = repository.ask(
        "GET", "items", path="g.txt", includeContent="true", **{"$format": "json"}
    )
    assert (described.json()["content"], described.json()["gitObjectType"]) == ("main", "blob")


def test_pushes_and_commits_are_listed(repository: Repository) -> None:
    second = repository.push("main", repository.tip, {"/g.txt": "g"})
    listed = repository.ask("GET", "commits").json()["value"]
    assert [one["commitId"] for one in listed] == [second, repository.tip]
    query = {
        "searchCriteria.itemVersion.version": repository.tip,
        "searchCriteria.itemVersion.versionType": "commit",
    }
    listed = repository.ask("GET", "commits", **query).json()["value"]
    assert [one["commitId"] for one in listed] == [repository.tip]
    assert repository.ask("GET", f"commits/{second}").json()["parents"] == [repository.tip]
    assert repository.ask("GET", "commits/1").json()["typeKey"] == "GitCommitDoesNotExistException"
    pushes = repository.ask("GET", "pushes", **{"searchCriteria.includeRefUpdates": "true"}).json()
    moved = [
        (one["oldObjectId"], one["newObjectId"])
        for push in pushes["value"]
        for one in push["refUpdates"]
    ]
    assert moved == [(repository.tip, second), (ZERO, repository.tip)]
    push = repository.ask("GET", f"pushes/{pushes['value'][0]['pushId']}").json()
    assert [one["commitId"] for one in push["commits"]] == [second]
    assert repository.ask("GET", "pushes/99999").status_code == 404


def test_of_two_pushes_at_once_one_wins(repository: Repository) -> None:
    def push(content: str) -> int:
        change = {
            "changeType": "edit",
            "item": {"path": "/f.txt"},
            "newContent": {"content": content, "contentType": "rawtext"},
        }
        body = {
            "refUpdates": [{"name": "refs/heads/main", "oldObjectId": repository.tip}],
            "commits": [{"comment": "c", "changes": [change]}],
        }
        return int(repository.ask("POST", "pushes", body).status_code)

    with ThreadPoolExecutor(4) as threads:
        assert sorted(threads.map(push, "abcd")) == [201, 409, 409, 409]


def test_a_repository_is_renamed_and_deleted(
    repository: Repository, organisation: Organisation
) -> None:
    changed = organisation.request(
        "PATCH", f"{repository.base}", params=VERSION, json={"name": f"{repository.name}-new"}
    ).json()
    assert changed["name"] == f"{repository.name}-new"
    for status in (204, 404):
        answer = organisation.request("DELETE", repository.base, params=VERSION)
        assert answer.status_code == status
    assert repository.ask("GET", "refs").json()["typeKey"] == "GitRepositoryNotFoundException"


def opened(repository: Repository, **more: Any) -> Any:
    repository.update("refs/heads/topic", ZERO, repository.tip)
    repository.push("topic", repository.tip, {"/t.txt": "topic"})
    body = {"title": "t", "sourceRefName": "refs/heads/topic", "targetRefName": "refs/heads/main"}
    answer = repository.ask("POST", "pullRequests", {**body, **more})
    assert answer.status_code == 201, answer.text
    return answer.json()


def test_a_pull_request_is_completed_by_its_newest_source(repository: Repository) -> None:
    made = opened(repository, isDraft=True, labels=[{"name": "l"}])
    place = f"pullRequests/{made['pullRequestId']}"
    assert (made["isDraft"], made["labels"][0]["name"]) == (True, "l")
    assert repository.ask("PATCH", place, {"isDraft": False}).json()["isDraft"] is False
    seen = repository.ask("GET", place).json()
    repository.push("topic", seen["lastMergeSourceCommit"]["commitId"], {"/u.txt": "u"})
    stale = {"status": "completed", "lastMergeSourceCommit": seen["lastMergeSourceCommit"]}
    assert repository.ask("PATCH", place, stale).json()["typeKey"] == "GitPullRequestStaleException"
    tip = repository.ask("GET", "refs", filter="heads/topic").json()["value"][0]["objectId"]
    options = {"deleteSourceBranch": True, "mergeCommitMessage": "m"}
    body = {"status": 3, "lastMergeSourceCommit": {"commitId": tip}, "completionOptions": options}
    assert repository.ask("PATCH", place, body).json()["status"] == "active"
    done = repository.ask("GET", place).json()
    assert (done["status"], done["mergeStatus"]) == ("completed", "succeeded")
    assert done["lastMergeCommit"]["comment"] == "m"
    assert repository.ask("GET", "refs", filter="heads/topic").json()["count"] == 0
    assert repository.ask("GET", "items", path="/u.txt").text == "u"
    answer = repository.ask("PATCH", place, {"title": "late"})
    assert answer.json()["typeKey"] == "GitPullRequestNotEditableException"


def test_reviewers_vote(repository: Repository, organisation: Organisation) -> None:
    made = opened(repository)
    user = made["createdBy"]["id"]
    place = f"pullRequests/{made['pullRequestId']}/reviewers"
    (added,) = repository.ask("POST", place, [{"id": user}]).json()["value"]
    assert added["vote"] == 0
    assert repository.ask("PUT", f"{place}/{user}", {"vote": 10}).json()["vote"] == 10
    assert repository.ask("PUT", f"{place}/{user}", {"vote": 3}).status_code == 400
    assert repository.ask("POST", place, [{"id": str(uuid.uuid4())}]).status_code == 400
    query = {"searchCriteria.reviewerId": user, "searchCriteria.status": "1"}
    assert repository.ask("GET", "pullRequests", **query).json()["count"] == 1
    path = f"{organisation.project}/_apis/git/pullrequests"
    query["searchCriteria.repositoryId"] = repository.id
    listed = organisation.request("GET", path, params={**VERSION, **query}).json()
    assert [one["pullRequestId"] for one in listed["value"]] == [made["pullRequestId"]]
    by_id = f"_apis/git/repositories/{repository.id}/{place}/{user}"
    assert organisation.request("GET", by_id, params=VERSION).json()["vote"] == 10
    assert repository.ask("DELETE", f"{place}/{user}").status_code == 200
    assert repository.ask("GET", place).json()["count"] == 0
