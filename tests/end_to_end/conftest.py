"""The built .vsix, a local Azure, and the local agent, all as subprocesses, as users run them."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.running_azure import running_azure

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True, kw_only=True)
class AgentRun:
    """What one run of the local agent left: its exit code, console and result document."""

    exit_code: int
    console: str
    document: dict[str, Any]

    def step(self, name: str) -> dict[str, Any]:
        """Return a step's main execution; a task may also run before and after the others."""
        other = ("Pre-job: ", "Post-job: ")
        (found,) = [
            step
            for step in self.document["steps"]
            if step["name"] == name and not step["displayName"].startswith(other)
        ]
        return dict(found)


RunPipeline = Callable[..., AgentRun]


@pytest.fixture(scope="session")
def vsix(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("vsix")
    result = subprocess.run(
        [sys.executable, "-m", "extension.package", "--out", str(out)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    return Path(result.stdout.strip().splitlines()[-1])


@contextlib.contextmanager
def local_azure(folder: Path, *options: str) -> Iterator[dict[str, str]]:
    """A local Azure with fresh state; yields the variables of its env file."""
    with running_azure(folder / "state", *options) as server:
        yield dict(server.environment)


def run_agent(
    pipeline: Path, vsix: Path, azure: Mapping[str, str], folder: Path, *options: str
) -> AgentRun:
    """Run a pipeline in the local agent, to its end."""
    command = [sys.executable, "-m", "local.agent", "run", str(pipeline), "--vsix", str(vsix)]
    command += ["--json", str(folder / "result.json"), "--work", str(folder / "work"), *options]
    result = subprocess.run(
        command,
        cwd=ROOT,
        env={**os.environ, **azure, "UV_OFFLINE": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    assert (folder / "result.json").exists(), result.stdout
    document = json.loads((folder / "result.json").read_text())
    return AgentRun(exit_code=result.returncode, console=result.stdout, document=document)


@pytest.fixture(scope="module")
def azure_environment(
    sdk: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[dict[str, str]]:
    """A local Azure for each SDK, with fresh state."""
    with local_azure(tmp_path_factory.mktemp("azure")) as environment:
        yield environment


@pytest.fixture(scope="module")
def run_pipeline(
    vsix: Path, azure_environment: dict[str, str], tmp_path_factory: pytest.TempPathFactory
) -> RunPipeline:
    """Run the consumer's pipeline; keyword arguments are pipeline variables."""

    def run(**variables: str) -> AgentRun:
        folder = tmp_path_factory.mktemp("run")
        repository = folder / "consumer"
        shutil.copytree(Path(__file__).parent / "consumer", repository)
        given = {"interpreter": sys.executable, **variables}.items()
        options = [word for name, value in given for word in ("--variable", f"{name}={value}")]
        pipeline = repository / "azure-pipelines.yml"
        return run_agent(pipeline, vsix, azure_environment, folder, *options)

    return run
