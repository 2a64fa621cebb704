"""Keep the pages true that people read: `python -m extension.docs [--check]`.

The tables of inputs and outputs in each `tasks/<Name>V<major>/README.md` are written from
task.json, and the codes in docs/troubleshooting.md from the errors, between two marker comments;
the rest of a page is written by hand.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from extension import troubleshooting
from extension.pickers import editable
from extension.sources import ROOT, task_folders


class DocsError(Exception):
    """A README cannot be written; the message says why."""


def inputs_table(task: Mapping[str, Any]) -> str:
    """A markdown table of the inputs under the names that YAML uses, with the groups' names."""
    groups = {group["name"]: group for group in task["groups"]}
    rows = ["| Input | Default | What it is |", "|---|---|---|"]
    for item in task["inputs"]:
        name = item.get("aliases", [item["name"]])[0]
        notes = item["helpMarkDown"]
        if "options" in item and not editable(item):
            notes += " One of " + ", ".join(f"`{option}`" for option in item["options"]) + "."
        group = groups.get(item.get("groupName"), {})
        for rule in (item.get("visibleRule"), group.get("visibleRule")):
            notes += f" Used only when `{rule}`." if rule else ""
        heading = f" *({group['displayName']})*" if group else ""
        rows.append(f"| `{name}`{heading} | {default_of(item)} | {cell(notes)} |")
    return "\n".join(rows)


def default_of(item: Mapping[str, Any]) -> str:
    """What stands in the column Default of an input."""
    value = str(item.get("defaultValue", ""))
    if value:
        return f"`{cell(value)}`" if "\n" not in value else "see below"
    return "**required**" if item["required"] else ""


def outputs_table(task: Mapping[str, Any]) -> str:
    """A markdown table of the output variables."""
    rows = ["| Output variable | What it is |", "|---|---|"]
    rows += [
        f"| `{item['name']}` | {cell(item['description'])} |" for item in task["outputVariables"]
    ]
    return "\n".join(rows)


def cell(text: str) -> str:
    """Text that does not end its table cell."""
    return text.replace("|", "\\|").replace("\n", " ")


def filled(readme: str, task: Mapping[str, Any]) -> str:
    """The README with its tables written anew; a task without outputs has one only.

    Raises:
        DocsError: a marker is missing.
    """
    tables = {"inputs": inputs_table(task)}
    if "outputVariables" in task:
        tables["outputs"] = outputs_table(task)
    for name, table in tables.items():
        start = f"<!-- {name}: written from task.json by python -m extension.docs -->"
        end = f"<!-- end of {name} -->"
        before, started, rest = readme.partition(start)
        _, ended, after = rest.partition(end)
        if not (started and ended):
            raise DocsError(f"it needs the lines `{start}` and `{end}`")
        readme = f"{before}{start}\n\n{table}\n\n{end}{after}"
    return readme


def outdated(root: Path = ROOT, *, write: bool) -> list[str]:
    """The READMEs whose tables differ from task.json, one message each; `write` corrects them."""
    found = []
    for folder in task_folders(root):
        path = folder / "README.md"
        task = json.loads((folder / "task.json").read_text(encoding="utf-8"))
        name = path.relative_to(root).as_posix()
        try:
            text = path.read_text(encoding="utf-8")
            new = filled(text, task)
        except FileNotFoundError:
            found.append(f"{name} is missing.")
        except DocsError as error:
            found.append(f"{name}: {error}.")
        else:
            if new != text and write:
                path.write_text(new, encoding="utf-8", newline="\n")
            elif new != text:
                found.append(f"{name} differs from task.json. Next: run python -m extension.docs")
    return found


def outdated_codes(root: Path = ROOT, *, write: bool) -> list[str]:
    """What is wrong with docs/troubleshooting.md, one message each; `write` writes it anew."""
    found = list(troubleshooting.problems(root))
    if found:
        return found
    path = root / troubleshooting.PAGE
    text = path.read_text(encoding="utf-8")
    new = troubleshooting.filled(text, root)
    if new != text and write:
        path.write_text(new, encoding="utf-8", newline="\n")
    elif new != text:
        return [f"{troubleshooting.PAGE} is out of date. Next: run python -m extension.docs"]
    return []


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--check", is_flag=True, help="Write nothing; fail when a page is out of date.")
def main(check: bool) -> None:
    """Write the generated parts of the tasks' READMEs and of docs/troubleshooting.md."""
    messages = outdated(write=not check) + outdated_codes(write=not check)
    for message in messages:
        click.echo(message, err=True)
    sys.exit(1 if messages else 0)


if __name__ == "__main__":
    main()
