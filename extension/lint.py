"""Check the extension's sources: `python -m extension.lint`.

No official validator works offline, and `tfx` only warns, so the rules that the service, the
catalogue and the agent apply are held here. Sources: tasks.schema.json of
microsoft/azure-pipelines-task-lib, `jsonvalidate.ts` of microsoft/tfs-cli, and for dependent inputs
jfrog/jfrog-azure-devops-extension#318.
"""

from __future__ import annotations

import json
import re
import struct
import sys
import uuid
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import click

from extension import contributions, sbom, versions
from extension.gates import callback_problems, gate_problems
from extension.pickers import editable, picker_problems
from extension.sources import ROOT, PackagingError, is_step, runs_on_agent, task_folders
from extension.strings import translation_problems

Task = Mapping[str, Any]

HANDLERS = {"Node20_1", "Node24"}
"""The two that the agent does not call out of date (TaskManager.cs, approvedNodeRunners)."""
INPUT_TYPES = {"boolean", "filePath", "multiLine", "pickList", "radio", "secureFile", "string"}
COMMON_INPUTS = ["connectedServiceNameARM", "resourceGroup", "workspace"]
NAME = re.compile(r"[A-Za-z][A-Za-z0-9]*")
CONDITION = re.compile(r"\s*(\w+)\s*(?:==?|!=|\w+)\s*(.*?)\s*")
TASK_CONTRIBUTION = "ms.vss-distributed-task.task"
EXTENSION_TEXT_LIMITS = {"name": 80, "description": 200}


def task_problems(folder: Path) -> Iterator[str]:
    """What is wrong with one task's folder, a sentence each."""
    task = json.loads((folder / "task.json").read_text(encoding="utf-8"))
    yield from head_problems(folder, task)
    if runs_on_agent(task):
        yield from handler_problems(task)
        yield from common_problems(task)
        yield from output_problems(task)
    elif is_step(task):
        yield from callback_problems(task)
        yield from common_problems(task)
    else:
        yield from gate_problems(task)
    yield from input_problems(task)
    yield from group_problems(task)
    yield from picker_problems(task)
    yield from icon_problems(folder / "icon.png", 32)


def head_problems(folder: Path, task: Task) -> Iterator[str]:
    """Identity, version and the texts of the catalogue."""
    try:
        uuid.UUID(task["id"])
    except ValueError:
        yield f"id {task['id']} is not a GUID"
    expected = f"{task['name']}V{task['version']['Major']}"
    if folder.name != expected:
        yield f"the folder is named {folder.name}, and name and version ask for {expected}"
    if not re.fullmatch(r"[A-Za-z0-9-]+", task["name"]):
        yield f"name {task['name']} has other characters than letters, digits and hyphens"
    if len(task["friendlyName"]) > 40:
        yield f"friendlyName has {len(task['friendlyName'])} characters, and 40 is the most"
    inputs = {item["name"] for item in task["inputs"]}
    for name in re.findall(r"\$\((\w+)\)", task["instanceNameFormat"]):
        if name not in inputs:
            yield f"instanceNameFormat names $({name}), which is no input"
    for member in ("helpMarkDown", "releaseNotes"):
        if not task.get(member, "").endswith("."):
            yield f"{member} is not a sentence"
    if task["category"] != "Azure Pipelines":
        yield "category is not Azure Pipelines"


def handler_problems(task: Task) -> Iterator[str]:
    """The handlers that start the task, and the agent it needs."""
    if set(task["execution"]) != HANDLERS:
        yield f"execution has {sorted(task['execution'])}, and should have {sorted(HANDLERS)}"
    targets = {handler["target"] for handler in task["execution"].values()}
    if targets != {"launcher.js"}:
        yield f"the handlers' targets are {sorted(targets)}, and should be launcher.js"
    after = task.get("postjobexecution", {name: {"target": "cleanUp.js"} for name in HANDLERS})
    if after != {name: {"target": "cleanUp.js"} for name in HANDLERS}:
        yield "postjobexecution should start cleanUp.js with the handlers of execution"
    # Node20_1 came with agent 3.230.2. Node24's 4.265.1 would shut out servers that run Node 20.
    version = tuple(int(part) for part in task["minimumAgentVersion"].split("."))
    if not (3, 230, 2) <= version < (4, 265, 1):
        yield "minimumAgentVersion is not between 3.230.2 and 4.265.1"


