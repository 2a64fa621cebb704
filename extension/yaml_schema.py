"""Add our tasks to a pipelines schema: `python -m extension.yaml_schema SCHEMA.json > OUT.json`.

The public schema's `task` is a closed list, so an editor marks our tasks as errors. Its form, and
the keywords that editors know beside JSON Schema's (`aliases`, `ignoreCase`, `firstProperty`,
`doNotSuggest`): service-schema.json of microsoft/azure-pipelines-vscode, and jsonParser of the npm
package azure-pipelines-language-service. An organisation gives out its own at
`_apis/distributedtask/yamlschema`.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import click

from extension.pickers import editable
from extension.sources import ROOT, is_step, task_folders

Json = dict[str, Any]

VARIABLE = {"type": "string", "pattern": r"\$(\(|\[|\{\{)", "doNotSuggest": True}
"""A value that is known only when the pipeline runs, or is compiled."""


class SchemaError(Exception):
    """A schema cannot be extended; the message says why and what to do."""


def extended(schema: Json, tasks: Sequence[Mapping[str, Any]], extension: str) -> Json:
    """The schema with the tasks that may stand in YAML.

    extension: `publisher.id`, which the full names of the tasks start with. Tasks of the same name
    and version that the schema has already are replaced.

    Raises:
        SchemaError: the schema is no pipelines schema.
    """
    try:
        task = schema["definitions"]["task"]
        names, branches = task["properties"]["task"]["anyOf"], task["anyOf"]
    except (KeyError, TypeError) as error:
        raise SchemaError(
            f"it is no schema of Azure Pipelines: it has no {error}. "
            "Next: take service-schema.json of azure-pipelines-vscode or your organisation's own"
        ) from None
    ours = [one for one in tasks if is_step(one)]
    known = [name for one in ours for name in task_names(one, extension)]

    def is_theirs(pattern: str) -> bool:
        return not any(re.search(pattern, name, re.IGNORECASE) for name in known)

    theirs = [one for one in branches if is_theirs(one["properties"]["task"]["pattern"])]
    their_names = [one for one in names if not set(known) & set(one.get("enum", []))]
    new_task = {
        **task,
        "properties": {
            **task["properties"],
            "task": {
                "anyOf": [*their_names, *(n for one in ours for n in names_of(one, extension))]
            },
        },
        "anyOf": [*theirs, *(branch_of(one, extension) for one in ours)],
    }
    return {**schema, "definitions": {**schema["definitions"], "task": new_task}}


def names_of(task: Mapping[str, Any], extension: str) -> Iterator[Json]:
    """The entries of the closed list: the short name, and the full one, which is never offered."""
    short, full = task_names(task, extension)
    for name, hidden in ((short, False), (full, True)):
        yield {
            "description": task["description"],
            "doNotSuggest": hidden,
            "ignoreCase": "value",
            "enum": [name],
        }


def branch_of(task: Mapping[str, Any], extension: str) -> Json:
    """What a step of this task may hold."""
    short, full = task_names(task, extension)
    required = [yaml_name(item) for item in task["inputs"] if item["required"]]
    return {
        "properties": {
            "task": {
                "description": f"{task['friendlyName']}\n\n{task['description']}",
                "ignoreCase": "value",
                "pattern": f"^({re.escape(short)}|{re.escape(full)})$",
            },
            "inputs": {
                "description": f"{task['friendlyName']} inputs",
                "properties": {yaml_name(item): input_of(item) for item in task["inputs"]},
                "additionalProperties": False,
                "required": required,
            },
        },
        "doNotSuggest": False,
        "firstProperty": ["task"],
        "required": ["task", "inputs"],
    }


def task_names(task: Mapping[str, Any], extension: str) -> tuple[str, str]:
    """The name as `Name@1`, and the full one, which tells two extensions' tasks apart."""
    major = task["version"]["Major"]
    short = f"{task['name']}@{major}"
    return short, f"{extension}.{task['name']}V{major}.{short}"


def yaml_name(item: Mapping[str, Any]) -> str:
    """The name of an input that the documentation uses."""
    return str(item.get("aliases", [item["name"]])[0])


def input_of(item: Mapping[str, Any]) -> Json:
    """What an input may hold: one of its options or a truth value, or a variable; else any text."""
    about: Json = {"description": f"{item['label']}\n\n{item['helpMarkDown']}", "ignoreCase": "key"}
    others = [name for name in (item["name"], *item.get("aliases", [])) if name != yaml_name(item)]
    if others:
        about["aliases"] = others
    if item["type"] == "boolean":
        return {**about, "anyOf": [{"type": "boolean"}, VARIABLE]}
    if item["type"] in ("pickList", "radio") and not editable(item):
        options = {"ignoreCase": "value", "enum": list(item["options"])}
        return {**about, "anyOf": [options, VARIABLE]}
    return {"type": "string", **about}


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.argument("schema", type=click.File(encoding="utf-8-sig"))
def main(schema: Any) -> None:
    """Print SCHEMA (a file, or - for standard input) with our tasks in it."""
    manifest = json.loads((ROOT / "vss-extension.json").read_text(encoding="utf-8"))
    tasks = [
        json.loads((folder / "task.json").read_text(encoding="utf-8")) for folder in task_folders()
    ]
    try:
        found = extended(json.load(schema), tasks, f"{manifest['publisher']}.{manifest['id']}")
    except ValueError as error:
        click.echo(f"{schema.name} was not extended: it is not JSON: {error}.", err=True)
        sys.exit(1)
    except SchemaError as error:
        click.echo(f"{schema.name} was not extended: {error}.", err=True)
        sys.exit(1)
    click.echo(json.dumps(found))


if __name__ == "__main__":
    main()
