"""The documented examples of Azure DevOps: status and types, not completeness."""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.local.azure.conformance.trees import differences, has, mutants
from tests.local.azure.devops.conformance.scenario import ZERO, Scenario
from tests.local.azure.devops.organisation import NAMES, connect

HERE = Path(__file__).parent
EXAMPLES: list[dict[str, Any]] = json.loads((HERE / "examples.json").read_text())["examples"]
_TYPES = re.compile(r": (\S+) instead of (\S+)$")


@pytest.fixture(scope="module")
def scenario(local_azure: Any) -> Iterator[Scenario]:
    with pytest.MonkeyPatch.context() as patch:
        for name in NAMES:
            patch.setenv(name, local_azure.environment[name])
        opened = connect(local_azure.environment)
        found = Scenario(opened)
        found.version = "7.1-preview"
        yield found
        opened.session.close()


def contradicts(difference: str) -> bool:
    """Whether a difference is one of type: a null says nothing, and a word is a text."""
    found = _TYPES.search(difference)
    if found is None:
        return "no list" in difference or "no object" in difference
    ours, theirs = found[1], found[2].split("|")
    texts = ("string", "text", "guid", "date", "url", "vstfs")
    if ours == "null" or theirs == ["null"]:
        return False
    is_text = ours in texts or ours.startswith("'")
    return not (is_text and any(one in texts or one.startswith("enum:") for one in theirs))


def release(s: Scenario, method: str, path: str, body: Any = None) -> Any:
    return s.send(method, f"vsrm {s.project}/_apis/release/{path}", body)


def definition(s: Scenario) -> Any:
    body = {"name": uuid.uuid4().hex, "environments": [{"name": "Test"}], "artifacts": []}
    return release(s, "POST", "definitions", body)


def released(s: Scenario) -> Any:
    return release(s, "POST", "releases", {"definitionId": definition(s).json()["id"]})


def stage(s: Scenario) -> Any:
    made = released(s).json()
    place = f"releases/{made['id']}/environments/{made['environments'][0]['id']}"
    return release(s, "PATCH", place, {"status": "inProgress"})


def endpoint_body(s: Scenario) -> Any:
    reference = {"projectReference": {"name": s.project}, "name": "n"}
    return {
        "name": uuid.uuid4().hex,
        "type": "generic",
        "url": "https://example.org",
        "authorization": {"scheme": "UsernamePassword", "parameters": {"username": "u"}},
        "serviceEndpointProjectReferences": [reference],
    }


def endpoint(s: Scenario) -> Any:
    return s.send("POST", "_apis/serviceendpoint/endpoints", endpoint_body(s))


def at_endpoint(s: Scenario, *, project: bool = True) -> str:
    base = f"{s.project}/_apis" if project else "_apis"
    return f"{base}/serviceendpoint/endpoints/{endpoint(s).json()['id']}"


def thread(s: Scenario) -> str:
    place = s.at_pull_request("/threads")
    made = s.send("POST", place, {"comments": [{"content": "c"}], "status": 1}).json()
    return f"{place}/{made['id']}/comments"


def run(s: Scenario) -> Any:
    return s.send("POST", f"{s.project}/_apis/test/runs", {"name": "n", "automated": True})


def disabled_repository(s: Scenario) -> Any:
    return s.send("PATCH", f"{s.git}/{s.new_repository().json()['id']}", {"isDisabled": True})


def renamed_repository(s: Scenario) -> Any:
    body = {"name": uuid.uuid4().hex}
    return s.send("PATCH", f"{s.git}/{s.new_repository().json()['id']}", body)


def pull_requests(query: str = "") -> Callable[[Scenario], Any]:
    def play(s: Scenario) -> Any:
        s.pull_request()
        return s.send("GET", f"{s.git}/{s.repository['id']}/pullRequests{query}")

    return play


def items(query: str) -> Callable[[Scenario], Any]:
    return lambda s: s.send("GET", f"{s.git}/{s.repository['id']}/items?{query}")


def locked(s: Scenario) -> Any:
    name = uuid.uuid4().hex
    s.ref(name)
    return s.send("PATCH", f"{s.git}/{s.project}/refs?filter=heads/{name}", {"isLocked": True})


def pushed(s: Scenario) -> Any:
    change = {
        "changeType": "add",
        "item": {"path": "/x"},
        "newContent": {"content": "x", "contentType": "rawtext"},
    }
    body = {
        "refUpdates": [{"name": f"refs/heads/{uuid.uuid4().hex}", "oldObjectId": ZERO}],
        "commits": [{"comment": "c", "changes": [change]}],
    }
    return s.send("POST", f"{s.git}/{s.project}/pushes", body)