def common_problems(task: Task) -> Iterator[str]:
    """What all tasks that work in a workspace begin with."""
    if [item["name"] for item in task["inputs"][: len(COMMON_INPUTS)]] != COMMON_INPUTS:
        yield f"the first inputs are not {', '.join(COMMON_INPUTS)}"


def input_problems(task: Task) -> Iterator[str]:
    """Inputs: names, types, groups, help, defaults and visible rules."""
    inputs = {item["name"]: item for item in task["inputs"]}
    groups = {group["name"] for group in task["groups"]}
    names = [
        name.lower() for item in task["inputs"] for name in (item["name"], *item.get("aliases", ()))
    ]
    for name in sorted({name for name in names if names.count(name) > 1}):
        yield f"the name or alias {name} is given to more than one input"
    for name, item in inputs.items():
        for problem in (*one_input(item), *shown_when(item, inputs)):
            yield f"input {name}: {problem}"
        if "groupName" in item and item["groupName"] not in groups:
            yield f"input {name}: there is no group {item['groupName']}"


def one_input(item: Mapping[str, Any]) -> Iterator[str]:
    """What one input says of itself: its name, type, help and default."""
    default = item.get("defaultValue", "")
    if not NAME.fullmatch(item["name"]):
        yield "the name has other characters than letters and digits"
    if item["type"] not in INPUT_TYPES and not item["type"].startswith("connectedService:"):
        yield f"there is no type {item['type']}"
    if not item.get("helpMarkDown", "").endswith((".", ")")):
        yield "helpMarkDown is not a sentence"
    if item["type"] == "pickList" and default not in item.get("options", {}) and not editable(item):
        yield f"the default {default!r} is none of the options"
    if not isinstance(default, str):
        yield "the default is not a text"


def shown_when(item: Mapping[str, Any], inputs: Mapping[str, Any]) -> Iterator[str]:
    """When an input is shown: never hidden when required, and ruled by inputs of its own group."""
    if item["required"] and ("visibleRule" in item or item.get("groupName")):
        yield "it is required, and hidden"
    if "visibleRule" not in item:
        return
    yield from rule_problems(item["visibleRule"], inputs)
    for other in depends_on(item["visibleRule"], inputs):
        if inputs[other].get("groupName") != item.get("groupName"):
            yield f"visibleRule depends on {other}, which is in another group"


def group_problems(task: Task) -> Iterator[str]:
    """Groups: each has inputs, and its visible rule depends on inputs outside of it."""
    inputs = {item["name"]: item for item in task["inputs"]}
    members = {item.get("groupName") for item in task["inputs"]}
    for group in task["groups"]:
        name, rule = group["name"], group.get("visibleRule")
        if name not in members:
            yield f"group {name}: no input is in it"
        if rule:
            yield from (f"group {name}: {problem}" for problem in rule_problems(rule, inputs))
            for other in depends_on(rule, inputs):
                if inputs[other].get("groupName") == name:
                    yield f"group {name}: visibleRule depends on {other}, which the rule hides"


def rule_problems(rule: str, inputs: Mapping[str, Any]) -> Iterator[str]:
    """A visible rule may not mix `&&` and `||`; it names inputs and, of lists, their options."""
    if "&&" in rule and "||" in rule:
        yield "visibleRule mixes && and ||"
    for condition in split(rule):
        match = CONDITION.fullmatch(condition)
        if not match or match[1] not in inputs:
            yield f"visibleRule {condition.strip()!r} names no input"
        elif match[2] not in inputs[match[1]].get("options", {match[2]: ""}):
            yield f"visibleRule {condition.strip()!r} names no option of {match[1]}"


def depends_on(rule: str, inputs: Mapping[str, Any]) -> list[str]:
    """The inputs that a visible rule names."""
    matches = [CONDITION.fullmatch(condition) for condition in split(rule)]
    return [match[1] for match in matches if match and match[1] in inputs]


def split(rule: str) -> list[str]:
    """The conditions of a visible rule."""
    return re.split(r"&&|\|\|", rule)


