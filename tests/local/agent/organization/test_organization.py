"""A run that belongs to an organisation: its build there, from the outside, on a local Azure."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import psutil
import pytest
import requests

from local.agent.errors import AgentError
from local.agent.organization.caller import SETTINGS
from tests.patience import PATIENCE_S
from tests.running_azure import running_azure

ROOT = Path(__file__).parents[4]
LOOK = """
const at = (name) => process.env[name] ?? "";
console.log("build=" + at("BUILD_BUILDID"), "uri=" + at("SYSTEM_COLLECTIONURI"));
console.log("pat=" + at("AZURE_DEVOPS_EXT_PAT") + "|" + at("AZURE_DEVOPS_ORG_URL"));
console.log("endpoint=" + at("ENDPOINT_URL_SYSTEMVSSCONNECTION"));
const url = at("SYSTEM_OIDCREQUESTURI");
console.log("oidc=" + url.includes(at("SYSTEM_JOBID")) + url.includes(at("SYSTEM_PLANID")));
console.log("connection=" + at("INPUT_CONNECTION"));
const token = at("ENDPOINT_AUTH_PARAMETER_SYSTEMVSSCONNECTION_ACCESSTOKEN");
console.log("token=" + token, token.length > 100);
require("fs").writeFileSync("report.html", "<h1>report</h1>");
require("fs").writeFileSync("words.md", "# words");
const here = process.cwd();
console.log(`##vso[task.addattachment type=aml.gate.report;name=the gate]${here}/report.html`);
console.log(`##vso[task.uploadsummary]${here}/words.md`);
const cases = '<testcase classname="gate" name="accuracy" time="0.5"/>'
  + '<testcase name="size"><failure message="too large">why</failure></testcase>'
  + '<testcase name="slice"><skipped/></testcase>';
require("fs").writeFileSync("r.xml", `<testsuites><testsuite>${cases}</testsuite></testsuites>`);
console.log(`##vso[results.publish type=JUnit;runTitle=Gate;resultFiles=${here}/r.xml]`);
console.log("##vso[task.logissue type=warning;code=W1]beware");
"""
PIPELINE = """
stages:
- stage: Build
  jobs:
  - job: One
    steps:
    - task: Look@1
      name: look
      inputs: {connection: aml-connection}
    - script: |
        mkdir out; echo 1 > out/model
        echo "##vso[build.addbuildtag]nightly"
      name: tag
    - publish: out
      artifact: model
      name: publish
- stage: Never
  condition: false
  jobs:
  - job: Two
    steps: [{script: 'exit 1', name: never}]
"""


@pytest.fixture(scope="module")
def devops(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mapping[str, str]]:
    """The variables of a local Azure's env file."""
    with running_azure(tmp_path_factory.mktemp("azure") / "state") as server:
        yield server.environment


@pytest.fixture
def ask(
    devops: Mapping[str, str], no_organisation: None, monkeypatch: pytest.MonkeyPatch
) -> Callable[..., Any]:
    """Requests below the project, as the organisation's user; the agent is pointed there too."""
    for name, value in devops.items():
        if not name.startswith(("AML_", "AZURE_")) or name in SETTINGS:
            monkeypatch.setenv(name, value)
    url = f"{devops['AZURE_DEVOPS_ORG_URL']}/{devops['AZURE_DEVOPS_PROJECT']}/_apis/"

    def get(path: str, **query: str) -> Any:
        auth = ("", devops["AZURE_DEVOPS_EXT_PAT"])
        answer = requests.get(url + path, params=query, auth=auth, timeout=PATIENCE_S)
        assert answer.status_code == 200, answer.text
        return (
            answer.json()
            if answer.headers["content-type"].startswith("application/json")
            else (answer.text)
        )

    return get


@pytest.fixture
def look_vsix(task_json: Callable[..., Any], make_vsix: Callable[..., Path]) -> Path:
    inputs = [{"name": "connection", "type": "connectedService:AzureRM"}]
    return make_vsix((task_json("Look", inputs=inputs), {"main.js": LOOK}))


