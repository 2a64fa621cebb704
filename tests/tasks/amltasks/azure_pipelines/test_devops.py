"""What a job says to Azure DevOps and reads there, through the real package and a local Azure."""

from __future__ import annotations

import contextlib
import gc
import io
import json
import os
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from amltasks import errors
from amltasks.azure_pipelines import agent, devops
from tests.patience import PATIENCE_S
from tests.tasks.amltasks.conftest import Azure
from tests.tasks.amltasks.contract.test_faults import azure_with

VERSION = {"api-version": "7.1-preview"}
pytestmark = [
    # msrest leaves the sockets of calls that failed to the collector.
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]


class Organisation:
    """The organisation as its user sees it, and the jobs of its one definition."""

    def __init__(self, azure: Azure, folder: Path) -> None:
        env = azure.environment
        self.project, self.folder = env["AZURE_DEVOPS_PROJECT"], folder
        self.url = f"{env['AZURE_DEVOPS_ORG_URL']}/{self.project}/_apis"
        self.pool = f"{env['AZURE_DEVOPS_ORG_URL']}/_apis/distributedtask/pools/1"
        self.session = requests.Session()
        self.session.auth = ("", env["AZURE_DEVOPS_EXT_PAT"])
        self.definition = self.ask("POST", "build/definitions", {"name": uuid.uuid4().hex})["id"]

    def ask(self, method: str, path: str, body: Any = None, **query: Any) -> Any:
        url = path if path.startswith("https") else f"{self.url}/{path}"
        answer = self.session.request(
            method, url, json=body, params={**VERSION, **query}, timeout=PATIENCE_S
        )
        assert answer.status_code < 300, answer.text
        return answer.json() if answer.content else None

    def job(self, branch: str = "refs/heads/main", **variables: str) -> Job:
        """Queue a build and take its job, as an agent does."""
        body = {"definition": {"id": self.definition}, "sourceBranch": branch}
        build = self.ask("POST", "build/builds", body)["id"]
        session = self.ask("POST", f"{self.pool}/sessions", {})["sessionId"]
        while True:
            message = self.ask("GET", f"{self.pool}/messages", sessionId=session)
            request = json.loads(message["body"])
            if request["requestId"] == build:
                break
        (endpoint,) = request["resources"]["endpoints"]
        told = {name.lower(): one["value"] for name, one in request["variables"].items()}
        told["agent.tempdirectory"] = str(self.folder)
        token = endpoint["authorization"]["parameters"]["AccessToken"]
        return Job({**told, **variables}, token)

    def end(self, job: Job, result: str = "succeeded") -> None:
        """Let a job's build end."""
        body = {"status": "completed", "result": result}
        self.ask("PATCH", f"build/builds/{job.build}", body)

    def pull_request(self) -> int:
        """Open a pull request between two new branches of the project's repository."""
        repository, names = f"git/repositories/{self.project}", [uuid.uuid4().hex for _ in "ab"]
        for name in names:
            change = {
                "changeType": "add",
                "item": {"path": f"/{name}"},
                "newContent": {"content": name, "contentType": "rawtext"},
            }
            push = {
                "refUpdates": [{"name": f"refs/heads/{name}", "oldObjectId": "0" * 40}],
                "commits": [{"comment": "c", "changes": [change]}],
            }
            self.ask("POST", f"{repository}/pushes", push)
        source, target = (f"refs/heads/{name}" for name in names)
        body = {"title": "t", "sourceRefName": source, "targetRefName": target}
        return int(self.ask("POST", f"{repository}/pullRequests", body)["pullRequestId"])


class Job(agent.Job):
    """A job whose channel is kept in memory."""

    def __init__(self, variables: dict[str, str], token: str) -> None:
        self.kept = io.BytesIO()
        super().__init__(
            handover=agent.Handover(
                task="EvaluateAndGate",
                inputs={},
                connection=None,
                variables=variables,
                access_token=token,
            ),
            channel=agent.Channel(self.kept),
            cancellation=agent.Cancellation(),
        )

    def __setattr__(self, name: str, value: Any) -> None:
        object.__setattr__(self, name, value)

    @property
    def build(self) -> int:
        return int(self.handover.variable("build.buildid"))

    @property
    def warnings(self) -> list[str]:
        return [json.loads(line)["message"] for line in self.kept.getvalue().splitlines()]

    def opened(self) -> devops.DevOps:
        found = devops.connect(self)
        assert found is not None
        return found


