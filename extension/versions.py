"""A task's version follows what it ships: `python -m extension.versions [raise|record]`.

An organisation takes a task anew only when its version rose; one of the same version stays as it
is, whatever the extension ships. So the bill of materials in a .vsix has a digest of what each task
ships, and `released.json` has version and digest of each task as it was released last:

- with the same digest, the version stays as it is;
- with another one it must be higher, which `python -m extension.lint` holds.

`raise` raises the patch number of each task that must; `record`, after a release, writes
`released.json` anew.
"""

from __future__ import annotations

import json
import re
import sys
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, TypedDict

import click

from extension.digests import digests
from extension.package import stage
from extension.sources import ROOT, PackagingError, task_folders

RELEASED = "extension/released.json"
_NEXT = "Next: run python -m extension.versions raise"

Version = tuple[int, int, int]


class Released(TypedDict):
    """What `released.json` has of a task."""

    version: str
    digest: str


def version_of(task: Mapping[str, Any]) -> Version:
    """The three numbers of a task.json."""
    found = task["version"]
    return (int(found["Major"]), int(found["Minor"]), int(found["Patch"]))


def dotted(version: Version) -> str:
    """A version as people write it."""
    return ".".join(map(str, version))


def parsed(version: str) -> Version:
    """The three numbers of a version as people write it."""
    major, minor, patch = map(int, version.split("."))
    return (major, minor, patch)


def released(root: Path = ROOT) -> dict[str, Released]:
    """What was released last, by the task's folder; nothing before the first release."""
    found: dict[str, Released] = json.loads((root / RELEASED).read_text(encoding="utf-8"))
    return found


def stale(root: Path, shipped: Mapping[str, str]) -> Iterator[tuple[Path, Version, str]]:
    """The tasks whose version does not fit what they ship: folder, version and why."""
    before = released(root)
    for folder in task_folders(root):
        last = before.get(folder.name)
        if last is None:
            continue
        task = json.loads((folder / "task.json").read_text(encoding="utf-8"))
        version, known = version_of(task), parsed(last["version"])
        if shipped[folder.name] != last["digest"] and version <= known:
            why = (
                f"it ships other files than the released {dotted(known)}, so that organisations "
                f"would not receive them. {_NEXT}"
            )
            yield folder, version, why
        elif version < known:
            yield folder, version, f"{dotted(known)} was released already. {_NEXT}"


def problems(root: Path = ROOT) -> list[str]:
    """Each task whose version must rise, in a sentence.

    Raises:
        PackagingError: the extension cannot be staged.
    """
    if not released(root):
        return []
    shipped = staged_digests()
    return [
        f"tasks/{folder.name}/task.json: version {dotted(version)}: {why}."
        for folder, version, why in stale(root, shipped)
    ]


def staged_digests() -> dict[str, str]:
    """The digests of all tasks as they are now.

    Raises:
        PackagingError: the extension cannot be staged.
    """
    with tempfile.TemporaryDirectory(prefix="aml-versions-") as folder:
        stage(Path(folder) / "staged")
        return digests(Path(folder) / "staged")


def raise_patch(folder: Path, least: Version) -> str:
    """Raise a task's patch number beyond `least`; returns the new version."""
    path = folder / "task.json"
    text = path.read_text(encoding="utf-8")
    major, minor, patch = max(version_of(json.loads(text)), least)
    raised = (major, minor, patch + 1)
    head, found, rest = text.partition('"version"')
    for name, number in zip(("Major", "Minor", "Patch"), raised, strict=True):
        rest = re.sub(rf'("{name}":\s*)\d+', rf"\g<1>{number}", rest, count=1)
    path.write_text(head + found + rest, encoding="utf-8", newline="\n")
    return dotted(raised)


@click.group()
def main() -> None:
    """Let the version of each task follow what it ships."""


@main.command("raise")
def raise_all() -> None:
    """Raise the patch number of each task that ships other files than its last release."""
    before = released()
    for folder, _, _ in list(stale(ROOT, staged_digests())):
        raised = raise_patch(folder, parsed(before[folder.name]["version"]))
        click.echo(f"{folder.name}: {raised}")


@main.command()
def record() -> None:
    """Note down what each task ships, after a release."""
    shipped = staged_digests()
    told: dict[str, Released] = {}
    for folder in task_folders():
        task = json.loads((folder / "task.json").read_text(encoding="utf-8"))
        version = dotted(version_of(task))
        told[folder.name] = {"version": version, "digest": shipped[folder.name]}
    text = json.dumps(told, indent=2) + "\n"
    (ROOT / RELEASED).write_text(text, encoding="utf-8", newline="\n")


if __name__ == "__main__":
    try:
        main()
    except PackagingError as error:
        click.echo(f"The extension cannot be staged: {error}", err=True)
        sys.exit(1)