def test_a_run_is_a_build(
    ask: Callable[..., Any], play: Callable[..., Any], look_vsix: Path, devops: Mapping[str, str]
) -> None:
    played = play(PIPELINE, vsix=look_vsix)
    assert played.result == "succeeded", played.console
    (definition,) = ask("build/definitions", name="azure-pipelines")["value"]
    (build,) = ask("build/builds", definitions=str(definition["id"]))["value"]
    assert (build["status"], build["result"]) == ("completed", "succeeded")
    assert build["buildNumber"] == played.document["buildNumber"]
    assert build["tags"] == ["nightly"]
    (endpoint,) = ask("serviceendpoint/endpoints", endpointNames="aml-connection")["value"]

    lines = played.lines("look")
    url = devops["AZURE_DEVOPS_ORG_URL"] + "/"
    assert lines == [
        f"build={build['id']} uri={url}",
        "pat=|",
        f"endpoint={url}",
        "oidc=truetrue",
        f"connection={endpoint['id']}",
        "token=*** true",
        "##[warning]beware",
    ]
    assert "client.secret" not in str(endpoint)

    records = ask(f"build/builds/{build['id']}/timeline")["records"]
    shown = [(one["type"], one["refName"], one["state"], one["result"]) for one in records]
    assert shown == [
        ("Stage", "Build", "completed", "succeeded"),
        ("Phase", "One", "completed", "succeeded"),
        ("Job", "One.__default", "completed", "succeeded"),
        ("Task", "__checkout", "completed", "succeeded"),
        ("Task", "look", "completed", "succeeded"),
        ("Task", "tag", "completed", "succeeded"),
        ("Task", "publish", "completed", "succeeded"),
        ("Stage", "Never", "completed", "skipped"),
        ("Phase", "Two", "completed", "skipped"),
    ]
    by_id = {one["id"]: one for one in records}
    look = records[4]
    assert by_id[look["parentId"]]["type"] == "Job"
    assert look["warningCount"] == 1
    (issue,) = look["issues"]
    assert (issue["message"], issue["data"]["code"]) == ("beware", "W1")

    for kind, name, text in (
        ("aml.gate.report", "the gate", "<h1>report</h1>"),
        ("Distributedtask.Core.Summary", "words.md", "# words"),
    ):
        (attachment,) = ask(f"build/builds/{build['id']}/attachments/{kind}")["value"]
        assert attachment["name"] == name
        place = attachment["_links"]["self"]["href"].partition("_apis/")[2]
        assert look["id"] in place
        assert ask(place) == text
    (run,) = ask("test/runs", buildUri=build["uri"])["value"]
    told = tuple(run[name] for name in ("name", "state", "totalTests", "passedTests"))
    assert told == ("Gate", "Completed", 3, 1)
    cases = ask(f"test/runs/{run['id']}/results")["value"]
    members = ("automatedTestName", "outcome", "durationInMs")
    assert [tuple(case[name] for name in members) for case in cases] == [
        ("gate.accuracy", "Passed", 500),
        ("size", "Failed", 0),
        ("slice", "NotExecuted", 0),
    ]
    assert (cases[1]["errorMessage"], cases[1]["stackTrace"]) == ("too large", "why")
    (artifact,) = ask(f"build/builds/{build['id']}/artifacts")["value"]
    assert (artifact["name"], artifact["resource"]["type"]) == ("model", "FilePath")
    assert (Path(artifact["resource"]["data"]) / "model").exists()


def test_the_next_build_is_of_the_same_definition(
    ask: Callable[..., Any], play: Callable[..., Any]
) -> None:
    steps = "name: my-$(Build.BuildId)\nsteps: [{script: exit 1}]"
    played = [play(steps), play(steps)]
    assert [one.result for one in played] == ["failed", "failed"]
    (definition,) = ask("build/definitions", name="azure-pipelines")["value"]
    found = ask("build/builds", definitions=str(definition["id"]), **{"$top": "2"})["value"]
    numbers = [one["buildNumber"] for one in found]
    assert numbers == [one.document["buildNumber"] for one in reversed(played)]
    assert numbers[0] == f"my-{found[0]['id']}"