@contextlib.contextmanager
def pointed_at(
    azure: Azure, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Organisation]:
    """The organisation, with this process's environment leading to it."""
    for name, value in azure.client_environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("AZURE_DEVOPS_CACHE_DIR", "")
    made = Organisation(azure, folder)
    yield made
    made.session.close()
    gc.collect()


@pytest.fixture
def organisation(
    aml_azure: Azure, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Organisation]:
    with pointed_at(aml_azure, tmp_path, monkeypatch) as made:
        yield made


def test_without_a_token_or_an_organisation_there_is_nothing_to_ask() -> None:
    known = {"system.collectionuri": "https://dev.azure.com/x/", "system.teamprojectid": "p"}
    assert devops.connect(Job(known, "")) is None
    for address in ("", "http://dev.azure.com/x/"):
        assert devops.connect(Job({**known, "system.collectionuri": address}, "token")) is None


def test_tags_and_properties_are_the_builds(organisation: Organisation) -> None:
    job = organisation.job()
    opened = job.opened()
    opened.tag_build(["aml-gate:passed", "model, the first"])
    opened.set_properties({"AmlGate.Note": "a/b ~ ä", "x/y~z": "1"})
    build = organisation.ask("GET", f"build/builds/{job.build}")
    assert build["tags"] == ["aml-gate:passed", "model  the first"]
    assert opened.properties(job.build) == {"AmlGate.Note": "a/b ~ ä", "x/y~z": "1"}
    assert job.warnings == []
    assert os.environ["AZURE_DEVOPS_CACHE_DIR"] == str(organisation.folder / "azure-devops")


def test_of_several_gates_the_worst_is_the_builds(organisation: Organisation) -> None:
    job = organisation.job()
    opened = job.opened()

    def record(model: str, verdict: str, reason: str, version: str = "") -> dict[str, str]:
        opened.record_verdict(model=model, verdict=verdict, reason=reason, model_version=version)
        found = opened.properties(job.build)
        return {name: found[f"AmlGate.{name}"] for name in ("Verdict", "Reason", "Model")}

    good = {"Verdict": "passed", "Reason": "PASSED", "Model": "good.one"}
    bad = {"Verdict": "rejected", "Reason": "TIE", "Model": "bad"}
    assert record("good.one", "passed", "PASSED", "3") == good
    assert opened.properties(job.build)["AmlGate.ModelVersion"] == "3"
    assert record("bad", "rejected", "TIE") == bad
    assert record("good.one", "passed", "PASSED", "3") == bad
    # The job ran again, and now the model is good enough.
    assert record("bad", "passed", "PASSED", "1") == {**good, "Model": "bad"}
    assert opened.properties(job.build)["AmlGate.good.one.ModelVersion"] == "3"


def test_the_previous_successful_build_is_not_this_one(organisation: Organisation) -> None:
    first, failed, elsewhere = (
        organisation.job(),
        organisation.job(),
        organisation.job("refs/heads/other"),
    )
    job = organisation.job()
    opened, main = job.opened(), "refs/heads/main"
    assert opened.previous_successful_builds(organisation.definition, main) == ()
    organisation.end(first)
    organisation.end(failed, "failed")
    organisation.end(elsewhere)
    (found,) = opened.previous_successful_builds(organisation.definition, main)
    assert (found.id, found.number[-2:]) == (first.build, ".1")
    # This build is listed, too, when a job of it runs again.
    organisation.ask("PATCH", f"build/builds/{job.build}", {"result": "succeeded"})
    assert opened.previous_successful_builds(organisation.definition, main) == (found,)


