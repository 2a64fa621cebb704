"""Whole tasks over an empty tool directory, against `pip install azureml-sdk` in a new environment.

Each task of the built .vsix runs from node's start until it refuses an empty input. The first
import of its SDK is told beside that: it compiles it, as pip does when it installs. Nothing is
cached and no uv is on the PATH, as on a new agent.
"""

from __future__ import annotations

import functools
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from bench.measure import Comparison, compared, seconds
from bench.wrong_input import agent_environment

ROUNDS = 2
OURS = "azure-machine-learning-tasks"
PACKAGE = "azureml-sdk"


@dataclass(frozen=True, kw_only=True)
class Start:
    """A task on an SDK, and what it imports of it first."""

    task: str
    sdk: str
    module: str

    @property
    def name(self) -> str:
        """How the figures call it."""
        return f"cold start {self.task} {self.sdk}"


STARTS = (
    Start(task="ProvisionAmlCompute", sdk="v2", module="azure.identity"),
    Start(task="DeployToAks", sdk="v2", module="azure.identity"),
    Start(task="RunAmlPipeline", sdk="v2", module="azure.ai.ml"),
    Start(task="EvaluateAndGate", sdk="v2", module="azure.ai.ml"),
    Start(task="RunAmlPipeline", sdk="v1", module="azureml.core"),
)


def measured(tasks: Path) -> dict[str, Comparison]:
    """Time each start once a round, after pip.

    tasks: the folder with the unpacked tasks.
    """
    started: dict[str, list[float]] = {start.name: [] for start in STARTS}
    imported: dict[str, list[float]] = {start.name: [] for start in STARTS}
    sizes: dict[str, int] = {}
    pip = []
    for _ in range(ROUNDS):
        pip.append(seconds(pip_install))
        for start in STARTS:
            with tempfile.TemporaryDirectory() as name:
                folder = Path(name)
                started_s = seconds(functools.partial(cold, start, tasks, folder))
                sizes[start.name] = environment_bytes(folder / "tools")
                imported_s = seconds(functools.partial(first_import, start, folder))
            started[start.name].append(started_s)
            imported[start.name].append(started_s + imported_s)
    other = (f"python -m venv; pip install {PACKAGE}", pip)
    found = {}
    for start in STARTS:
        claim = f"{start.task} with sdk {start.sdk} on a new agent installs "
        claim += f"{sizes[start.name] / 1e6:.0f} MB, against pip install {PACKAGE}"
        ours = ("from node's start until the task refuses an input", started[start.name])
        found[start.name] = compared(claim, ours=ours, other=other)
        ours = (f"and the first import of {start.module}, too", imported[start.name])
        found[f"{start.name} and import"] = compared(claim, ours=ours, other=other)
    return found


def cold(start: Start, tasks: Path, folder: Path) -> None:
    """Run a task over an empty tool directory below a folder.

    Raises:
        RuntimeError: it ended otherwise than it should.
    """
    environment = new_agent(folder) | {"INPUT_SDK": start.sdk, "INPUT_RESOURCEGROUP": ""}
    done = subprocess.run(
        ["node", str(tasks / f"{start.task}V1" / "launcher.js")],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    if "resourceGroup" not in done.stdout or "environment is ready" not in done.stdout:
        raise RuntimeError(f"{start.name} ended otherwise:\n{done.stdout}{done.stderr}")


def first_import(start: Start, folder: Path) -> None:
    """Import what the task needs of its SDK, in the environment that it made."""
    (interpreter,) = (folder / "tools" / OURS).glob("*/bin/python")
    subprocess.run([interpreter, "-W", "ignore", "-c", f"import {start.module}"], check=True)


def new_agent(folder: Path) -> dict[str, str]:
    """Return what an agent gives a task that has no uv and no cache."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("UV_")}
    folders = kept.get("PATH", os.defpath).split(os.pathsep)
    path = [each for each in folders if shutil.which("uv", path=each) is None]
    return {
        **kept,
        **agent_environment(folder),
        "INPUT_PYTHONPATH": sys.executable,
        "PATH": os.pathsep.join(path),
        "PIP_NO_CACHE_DIR": "1",
        "UV_CACHE_DIR": str(folder / "uv-cache"),
    }


def pip_install() -> None:
    """Make an environment with the SDK of v1 as its documentation says."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name, "venv")
        subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True)
        command = ["-m", "pip", "install", "--quiet", "--no-cache-dir", PACKAGE]
        run([str(folder / "bin" / "python"), *command], os.environ)


def run(command: list[str], environment: Mapping[str, str]) -> None:
    """Run a program.

    Raises:
        RuntimeError: it failed.
    """
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(done.stdout + done.stderr)


def environment_bytes(tools: Path) -> int:
    """Return the size of the environment in a tool directory, in bytes.

    As it was installed: without the bytecode that Python wrote since, and without uv.
    """
    return sum(
        path.lstat().st_size
        for folder in (tools / OURS).iterdir()
        if folder.name != "uv"
        for path in folder.rglob("*")
        if path.is_file() and not path.is_symlink() and path.suffix != ".pyc"
    )