def test_a_connection_keeps_its_id_and_takes_the_scheme_of_the_run(
    ask: Callable[..., Any], play: Callable[..., Any], look_vsix: Path
) -> None:
    steps = "steps: [{task: Look@1, name: look, inputs: {connection: federated}}]"
    found = []
    for scheme in ("spnKey", "WorkloadIdentityFederation"):
        assert play(steps, vsix=look_vsix, connections={"federated": scheme}).result == "succeeded"
        found += ask("serviceendpoint/endpoints", endpointNames="federated")["value"]
    before, after = found
    assert before["id"] == after["id"]
    assert before["authorization"]["scheme"] == "ServicePrincipal"
    assert after["authorization"]["scheme"] == "WorkloadIdentityFederation"


@pytest.mark.usefixtures("ask")
def test_what_cannot_work_is_refused_before_anything_runs(
    play: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    steps = "steps: [{script: echo}]"
    monkeypatch.setenv("AZURE_DEVOPS_PROJECT", "nothing")
    with pytest.raises(AgentError, match=r"with 404: TF200016: .*; check AZURE_DEVOPS_ORG_URL"):
        play(steps)
    monkeypatch.setenv("AZURE_DEVOPS_PROJECT", "")
    with pytest.raises(AgentError, match="AZURE_DEVOPS_ORG_URL is set, and AZURE_DEVOPS_PROJECT"):
        play(steps)
    monkeypatch.setenv("AZURE_DEVOPS_PROJECT", "aml")
    monkeypatch.setenv("AZURE_DEVOPS_ORG_URL", "https://127.0.0.1:9/nobody")
    with pytest.raises(AgentError, match="does not answer"):
        play(steps)


def test_a_run_goes_on_when_the_organisation_has_gone(
    ask: Callable[..., Any], play: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    def cut(prepared: Any) -> Any:
        prepared.session.observer.timeline.caller.url = "https://127.0.0.1:9/nobody"
        return prepared

    played = play("steps: [{script: echo}, {script: echo}]", change=cut)
    assert played.result == "succeeded"
    assert played.console.count("does not answer") == 1


def test_a_classic_release_is_a_release(
    ask: Callable[..., Any],
    play: Callable[..., Any],
    play_release: Callable[..., Any],
    release_json: Callable[..., Any],
    stage_json: Callable[..., Any],
    devops: Mapping[str, str],
) -> None:
    attach = 'echo hi > r.html; echo "##vso[task.addattachment type=aml.deploy.report;name=s]'
    definition = release_json(
        stage_json("Test", f'{attach}$PWD/r.html"', "echo plan $(System.PlanId)"),
        stage_json("Bad", "exit 1"),
        stage_json("By hand", "echo", conditions=[]),
    )
    played = [play_release(definition), play_release(definition)]
    assert [one.result for one in played] == ["failed", "failed"]

    url = devops["AZURE_DEVOPS_ORG_URL"].replace("//dev.", "//vsrm.dev.")

    def released(path: str) -> Any:
        auth = ("", devops["AZURE_DEVOPS_EXT_PAT"])
        place = f"{url}/{devops['AZURE_DEVOPS_PROJECT']}/_apis/release/{path}"
        answer = requests.get(place, auth=auth, timeout=PATIENCE_S)
        assert answer.status_code == 200, answer.text
        return answer.json()

    (found,) = released("definitions?searchText=deployed here")["value"]
    second, first = released(f"releases?definitionId={found['id']}&$expand=environments")["value"]
    assert [first["name"], second["name"]] == ["Release-1", "Release-2"]
    stages = {stage["name"]: stage for stage in first["environments"]}
    assert {name: stage["status"] for name, stage in stages.items()} == {
        "Test": "succeeded",
        "Bad": "rejected",
        "By hand": "notStarted",
    }
    (attempt,) = stages["Test"]["deploySteps"]
    plan = attempt["releaseDeployPhases"][0]["runPlanId"]
    assert f"plan {plan}" in played[0].console
    place = f"releases/{first['id']}/environments/{stages['Test']['id']}/attempts/1/plan/{plan}"
    (attachment,) = released(f"{place}/attachments/aml.deploy.report")["value"]
    assert attachment["name"] == "s"
    records = ask(f"distributedtask/hubs/release/plans/{plan}/timelines/{plan}/records")["value"]
    assert [one["type"] for one in records][:2] == ["Phase", "Job"]
    assert {one["state"] for one in records} == {"completed"}


def test_results_that_are_no_junit_are_a_warning(
    ask: Callable[..., Any], play: Callable[..., Any]
) -> None:
    script = 'echo nonsense > r.xml; echo "##vso[results.publish type=JUnit;resultFiles=r.xml]"'
    played = play(f"steps: [{{script: '{script}'}}]".replace("resultFiles=r", "resultFiles=$PWD/r"))
    assert played.result == "succeeded", played.console
    assert "has no JUnit results" in played.console


def test_a_job_gets_the_variables_of_its_definition(
    ask: Callable[..., Any], play: Callable[..., Any], devops: Mapping[str, str]
) -> None:
    steps = """
steps:
- script: echo "plain=$(plain) key=$(key) env=$KEY."; printf "$(key)" | wc -c
  name: show
"""
    play(steps)
    (found,) = ask("build/definitions", name="azure-pipelines")["value"]
    definition = ask(f"build/definitions/{found['id']}")
    definition["variables"] = {
        "plain": {"value": "shown"},
        "key": {"value": "S3cret-value", "isSecret": True},
    }
    answer = requests.put(
        definition["url"].partition("?")[0],
        params={"api-version": "7.1"},
        json=definition,
        auth=("", devops["AZURE_DEVOPS_EXT_PAT"]),
        timeout=30,
    )
    assert answer.status_code == 200, answer.text
    played = play(steps)
    assert played.lines("show") == ["plain=shown key=*** env=.", "12"]
    assert "S3cret-value" not in played.console


def test_a_run_whose_agent_was_killed_is_ended_by_the_next(
    ask: Callable[..., Any],
    play: Callable[..., Any],
    pipeline_file: Callable[..., Path],
    tmp_path: Path,
) -> None:
    file = pipeline_file("steps: [{checkout: none}, {bash: 'echo here; sleep 300', name: s}]")
    work = tmp_path / "work"
    command = [sys.executable, "-m", "local.agent", "run", str(file), "--work", str(work)]
    agent = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    assert agent.stdout is not None
    sleeping = next(line for line in agent.stdout if "s | here" in line)
    assert sleeping
    (marker,) = (work / "open-runs").glob("*.json")
    left = psutil.Process(agent.pid).children(recursive=True)
    agent.kill()
    agent.wait(PATIENCE_S)
    for process in left:
        process.kill()
    agent.stdout.close()
    number = marker.name.split("-")[1]
    assert ask(f"build/builds/{number}")["status"] == "inProgress"

    played = play("steps: [{checkout: none}, {bash: 'true'}]")
    build = ask(f"build/builds/{number}")
    assert (build["status"], build["result"]) == ("completed", "canceled")
    assert (
        f"build {number} was still in progress, and its agent is gone: canceled" in played.console
    )
    assert list((work / "open-runs").iterdir()) == []


def test_variable_groups_of_the_project(
    ask: Callable[..., Any],
    play: Callable[..., Any],
    devops: Mapping[str, str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    group = {
        "name": "deploy",
        "type": "Vsts",
        "variables": {
            "region": {"value": "west"},
            "api.key": {"value": "of the service", "isSecret": True},
        },
    }
    url = f"{devops['AZURE_DEVOPS_ORG_URL']}/{devops['AZURE_DEVOPS_PROJECT']}/_apis/"
    answer = requests.post(
        f"{url}distributedtask/variablegroups",
        params={"api-version": "7.1"},
        json=group,
        auth=("", devops["AZURE_DEVOPS_EXT_PAT"]),
        timeout=PATIENCE_S,
    )
    assert answer.status_code == 200, answer.text
    text = "variables: [{group: DEPLOY}]\n"
    text += "steps: [{checkout: none}, {bash: 'echo $(region) $(api.key)', name: s}]\n"
    with pytest.raises(AgentError, match="not readable; set API_KEY in the agent's environment"):
        play(text)
    monkeypatch.setenv("API_KEY", "from-outside")
    assert play(text).lines("s") == ["west ***"]
    with pytest.raises(AgentError, match="the variable group 'other' is neither"):
        play(text.replace("DEPLOY", "other"))