_PLAYS: dict[str, Callable[[Scenario], Any]] = {
    "pipelinePermissions/GET": lambda s: s.send(
        "GET", f"{s.project}/_apis/pipelines/pipelinePermissions/queue/1"
    ),
    "pipelinePermissions/PATCH": lambda s: s.send(
        "PATCH",
        f"{s.project}/_apis/pipelines/pipelinePermissions/queue/1",
        {"pipelines": [{"id": 1, "authorized": True}]},
    ),
    "projects/GET": lambda s: s.send("GET", "_apis/projects"),
    "projects/POST": lambda s: s.send("POST", "_apis/projects", s.new_project(uuid.uuid4().hex)),
    "variablegroups/DELETE": lambda s: s.send("DELETE", s.at_group(s.group().json()["id"])),
    "variablegroups/GET_VariableGroupsBy": lambda s: (
        s.group(),
        s.send("GET", s.at_group() + "?groupName=group*&actionFilter=Use&$top=2"),
    )[1],
    "variablegroups/GET_VariableGroup": lambda s: s.send("GET", s.at_group(s.group().json()["id"])),
    "variablegroups/POST": lambda s: s.group(),
    "variablegroups/PUT": lambda s: s.send(
        "PUT",
        s.at_group(s.group().json()["id"]),
        {"name": uuid.uuid4().hex, "type": "Vsts", "variables": {"a": {"value": "b"}}},
    ),
    "installedExtensions/": lambda s: s.send(
        "GET", "extmgmt _apis/ExtensionManagement/InstalledExtensions"
    ),
    "items/GET__git_repositories__repositoryId__items_scopePath-_filePath_": items("scopePath=/"),
    "items/GET__git_repositories__repositoryId__items_scopePath-_folderPath_": items(
        "scopePath=/&recursionLevel=Full&includeContentMetadata=true"
    ),
    "pullRequestReviewers/DELETE": lambda s: s.send("DELETE", f"{s.reviewed()}/{s.user}"),
    "pullRequestReviewers/GET__git_repositories__repositoryId__pullRequests__pullRequestId__"
    "reviewers__": lambda s: s.send("GET", f"{s.reviewed()}/{s.user}"),
    "pullRequestReviewers/GET": lambda s: s.send("GET", s.reviewed()),
    "pullRequestReviewers/PUT": lambda s: s.send(
        "PUT", s.at_pull_request(f"/reviewers/{s.user}"), {"vote": 10}
    ),
    "pullRequestThreadComments/DELETE": lambda s: s.send("DELETE", f"{thread(s)}/1"),
    "pullRequestThreadComments/POST": lambda s: s.send("POST", thread(s), {"content": "c"}),
    "pullRequestThreads/GET": lambda s: s.send(
        "GET", thread(s).rpartition("/")[0].rpartition("/")[0]
    ),
    "pullRequestThreads/POST": lambda s: s.send(
        "POST",
        s.at_pull_request("/threads"),
        {"comments": [{"parentCommentId": 0, "content": "c", "commentType": 1}], "status": 1},
    ),
    "pullRequests/GET__git_pullRequests": lambda s: (
        s.pull_request(),
        s.send("GET", f"{s.project}/_apis/git/pullRequests"),
    )[1],
    "pullRequests/GET__git_repositories__repositoryId__pullRequests__": lambda s: s.send(
        "GET", s.at_pull_request()
    ),
    "pullRequests/GET__git_repositories__repositoryId__pullRequests_status": pull_requests(
        "?status=completed"
    ),
    "pullRequests/GET__git_repositories__repositoryId__pullRequests_target": pull_requests(
        "?targetRefName=refs/heads/main"
    ),
    "pullRequests/GET__git_repositories__repositoryId__pullRequests": pull_requests(),
    "pullRequests/PATCH": lambda s: s.send("PATCH", s.at_pull_request(), {"title": "u"}),
    "pullRequests/POST": lambda s: s.pull_request(),
    "pushes/GET__git_repositories__repositoryId__pushes__": lambda s: s.send(
        "GET", f"{s.git}/{s.project}/pushes/{pushed(s).json()['pushId']}"
    ),
    "pushes/GET": lambda s: s.send("GET", f"{s.git}/{s.project}/pushes"),
    "pushes/POST": pushed,
    "refs/GET": lambda s: s.send("GET", f"{s.git}/{s.project}/refs?filter=heads/"),
    "refs/PATCH": locked,
    "refs/POST": lambda s: s.ref(uuid.uuid4().hex),
    "repositories/DELETE": lambda s: s.send(
        "DELETE", f"_apis/git/repositories/{s.new_repository().json()['id']}"
    ),
    "repositories/GET__git_repositories__repositoryId_": lambda s: s.send(
        "GET", f"_apis/git/repositories/{s.repository['id']}"
    ),
    "repositories/GET": lambda s: s.send("GET", "_apis/git/repositories"),
    "repositories/PATCH__git_repositories__disable_": disabled_repository,
    "repositories/PATCH": renamed_repository,
    "repositories/POST": lambda s: s.send(
        "POST",
        "_apis/git/repositories",
        {"name": uuid.uuid4().hex, "project": {"id": s.repository["project"]["id"]}},
    ),
    "definitions/DELETE": lambda s: release(
        s, "DELETE", f"definitions/{definition(s).json()['id']}"
    ),
    "definitions/GET_ListAllReleaseDefinitionsWithArtifacts": lambda s: release(
        s, "GET", "definitions?$expand=Artifacts"
    ),
    "definitions/GET__GetReleaseDefinition": lambda s: release(
        s, "GET", f"definitions/{definition(s).json()['id']}"
    ),
    "definitions/GET__ListAllReleaseDefinitionsWithEnvironments": lambda s: release(
        s, "GET", "definitions?$expand=Environments"
    ),
    "definitions/GET__ListAllReleaseDefinitions": lambda s: release(s, "GET", "definitions"),
    "definitions/POST": definition,
    "definitions/PUT": lambda s: release(s, "PUT", "definitions", definition(s).json()),
    "environments/PATCH": stage,
    "releases/GET__GetARelease": lambda s: release(
        s, "GET", f"releases/{released(s).json()['id']}"
    ),
    "releases/GET__List": lambda s: release(s, "GET", "releases?definitionId=1"),
    "releases/PATCH": lambda s: release(
        s, "PATCH", f"releases/{released(s).json()['id']}", {"status": "abandoned", "comment": "c"}
    ),
    "releases/POST": released,
    "releases/Query": lambda s: (released(s), release(s, "GET", "releases"))[1],
    "endpoints/Create": endpoint,
    "endpoints/DELETE": lambda s: s.send("DELETE", at_endpoint(s)),
    "endpoints/Delete": lambda s: s.send("DELETE", at_endpoint(s, project=False)),
    "endpoints/GET__ServiceEndpointDetails": lambda s: s.send("GET", at_endpoint(s)),
    "endpoints/GetServiceEndpointDetails": lambda s: s.send("GET", at_endpoint(s)),
    "endpoints/POST": lambda s: s.send(
        "POST", f"{s.project}/_apis/serviceendpoint/endpoints", endpoint_body(s)
    ),
    "endpoints/PUT": lambda s: s.send("PUT", at_endpoint(s), endpoint_body(s)),
    "endpoints/Update": lambda s: s.send("PUT", at_endpoint(s, project=False), endpoint_body(s)),
    "endpoints/": lambda s: (
        endpoint(s),
        s.send("GET", f"{s.project}/_apis/serviceendpoint/endpoints?type=Generic"),
    )[1],
    "runs/GET_test_run_id": lambda s: s.send(
        "GET", f"{s.project}/_apis/test/runs/{run(s).json()['id']}"
    ),
    "runs/GET": lambda s: (run(s), s.send("GET", f"{s.project}/_apis/test/runs"))[1],
    "runs/PATCH": lambda s: s.send(
        "PATCH", f"{s.project}/_apis/test/runs/{run(s).json()['id']}", {"comment": "c"}
    ),
    "runs/POST": run,
}


