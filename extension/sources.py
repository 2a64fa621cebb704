"""Where the sources of the extension are, and the tools that make it."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent


class PackagingError(Exception):
    """The extension cannot be built; the message says why and what to do."""


def task_folders(root: Path = ROOT) -> list[Path]:
    """Every `tasks/<Name>V<major>/` that holds a task.json, sorted by name."""
    return sorted(path.parent for path in (root / "tasks").glob("*V*/task.json"))


def runs_on_agent(task: Mapping[str, Any]) -> bool:
    """Whether an agent runs a task; else the service does, and task.json is all there is of it."""
    return "Agent" in task["runsOn"]


def is_step(task: Mapping[str, Any]) -> bool:
    """Whether a task may be a step of a job; else it is a gate of classic releases."""
    return bool(task["runsOn"] != ["ServerGate"])


def run(arguments: Sequence[str | Path], cwd: Path = ROOT) -> str:
    """Run a tool and return what it printed on both streams.

    Raises:
        PackagingError: the tool is not there, or ended with another exit code than 0.
    """
    try:
        done = subprocess.run(
            [str(argument) for argument in arguments],
            cwd=cwd,
            check=False,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            encoding="utf-8",
        )
    except FileNotFoundError as error:
        raise PackagingError(f"{arguments[0]} was not found. Next: install Node 20.") from error
    if done.returncode:
        raise PackagingError(
            f"{Path(arguments[0]).name} failed with exit code {done.returncode}:\n{done.stdout}"
        )
    return done.stdout
