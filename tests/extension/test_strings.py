"""Translations: complete, in step with task.json, and in the .vsix as the portal reads them."""

from __future__ import annotations

import json
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import pytest

from extension import lint, strings

ROOT = Path(__file__).resolve().parents[2]
TASKS = sorted(path.parent.name for path in ROOT.glob("tasks/*/task.json"))
GERMAN = f"{strings.TRANSLATIONS}/de-DE.json"


def in_vsix(vsix: Path, name: str) -> Any:
    with zipfile.ZipFile(vsix) as archive:
        return json.loads(archive.read(name))


def overlaid(node: Any, texts: dict[str, str]) -> Any:
    """What the server makes of task.loc.json and the texts of a language."""
    if isinstance(node, dict):
        return {key: overlaid(value, texts) for key, value in node.items()}
    if isinstance(node, list):
        return [overlaid(value, texts) for value in node]
    if isinstance(node, str) and node.startswith("ms-resource:"):
        return texts[node.removeprefix("ms-resource:")]
    return node


@pytest.mark.parametrize("task", TASKS)
def test_english_over_the_keys_is_the_task_again(built_vsix: Path, task: str) -> None:
    folder = f"tasks/{task}"
    keyed = in_vsix(built_vsix, f"{folder}/task.loc.json")
    english = in_vsix(built_vsix, f"{folder}/Strings/resources.resjson/en-US/resources.resjson")
    assert overlaid(keyed, english) == in_vsix(built_vsix, f"{folder}/task.json")
    assert (
        keyed["inputs"][0]["label"] == f"ms-resource:loc.input.label.{keyed['inputs'][0]['name']}"
    )


@pytest.mark.parametrize("task", TASKS)
def test_another_language_changes_the_texts_and_nothing_else(built_vsix: Path, task: str) -> None:
    folder = f"tasks/{task}"
    keyed = in_vsix(built_vsix, f"{folder}/task.loc.json")
    german = in_vsix(built_vsix, f"{folder}/Strings/resources.resjson/de-DE/resources.resjson")
    english = in_vsix(built_vsix, f"{folder}/Strings/resources.resjson/en-US/resources.resjson")
    assert german.keys() == english.keys()
    shown = overlaid(keyed, german)
    assert strings.keyed(shown) == strings.keyed(in_vsix(built_vsix, f"{folder}/task.json"))
    changed = [key for key in english if german[key] != english[key]]
    assert len(changed) > 0.8 * len(english)  # some words are the same in German
    # What tfx holds an English task to, too.
    assert len(shown["friendlyName"]) <= 40


def change_text(sources: Path, old: str, new: str) -> None:
    path = sources / "tasks/RunAmlPipelineV1/task.json"
    path.write_text(path.read_text().replace(f'"{old}"', f'"{new}"'))


def test_a_text_that_changed_has_no_translation_any_more(sources: Path) -> None:
    change_text(sources, "Experiment name", "Name of the experiment")
    found = "\n".join(lint.problems(sources))
    assert f'{GERMAN} has nothing for "Name of the experiment". Next: run python' in found
    assert f'{GERMAN}: no task has "Experiment name" any more' in found

    done = subprocess.run(
        [sys.executable, "-m", "extension.strings", "--root", str(sources)],
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    )
    assert done.stdout == f"{GERMAN}: Name of the experiment\n"
    (problem,) = lint.problems(sources)
    assert problem.startswith(f'{GERMAN} has nothing for "Name of the experiment"')
    path = sources / GERMAN
    path.write_text(path.read_text().replace('experiment": ""', 'experiment": "Experiment"'))
    assert lint.problems(sources) == []


def test_a_translation_keeps_code_and_variables(sources: Path) -> None:
    path = sources / GERMAN
    path.write_text(path.read_text().replace("zum Beispiel `westeurope`", "etwa `Westeuropa`"))
    (problem,) = lint.problems(sources)
    assert problem.startswith(f"{GERMAN}: other code or variables than in ")