def play_of(path: str) -> str:
    """The longest name of a play that an example's name begins with."""
    name = path.partition("/")[2]
    return max((one for one in _PLAYS if name.startswith(one)), key=len)


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda one: one["path"])
def test_an_answer_contradicts_no_example(example: dict[str, Any], scenario: Scenario) -> None:
    answer = _PLAYS[play_of(example["path"])](scenario)
    assert answer.status_code == example["status"], answer.text
    if example["response"] is not None and answer.content:
        found = [one for one in differences(example["response"], answer.json()) if contradicts(one)]
        assert not found


def test_the_comparison_is_not_blind(scenario: Scenario) -> None:
    """A leaf of another type is noticed wherever the answer has it and is not null."""
    total = 0
    for example in EXAMPLES:
        answer = _PLAYS[play_of(example["path"])](scenario)
        body = answer.json() if answer.content and example["response"] is not None else None
        for place, tree in mutants(example["response"], ("boolean", "integer")):
            if has(body, place):
                found = [one for one in differences(tree, body) if "instead of" in one]
                total += 1
                assert any(contradicts(one) or ": null" in one for one in found), place
    assert total > 700


def test_every_play_is_of_an_example() -> None:
    assert {play_of(one["path"]) for one in EXAMPLES} == set(_PLAYS)


@pytest.mark.parametrize(
    ("difference", "is_one"),
    [
        (".id: string instead of integer", True),
        (".id: integer instead of string", True),
        (".many: no list", True),
        (".a: null instead of string", False),
        (".a: guid instead of null", False),
        (".a: 'active' instead of enum:completed", False),
        (".a: guid instead of string", False),
        (".a: missing", False),
        (".a: not recorded", False),
    ],
)
def test_what_contradicts(difference: str, is_one: bool) -> None:
    assert contradicts(difference) is is_one
