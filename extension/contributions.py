"""Check what the extension adds beside its tasks: tabs, the widget, templates of classic builds.

Azure DevOps says nothing about a contribution that is wrong: it is blank, or never shown. Sources:
for the widget "Add a dashboard widget" of Microsoft Learn; for templates the release notes of Team
Foundation Server 2018 ("Extensions with build templates") with fabrikam-build-extension of
microsoft/vsts-extension-samples, and `BuildDefinitionTemplate` of the REST API, which is what a
template.json holds.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from extension.sources import task_folders

Task = Mapping[str, Any]
Contribution = Mapping[str, Any]

WIDGET = "ms.vss-dashboards-web.widget"
WIDGET_CONFIGURATION = "ms.vss-dashboards-web.widget-configuration"
TEMPLATE = "ms.vss-build.template"
WIDGET_ICON = "extension/images/widget.png"
RELEASE_TAB = "ms.vss-releaseManagement-web.release-summary-tab"
TARGETS = {
    "ms.vss-build-web.build-results-tab": "ms.vss-build-web.build-results-view",
    RELEASE_TAB: "ms.vss-releaseManagement-web.release-details-view",
    WIDGET: "ms.vss-dashboards-web.widget-catalog",
    WIDGET_CONFIGURATION: WIDGET_CONFIGURATION,
    TEMPLATE: "ms.vss-build.templates",
}
TEMPLATE_FILE = "template.json"
MEMBERS = ("id", "name", "category", "iconTaskId", "description", "template")
DESIGNER = 1
"""The process whose jobs and steps stand in the definition."""
SERVICES_OWN: dict[str, tuple[str, Sequence[str]]] = {
    "33c63b11-352b-45a2-ba1b-54cb568a29ca": ("0.*", ("versionSpec", "addToPath", "architecture")),
    "2ff763a7-ce83-4e1f-bc89-0ae63477cebe": (
        "1.*",
        ("PathtoPublish", "ArtifactName", "ArtifactType"),
    ),
}
"""UsePythonVersion and PublishBuildArtifacts, which are part of Azure DevOps."""
PARAMETER = re.compile(r"\$\(Parameters\.(\w+)\)")
OUTPUT = re.compile(r"\$\((\w+)\.(\w+)\)")


def contribution_problems(root: Path, manifest: Mapping[str, Any]) -> Iterator[str]:
    """What is wrong with the contributions that are no tasks; those that are, see `lint`."""
    tasks = {}
    for folder in task_folders(root):
        task = json.loads((folder / "task.json").read_text(encoding="utf-8"))
        tasks[task["id"]] = task
    ids = [item["id"] for item in manifest["contributions"]]
    for item in manifest["contributions"]:
        if item["type"] in TARGETS:
            problems = _problems(root, manifest, item, tasks, ids)
            yield from (f"the contribution {item['id']} {problem}" for problem in problems)


def _problems(
    root: Path,
    manifest: Mapping[str, Any],
    item: Contribution,
    tasks: Mapping[str, Task],
    ids: Sequence[str],
) -> Iterator[str]:
    if TARGETS[item["type"]] not in item["targets"]:
        yield f"does not target {TARGETS[item['type']]}"
    if item["type"] == TEMPLATE:
        yield from _template_folder(root, manifest, item["properties"]["name"], tasks)
        return
    served = [file["path"] for file in manifest["files"] if file.get("addressable")]
    page = Path(item["properties"]["uri"])
    if not (root / page).is_file() or page.parent.as_posix() not in served:
        yield f"has the page {page}, which is not served"
    if item["type"] == WIDGET:
        yield from widget_problems(item, ids)
    elif item["type"] != WIDGET_CONFIGURATION:
        # Without it, every build of the organisation has the tab.
        for task in sorted(set(item["properties"]["supportsTasks"]) - tasks.keys()):
            yield f"supports the task {task}, which is none of ours"


def widget_problems(item: Contribution, ids: Sequence[str]) -> Iterator[str]:
    """What is wrong with a widget."""
    own = [target[1:] for target in item["targets"] if target.startswith(".")]
    for name in own:
        if name not in ids:
            yield f"targets its configuration {name}, which there is not"
    if not own:
        yield "has no configuration"
    properties = item["properties"]
    if f"extension/{properties['catalogIconUrl']}" != WIDGET_ICON:
        yield f"has another icon than {WIDGET_ICON}"
    if properties.get("supportedScopes") != ["project_team"]:
        yield "is not for the dashboards of teams"
    if not properties.get("supportedSizes"):
        yield "has no size"


def _template_folder(
    root: Path, manifest: Mapping[str, Any], folder: str, tasks: Mapping[str, Task]
) -> Iterator[str]:
    if folder not in [file["path"] for file in manifest["files"]]:
        yield f"has the folder {folder}, which is not packaged"
    path = root / folder / TEMPLATE_FILE
    if not path.is_file():
        yield f"has no {folder}/{TEMPLATE_FILE}"
        return
    yield from template_problems(json.loads(path.read_text(encoding="utf-8")), tasks)


@dataclass
class _Names:
    """What the steps of a template may refer to, and what of it they do."""

    parameters: Sequence[str]
    outputs: dict[str, list[str]] = field(default_factory=dict)
    used: set[str] = field(default_factory=set)


def template_problems(document: Mapping[str, Any], tasks: Mapping[str, Task]) -> Iterator[str]:
    """What is wrong with a template.json. tasks: those of the extension by id."""
    if sorted(document) != sorted(MEMBERS):
        yield f"has the members {sorted(document)}, and not {sorted(MEMBERS)}"
        return
    if document["iconTaskId"] not in tasks:
        yield "has the icon of a task that is none of ours"
    process = document["template"].get("process", {})
    if process.get("type") != DESIGNER:
        yield f"has a process that is not of type {DESIGNER}"
        return
    names = _Names([one["name"] for one in document["template"]["processParameters"]["inputs"]])
    for phase in process["phases"]:
        for step in phase["steps"]:
            problems = step_problems(step, tasks, names)
            yield from (f"has the step '{step['displayName']}', {problem}" for problem in problems)
    for name in sorted(set(names.parameters) - names.used):
        yield f"has the parameter {name}, which no step uses"


def step_problems(
    step: Mapping[str, Any], tasks: Mapping[str, Task], names: _Names
) -> Iterator[str]:
    """What is wrong with one step; it adds its own outputs to `names`."""
    identity = step["task"]["id"]
    task = tasks.get(identity)
    if task is None and identity not in SERVICES_OWN:
        yield f"whose task {identity} is not known"
        return
    if task is None:
        version, known = SERVICES_OWN[identity]
        required: Sequence[str] = ()
    else:
        version = f"{task['version']['Major']}.*"
        known = [item["name"] for item in task["inputs"]]
        required = [item["name"] for item in task["inputs"] if item["required"]]
    if step["task"]["versionSpec"] != version:
        yield f"which is not of version {version}"
    for name in sorted(step["inputs"].keys() - set(known)):
        yield f"whose input {name} the task has not"
    for name in required:
        if not step["inputs"].get(name):
            yield f"which does not give {name}"
    for text in (step["displayName"], *step["inputs"].values()):
        yield from reference_problems(text, names)
    outputs = (task or {}).get("outputVariables", [])
    names.outputs[step["refName"]] = [item["name"] for item in outputs]


def reference_problems(text: str, names: _Names) -> Iterator[str]:
    """Parameters and outputs that a text names, and nothing declares before it."""
    for name in PARAMETER.findall(text):
        names.used.add(name)
        if name not in names.parameters:
            yield f"which names the parameter {name}, and there is none"
    for step, output in OUTPUT.findall(text):
        if step not in ("Build", "Parameters") and output not in names.outputs.get(step, ()):
            yield f"which names $({step}.{output}), and no step before it has that output"