def output_problems(task: Task) -> Iterator[str]:
    """Output variables and what the task may do at the agent."""
    outputs = [item["name"] for item in task["outputVariables"]]
    allowed = task["restrictions"]["settableVariables"]["allowed"]
    if [name for name in allowed if "*" not in name] != outputs:
        yield "settableVariables are not the outputVariables"
    for item in task["outputVariables"]:
        if not NAME.fullmatch(item["name"]):
            yield f"output {item['name']}: the name has other characters than letters and digits"
        if not item.get("description", "").endswith("."):
            yield f"output {item['name']}: the description is not a sentence"
    if task["restrictions"]["commands"]["mode"] not in ("restricted", "any"):
        yield f"there is no command mode {task['restrictions']['commands']['mode']}"


def icon_problems(path: Path, size: int) -> Iterator[str]:
    """An icon must be a square PNG of `size` pixels."""
    try:
        head = path.read_bytes()[:24]
    except FileNotFoundError:
        yield f"{path.name} is missing"
        return
    if head[:8] != b"\x89PNG\r\n\x1a\n" or struct.unpack(">II", head[16:24]) != (size, size):
        yield f"{path.name} is not a PNG of {size}x{size} pixels"


def manifest_problems(root: Path, manifest: Mapping[str, Any]) -> Iterator[str]:
    """What is wrong with vss-extension.json."""
    yield from task_contribution_problems(root, manifest)
    yield from file_problems(root, manifest)
    yield from contributions.contribution_problems(root, manifest)
    if not re.fullmatch(r"\d+\.\d+\.\d+(\.\d+)?", manifest["version"]):
        yield f"version {manifest['version']} is not three or four numbers with dots"
    if manifest["categories"] != ["Azure Pipelines"]:
        yield "categories are not Azure Pipelines alone"
    for key, most in EXTENSION_TEXT_LIMITS.items():
        if len(manifest[key]) > most:
            yield f"{key} has {len(manifest[key])} characters, and {most} is the most"
    yield from icon_problems(root / manifest["icons"]["default"], 128)
    yield from icon_problems(root / contributions.WIDGET_ICON, 98)


def task_contribution_problems(root: Path, manifest: Mapping[str, Any]) -> Iterator[str]:
    """Each task is a contribution that is named like its folder."""
    folders = [f"tasks/{folder.name}" for folder in task_folders(root)]
    tasks = [item for item in manifest["contributions"] if item["type"] == TASK_CONTRIBUTION]
    named = [item["properties"]["name"] for item in tasks]
    if sorted(named) != folders:
        yield f"contributions are {sorted(named)}, and the tasks {folders}"
    for item in tasks:
        if item["id"] != Path(item["properties"]["name"]).name:
            yield f"the contribution {item['id']} is not named like its folder"


def file_problems(root: Path, manifest: Mapping[str, Any]) -> Iterator[str]:
    """The files that the manifest names exist, and each task's folder is among them."""
    files = [item["path"] for item in manifest["files"]]
    for folder in task_folders(root):
        if f"tasks/{folder.name}" not in files:
            yield f"tasks/{folder.name} is not among the files"
    contents = [item["path"] for item in manifest["content"].values()]
    for name in [*files, *contents, manifest["icons"]["default"]]:
        if name != sbom.NAME and not (root / name).exists():
            yield f"{name} does not exist"


def problems(root: Path = ROOT) -> list[str]:
    """Everything that is wrong, each with the file it is in."""
    found: list[str] = []
    tasks: list[Task] = []
    ids: dict[str, str] = {}
    for folder in task_folders(root):
        name = f"tasks/{folder.name}/task.json"
        found += [f"{name}: {problem}." for problem in task_problems(folder)]
        task = json.loads((folder / "task.json").read_text(encoding="utf-8"))
        tasks.append(task)
        other = ids.setdefault(task["id"], task["name"])
        if other != task["name"]:
            found.append(f"{name}: {task['name']} has the id of {other}.")
    manifest = json.loads((root / "vss-extension.json").read_text(encoding="utf-8"))
    found += [f"vss-extension.json: {problem}." for problem in manifest_problems(root, manifest)]
    found += [f"{problem}." for problem in translation_problems(root, tasks)]
    return found


@click.command()
def main() -> None:
    """Check task.json of every task, its version, and vss-extension.json."""
    found = problems()
    try:
        found += versions.problems()
    except PackagingError as error:
        found.append(f"The extension cannot be staged: {error}")
    for problem in found:
        click.echo(problem, err=True)
    sys.exit(1 if found else 0)


if __name__ == "__main__":
    main()