def test_a_comment_is_made_once_and_then_changed(organisation: Organisation) -> None:
    job, number = organisation.job(), organisation.pull_request()
    path = f"git/repositories/{organisation.project}/pullRequests/{number}/threads"
    organisation.ask("POST", path, {"comments": [{"content": "a person's"}]})
    opened = job.opened()
    opened.comment(number, "gate/model", "rejected")
    opened.comment(number, "gate/other", "passed")
    job.opened().comment(number, "gate/model", "passed **now**")
    threads = organisation.ask("GET", path)["value"]
    texts = [[comment["content"] for comment in thread["comments"]] for thread in threads]
    assert texts == [["a person's"], ["passed **now**"], ["passed"]]
    assert [thread["status"] for thread in threads] == ["active", "closed", "closed"]
    assert job.warnings == []


def test_what_only_adds_is_a_warning_and_what_is_needed_an_error(
    organisation: Organisation, monkeypatch: pytest.MonkeyPatch
) -> None:
    job, number = organisation.job(), organisation.pull_request()
    organisation.end(job)  # and with it its token
    opened = job.opened()
    opened.tag_build(["a"])
    opened.comment(number, "m", "text")
    opened.record_verdict(model="m", verdict="passed", reason="PASSED", model_version="1")
    write = "'Update build information' and 'Edit build quality' on this pipeline"
    permissions = (write, "'Contribute to pull requests' on this repository", write)
    assert len(job.warnings) == 3
    for warning, permission in zip(job.warnings, permissions, strict=True):
        assert warning.startswith("DEVOPS_FORBIDDEN: ")
        assert f" Next: give the project's build service the permission {permission}" in warning
    with pytest.raises(errors.TaskError, match=r"DEVOPS_FORBIDDEN.*'View builds'"):
        opened.properties(job.build)

    job = organisation.job()
    with pytest.raises(errors.TaskError, match=r"DEVOPS_REFUSED: .* with 404 .*could not be found"):
        job.opened().properties(999_999)
    elsewhere = organisation.job(**{"system.teamprojectid": str(uuid.uuid4())})
    elsewhere.opened().tag_build(["a"])
    assert elsewhere.warnings[0].startswith("DEVOPS_REFUSED: ")

    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("https_proxy", "http://127.0.0.1:9")
    opened = job.opened()
    with pytest.raises(errors.TaskError, match=r"DEVOPS_UNREACHABLE: .*dev\.azure\.com/local"):
        opened.previous_successful_builds(organisation.definition, "refs/heads/main")
    opened.tag_build(["a"])
    assert job.warnings[0].startswith("DEVOPS_UNREACHABLE: ")


def test_what_passes_is_waited_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    faults = (
        "status=429 retry-after=1 times=1 method=POST path=*/tags",
        "status=503 times=1 method=PATCH path=*/properties",
        "drop times=1 method=GET path=*/properties",
        "status=503 times=1 method=POST path=*/threads",
        "status=403 method=GET path=*/builds",
        "expired after=1 times=1 method=GET path=*/threads",
    )
    with (
        azure_with(tmp_path, *faults) as azure,
        pointed_at(azure, tmp_path, monkeypatch) as organisation,
    ):
        job, number = organisation.job(), organisation.pull_request()
        opened = job.opened()
        opened.tag_build(["a"])
        opened.set_properties({"a": "b"})
        assert opened.properties(job.build) == {"a": "b"}
        assert organisation.ask("GET", f"build/builds/{job.build}")["tags"] == ["a"]
        assert job.warnings == []
        with pytest.raises(errors.TaskError, match=r"DEVOPS_FORBIDDEN: .*denied .*Forbidden"):
            opened.previous_successful_builds(organisation.definition, "refs/heads/main")
        # A comment is not made again: nobody knows whether it is there.
        opened.comment(number, "m", "text")
        opened.comment(number, "m", "text")
        codes = [warning.partition(":")[0] for warning in job.warnings]
        assert codes == ["DEVOPS_UNREACHABLE", "DEVOPS_FORBIDDEN"]
