"""The texts of the tasks in other languages: `python -m extension.strings` tidies translations.

Beside a task.json the portal looks for task.loc.json, in which every text is a key, and for
Strings/resources.resjson/<language>/resources.resjson with the texts. Sources: `createResjson` and
`createTaskLocJson` in make-util.js of microsoft/azure-pipelines-tasks, and issue #1000 there. All
are made here while packaging: English from task.json, others from translations/<language>.json,
which maps English texts to translated ones, so that a text that changed has no translation.
"""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import click

TRANSLATIONS = "extension/translations"
ENGLISH = "en-US"

TEXTS = ("friendlyName", "description", "helpMarkDown", "releaseNotes", "instanceNameFormat")
"""A task's own texts, beside those of its groups and inputs."""

NEXT = "Next: run python -m extension.strings, and write what it names"

Task = Mapping[str, Any]
Text = tuple[str, dict[str, Any], str]
"""A key, and the object and member that hold the text."""


def texts(task: dict[str, Any]) -> Iterator[Text]:
    """Where the texts of a task stand that the portal shows."""
    for member in TEXTS:
        yield f"loc.{member}", task, member
    for group in task["groups"]:
        yield f"loc.group.displayName.{group['name']}", group, "displayName"
    for item in task["inputs"]:
        yield f"loc.input.label.{item['name']}", item, "label"
        yield f"loc.input.help.{item['name']}", item, "helpMarkDown"


def keyed(task: Task) -> dict[str, Any]:
    """task.loc.json: the task with keys instead of texts."""
    found = copy.deepcopy(dict(task))
    for key, holder, member in list(texts(found)):
        holder[member] = f"ms-resource:{key}"
    return found


def resources(task: Task, translated: Mapping[str, str]) -> dict[str, str]:
    """The texts by key, in the language of the translation; an empty one leaves English."""
    found = copy.deepcopy(dict(task))
    return {
        key: translated.get(holder[member], holder[member]) for key, holder, member in texts(found)
    }


def translations(root: Path) -> dict[str, dict[str, str]]:
    """What there is in translations/, by language."""
    return {
        path.stem: json.loads(path.read_text(encoding="utf-8"))
        for path in sorted((root / TRANSLATIONS).glob("*.json"))
    }


def write(folder: Path, task: Task, languages: Mapping[str, Mapping[str, str]]) -> None:
    """Write task.loc.json and Strings/ into the folder of a staged task."""
    (folder / "task.loc.json").write_text(dumped(keyed(task)), encoding="utf-8", newline="\n")
    for language in (ENGLISH, *languages):
        translated = languages.get(language, {})
        path = folder / "Strings" / "resources.resjson" / language / "resources.resjson"
        path.parent.mkdir(parents=True)
        path.write_text(dumped(resources(task, translated)), encoding="utf-8", newline="\n")


def dumped(value: Any) -> str:
    """JSON as the files hold it."""
    return json.dumps(value, indent=2, ensure_ascii=False) + "\n"


def english(tasks: Sequence[Task]) -> list[str]:
    """All texts of the tasks, each once, sorted."""
    return sorted({text for task in tasks for text in resources(task, {}).values()})


def translation_problems(root: Path, tasks: Sequence[Task]) -> Iterator[str]:
    """What is missing in a translation, or is in it without need."""
    wanted = english(tasks)
    for language, translated in translations(root).items():
        name = f"{TRANSLATIONS}/{language}.json"
        for text in wanted:
            if not translated.get(text):
                yield f"{name} has nothing for {json.dumps(text)}. {NEXT}"
        for text, own in translated.items():
            if text not in wanted:
                yield f"{name}: no task has {json.dumps(text)} any more. {NEXT}"
            elif own and macros(own) != macros(text):
                yield f"{name}: other code or variables than in {json.dumps(text)}"


def macros(text: str) -> list[str]:
    """What a translation must leave as it is: code, and names of variables and inputs."""
    return sorted(re.findall(r"`[^`]*`|\$\(\w+\)", text))


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--root", type=click.Path(path_type=Path), default=Path(__file__).parents[1])
def main(root: Path) -> None:
    """Add new texts of the tasks to each translation, without a value; drop those that are gone."""
    paths = sorted((root / "tasks").glob("*/task.json"))
    wanted = english([json.loads(path.read_text(encoding="utf-8")) for path in paths])
    for language, translated in translations(root).items():
        tidied = {text: translated.get(text, "") for text in wanted}
        path = root / TRANSLATIONS / f"{language}.json"
        path.write_text(dumped(tidied), encoding="utf-8", newline="\n")
        for text in (text for text, own in tidied.items() if not own):
            click.echo(f"{path.relative_to(root).as_posix()}: {text}")


if __name__ == "__main__":
    main()
