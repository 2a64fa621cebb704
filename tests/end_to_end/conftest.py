"""The built .vsix, a local Azure, and the local agent, all as subprocesses, as users run them."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from local.demo.children import read_env_file

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True, kw_only=True)
class AgentRun:
    """What one run of the local agent left: its exit code, console and result document."""

    exit_code: int
    console: str
    document: dict[str, Any]

    def step(self, name: str) -> dict[str, Any]:
        (found,) = [step for step in self.document["steps"] if step["name"] == name]
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


@pytest.fixture(scope="module")
def azure_environment(
    sdk: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[dict[str, str]]:
    """A local Azure for each SDK, with fresh state."""
    folder = tmp_path_factory.mktemp("azure")
    env_file = folder / "azure.env"
    with (folder / "azure.log").open("wb") as log:
        server = subprocess.Popen(
            [
                *(sys.executable, "-m", "local.azure", "--state", str(folder / "state")),
                *("--port", "0", "--env-file", str(env_file)),
            ],
            cwd=ROOT,
            stdout=log,
            stderr=subprocess.STDOUT,
        )
        try:
            deadline = time.monotonic() + 60
            while not env_file.exists():
                assert server.poll() is None, (folder / "azure.log").read_text()
                assert time.monotonic() < deadline, "the local Azure is not ready after 60 s"
                time.sleep(0.1)
            yield read_env_file(env_file)
        finally:
            server.send_signal(signal.SIGINT)
            server.wait(30)


@pytest.fixture(scope="module")
def run_pipeline(
    vsix: Path, azure_environment: dict[str, str], tmp_path_factory: pytest.TempPathFactory
) -> RunPipeline:
    """Run the consumer's pipeline; keyword arguments are pipeline variables."""

    def run(**variables: str) -> AgentRun:
        folder = tmp_path_factory.mktemp("run")
        repository = folder / "consumer"
        shutil.copytree(Path(__file__).parent / "consumer", repository)
        command = [sys.executable, "-m", "local.agent", "run"]
        command += [str(repository / "azure-pipelines.yml"), "--vsix", str(vsix)]
        command += ["--json", str(folder / "result.json"), "--work", str(folder / "work")]
        for name, value in {"interpreter": sys.executable, **variables}.items():
            command += ["--variable", f"{name}={value}"]
        result = subprocess.run(
            command,
            cwd=ROOT,
            env={**os.environ, **azure_environment, "UV_OFFLINE": "1"},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        assert (folder / "result.json").exists(), result.stdout
        document = json.loads((folder / "result.json").read_text())
        return AgentRun(exit_code=result.returncode, console=result.stdout, document=document)

    return run
