"""The lint finds nothing in our sources, and finds each kind of damage."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from extension import lint

ROOT = Path(__file__).resolve().parents[2]
GATE = "tasks/EvaluateAndGateV1/task.json"
DEPLOY = "tasks/DeployToAksV1/task.json"
VERDICT = "tasks/AmlGateVerdictV1/task.json"
WAIT = "tasks/WaitForAmlRunV1/task.json"

Change = Callable[[dict[str, Any]], object]


def set_input(name: str, /, **values: object) -> Change:
    """Change one input of a task."""

    def change(task: dict[str, Any]) -> None:
        (item,) = [item for item in task["inputs"] if item["name"] == name]
        item.update(values)

    return change


DAMAGE: dict[str, Change] = {
    "id 12 is not a GUID": lambda task: task.update(id="12"),
    "the folder is named EvaluateAndGateV1, and name and version": (
        lambda task: task["version"].update(Major=2)
    ),
    "friendlyName has 41 characters": lambda task: task.update(friendlyName="x" * 41),
    "instanceNameFormat names $(nothing)": (
        lambda task: task.update(instanceNameFormat="Gate $(nothing)")
    ),
    "category is not": lambda task: task.update(category="Deploy"),
    "execution has ['Node16', 'Node20_1', 'Node24']": (
        lambda task: task["execution"].update(Node16={"target": "launcher.js"})
    ),
    "targets are ['launcher.js', 'main.js']": (
        lambda task: task["execution"].update(Node24={"target": "main.js"})
    ),
    "minimumAgentVersion is not between": lambda task: task.update(minimumAgentVersion="4.265.1"),
    "name or alias resourcegroup is given to more": set_input("rules", aliases=["ResourceGroup"]),
    "the first inputs are not": lambda task: task["inputs"].reverse(),
    "input model-name: the name has": set_input("modelName", name="model-name"),
    "input rules: there is no type yaml": set_input("rules", type="yaml"),
    "input rules: helpMarkDown is not": set_input("rules", helpMarkDown="Some rules"),
    "input modelPath: there is no group more": set_input("modelPath", groupName="more"),
    "input baseline: the default 'x' is none": set_input("baseline", defaultValue="x"),
    "input rules: the default is not a text": set_input("rules", defaultValue=1),
    "input serviceName: it is required, and hidden": set_input("serviceName", required=True),
    "input serviceName: visibleRule mixes": set_input(
        "serviceName", visibleRule="baseline = service && candidate = run || candidate = model"
    ),
    "input serviceName: visibleRule 'x = y' names no input": set_input(
        "serviceName", visibleRule="x = y"
    ),
    "input serviceName: visibleRule 'baseline = old' names no option": set_input(
        "serviceName", visibleRule="baseline = old"
    ),
    "depends on baseline, which is in another group": set_input(
        "modelPath", visibleRule="baseline = service"
    ),
    "settableVariables are not": (
        lambda task: task["restrictions"]["settableVariables"]["allowed"].append("more")
    ),
    "output passed: the description": (
        lambda task: task["outputVariables"][0].update(description="whether it passed")
    ),
    "there is no command mode some": (
        lambda task: task["restrictions"]["commands"].update(mode="some")
    ),
}


def set_list(target: str, /, **values: object) -> Change:
    """Change what fills one list."""

    def change(task: dict[str, Any]) -> None:
        (binding,) = [item for item in task["dataSourceBindings"] if item["target"] == target]
        binding.update(values)

    return change


DEPLOY_DAMAGE: dict[str, Change] = {
    "the list of modelName is bound twice": (
        lambda task: task["dataSourceBindings"].append(task["dataSourceBindings"][3])
    ),
    "input modelName: it is a list, and nothing fills it": set_list("modelName", target="sdk"),
    "input modelName: Azure fills the list, and nothing": set_input("modelName", properties={}),
    "the list of tags: there is no such input, or": set_list("modelName", target="tags"),
    "the list of modelName: endpointId is not": set_list("modelName", endpointId="$(azure)"),
    "the list of modelName: endpointUrl does not start": set_list(
        "modelName", endpointUrl="https://management.azure.com/?api-version=2024-10-01"
    ),
    "the list of modelName: endpointUrl has no released": set_list(
        "modelName", endpointUrl="{{{endpoint.url}}}/x?api-version=2024-10-01-preview"
    ),
    "the list of modelName: endpointUrl names $(azureSubscription)": set_list(
        "modelName", endpointUrl="$(azureSubscription)"
    ),
    "the list of modelName: endpointUrl does not end with": set_list(
        "modelName", endpointUrl="{{{endpoint.url}}}/x?api-version=2024-10-01"
    ),
    "the list of modelName: callbackRequiredTemplate is not": set_list(
        "modelName", callbackRequiredTemplate="true"
    ),
    "the list of aksRegion: initialContextTemplate is for lists": set_list(
        "aksRegion", initialContextTemplate="{}"
    ),
    "the list of aksVmSize: it stays empty while aksRegion": set_input("aksVmSize", options={}),
    "the list of modelName: endpointUrl names $(modelName)": set_list(
        "modelName", endpointUrl="$(modelName)"
    ),
    "the list of modelName: resultSelector is": set_list("modelName", resultSelector="xpath://a"),
    "the list of modelName: resultTemplate is not": set_list("modelName", resultTemplate="{{x}}"),
    "the list of modelName: resultTemplate has": set_list("modelName", resultTemplate="{}"),
    "group replicas: visibleRule 'target = cloud' names no option": (
        lambda task: task["groups"][0].update(visibleRule="target = cloud")
    ),
    "group replicas: visibleRule depends on cpuCores, which the rule hides": (
        lambda task: task["groups"][0].update(visibleRule="cpuCores = 1")
    ),
    "group more: no input is in it": (
        lambda task: task["groups"].append({"name": "more", "displayName": "More"})
    ),
}


def set_request(**values: str | None) -> Change:
    """Change what a gate asks; None takes a member away."""

    def change(task: dict[str, Any]) -> None:
        request = task["execution"]["HttpRequest"]["Execute"]
        request.update(values)
        for name in [name for name in request if request[name] is None]:
            del request[name]

    return change


VERDICT_DAMAGE: dict[str, Change] = {
    "it is no gate": lambda task: task["execution"].update(Node20_1={}),
    "HttpRequest has no Expression": set_request(Expression=None),
    "HttpRequest is no GET": set_request(Method="POST"),
    "EndpointUrl does not start": set_request(EndpointUrl="https://our.service/$(buildId)"),
    "Headers is not JSON": set_request(Headers="Accept: application/json"),
    "HttpRequest names $(model), which is no input": set_request(Body="$(model)"),
    "input modelName: HttpRequest does not use it": set_request(Expression="eq(1, 1)"),
}


def set_part(part: str, **changes: str) -> Change:
    """Change texts of a request of a step without an agent."""

    def change(task: dict[str, Any]) -> None:
        task["execution"]["HttpRequest"][part].update(changes)

    return change


WAIT_DAMAGE: dict[str, Change] = {
    "it is no step without an agent": lambda task: task.update(runsOn=["Server", "ServerGate"]),
    "Cancel has no EndpointId": lambda task: task["execution"]["HttpRequest"].pop("Cancel"),
    "Execute does not wait": set_part("Execute", WaitForCompletion="false"),
    "the Body of Execute is not JSON": set_part("Execute", Body="{"),
    "the EndpointId of Cancel is not": set_part("Cancel", EndpointId=""),
    "the EndpointUrl of Execute does not start": set_part("Execute", EndpointUrl="https://x/"),
    "the Headers of Cancel are not JSON": set_part("Cancel", Headers="Accept: x"),
    "the Timeout of TaskCompleted, '72:00:00', is no": lambda task: task["execution"][
        "HttpRequest"
    ]["Events"]["TaskCompleted"].update(Timeout="72:00:00"),
    "the Timeout of TaskCompleted, '3.00:00:01', is no": lambda task: task["execution"][
        "HttpRequest"
    ]["Events"]["TaskCompleted"].update(Timeout="3.00:00:01"),
    "HttpRequest names $(run), which is no input": set_part("Cancel", Body="$(run)"),
    "the first inputs are not": lambda task: task["inputs"].pop(0),
}


def test_our_sources_are_clean() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "extension.lint"],
        cwd=ROOT,
        check=False,
        capture_output=True,
        text=True,
    )
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize(
    ("path", "expected", "change"),
    [
        pytest.param(path, expected, change, id=expected)
        for path, damage in (
            (GATE, DAMAGE),
            (DEPLOY, DEPLOY_DAMAGE),
            (VERDICT, VERDICT_DAMAGE),
            (WAIT, WAIT_DAMAGE),
        )
        for expected, change in damage.items()
    ],
)
def test_damage_to_a_task_is_found(
    tmp_path: Path, path: str, expected: str, change: Change
) -> None:
    folder = tmp_path / Path(path).parent.name
    shutil.copytree(ROOT / Path(path).parent, folder)
    task = json.loads((folder / "task.json").read_text())
    change(task)
    (folder / "task.json").write_text(json.dumps(task))
    found = list(lint.task_problems(folder))
    assert any(expected in problem for problem in found), found


def test_two_tasks_may_not_share_an_id(sources: Path) -> None:
    text = (sources / GATE).read_text()
    other = json.loads((sources / "tasks/DeployToAksV1/task.json").read_text())["id"]
    (sources / GATE).write_text(re.sub(r'"id": "[^"]+"', f'"id": "{other}"', text))
    assert f"{GATE}: EvaluateAndGate has the id of DeployToAks." in lint.problems(sources)


def tab_of(manifest: dict[str, Any]) -> dict[str, Any]:
    (tab,) = (one for one in manifest["contributions"] if one["id"] == "build-report")
    return dict(tab)


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (lambda manifest: manifest["contributions"].pop(0), "contributions are"),
        (lambda manifest: manifest["contributions"][0].update(id="x"), "the contribution x is"),
        (lambda manifest: manifest["files"].pop(), "is not among the files"),
        (lambda manifest: manifest["files"].append({"path": "no"}), "no does not exist"),
        (
            lambda manifest: manifest["files"][1].update(addressable=False),
            "build-report has the page extension/tab/index.html, which is not served",
        ),
        (
            lambda manifest: tab_of(manifest)["properties"]["supportsTasks"].append("x"),
            "build-report supports the task x, which is none of ours",
        ),
        (lambda manifest: manifest.update(version="1.0"), "version 1.0 is not three"),
        (lambda manifest: manifest.update(categories=["Sports"]), "categories are not"),
        (lambda manifest: manifest.update(description="x" * 201), "description has 201"),
    ],
)
def test_damage_to_the_manifest_is_found(sources: Path, change: Change, expected: str) -> None:
    path = sources / "vss-extension.json"
    manifest = json.loads(path.read_text())
    change(manifest)
    path.write_text(json.dumps(manifest))
    assert any(expected in problem for problem in lint.problems(sources))


@pytest.mark.parametrize(
    "icon",
    ["tasks/DeployToAksV1/icon.png", "extension/images/icon.png", "extension/images/widget.png"],
)
def test_an_icon_must_have_its_size(sources: Path, icon: str) -> None:
    path = sources / icon
    path.write_bytes(b"GIF89a")
    assert any(f"{path.name} is not a PNG of" in problem for problem in lint.problems(sources))
    path.unlink()
    assert any(f"{path.name} is missing" in problem for problem in lint.problems(sources))
