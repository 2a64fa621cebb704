"""Tabs, the widget and the templates of classic builds: what the manifest says of them is true."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from extension import contributions
from extension.sources import ROOT, task_folders
from local.agent.definition import classic_build

Change = Callable[[dict[str, Any]], object]
TEMPLATES = ("TrainAndGate", "TrainGateAndDeploy")
TASKS = {
    task["id"]: task
    for task in (
        json.loads((folder / "task.json").read_text(encoding="utf-8"))
        for folder in task_folders(ROOT)
    )
}


def manifest() -> dict[str, Any]:
    found: dict[str, Any] = json.loads((ROOT / "vss-extension.json").read_text(encoding="utf-8"))
    return found


def template(name: str) -> dict[str, Any]:
    path = ROOT / "extension" / "templates" / name / contributions.TEMPLATE_FILE
    found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return found


def by_id(found: dict[str, Any], identity: str) -> dict[str, Any]:
    (item,) = (one for one in found["contributions"] if one["id"] == identity)
    return dict(item)


def test_the_extension_has_nothing_wrong() -> None:
    assert list(contributions.contribution_problems(ROOT, manifest())) == []


@pytest.mark.parametrize(
    ("identity", "change", "expected"),
    [
        ("build-report", lambda one: one["targets"].clear(), "does not target ms.vss-build-web.b"),
        ("gate-widget", lambda one: one["targets"].pop(), "has no configuration"),
        (
            "gate-widget",
            lambda one: one["targets"].append(".other"),
            "targets its configuration other, which there is not",
        ),
        (
            "gate-widget",
            lambda one: one["properties"].update(uri="extension/tab/no.html"),
            "has the page extension/tab/no.html, which is not served",
        ),
        ("gate-widget", lambda one: one["properties"].pop("supportedScopes"), "is not for the das"),
        ("gate-widget", lambda one: one["properties"].pop("supportedSizes"), "has no size"),
        (
            "gate-widget",
            lambda one: one["properties"].update(catalogIconUrl="images/icon.png"),
            "has another icon than extension/images/widget.png",
        ),
        (
            "gate-widget.configuration",
            lambda one: one["properties"].update(uri="README.md"),
            "has the page README.md, which is not served",
        ),
        (
            "TrainAndGate",
            lambda one: one["properties"].update(name="docs"),
            "has the folder docs, which is not packaged",
        ),
        (
            "TrainAndGate",
            lambda one: one["properties"].update(name="extension/tab"),
            "has no extension/tab/template.json",
        ),
    ],
)
def test_damage_to_a_contribution_is_found(identity: str, change: Change, expected: str) -> None:
    damaged = manifest()
    change(by_id(damaged, identity))
    found = list(contributions.contribution_problems(ROOT, damaged))
    assert any(f"the contribution {identity} {expected}" in problem for problem in found), found


def steps(found: dict[str, Any]) -> list[dict[str, Any]]:
    made: list[dict[str, Any]] = found["template"]["process"]["phases"][0]["steps"]
    return made


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (lambda one: one.pop("category"), "has the members"),
        (lambda one: one.update(iconTaskId="x"), "has the icon of a task"),
        (lambda one: one["template"].pop("process"), "has a process that is not of type 1"),
        (lambda one: steps(one)[1]["task"].update(id="x"), "whose task x is not known"),
        (lambda one: steps(one)[1]["task"].update(versionSpec="2.*"), "is not of version 1.*"),
        (lambda one: steps(one)[0]["inputs"].update(x="y"), "whose input x the task has not"),
        (lambda one: steps(one)[1]["inputs"].update(x="y"), "whose input x the task has not"),
        (lambda one: steps(one)[2]["inputs"].pop("pipelineFile"), "does not give pipelineFile"),
        (lambda one: steps(one)[2].update(refName="x"), "names $(train.runId), and no step"),
        (lambda one: steps(one).insert(0, steps(one).pop(3)), "names $(train.runId), and no step"),
        (
            lambda one: one["template"]["processParameters"]["inputs"].pop(),
            "names the parameter rulesFile, and there is none",
        ),
        (
            lambda one: (
                steps(one)[1]["inputs"].update(computeName="cpu")
                or steps(one)[1].update(displayName="Provision")
            ),
            "has the parameter computeName, which no step uses",
        ),
    ],
)
def test_damage_to_a_template_is_found(change: Change, expected: str) -> None:
    damaged = template("TrainAndGate")
    assert list(contributions.template_problems(damaged, TASKS)) == []
    change(damaged)
    found = list(contributions.template_problems(damaged, TASKS))
    assert any(expected in problem for problem in found), found


@pytest.mark.parametrize("name", TEMPLATES)
def test_the_local_agent_reads_what_a_template_makes(name: str, tmp_path: Path) -> None:
    """The portal puts the template into a definition beside a repository and a queue."""
    made = {
        "name": name,
        "type": "build",
        "queue": {"name": "Default"},
        **template(name)["template"],
    }
    path = tmp_path / "definition.json"
    path.write_text(json.dumps(made), encoding="utf-8")
    pipeline = classic_build.read_build(path, environment={}, overrides={})
    (job,) = pipeline.stages[0].jobs
    identities = {task["name"]: task["id"] for task in TASKS.values()}
    read = [one.task.partition("@")[0] for one in job.steps]
    for task in ("ProvisionAmlCompute", "RunAmlPipeline", "EvaluateAndGate"):
        assert identities[task] in read
    assert (identities["DeployToAks"] in read) == (name == "TrainGateAndDeploy")


def test_the_service_finds_the_templates_in_the_package(built_vsix: Path) -> None:
    """It opens the part `/<name>/template.json` of the .vsix, in UTF-8."""
    with zipfile.ZipFile(built_vsix) as archive:
        for name in TEMPLATES:
            folder = by_id(manifest(), name)["properties"]["name"]
            part = archive.read(f"{folder}/{contributions.TEMPLATE_FILE}")
            assert json.loads(part.decode("utf-8")) == template(name)
