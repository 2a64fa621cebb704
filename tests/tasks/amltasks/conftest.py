"""Fixtures: a local Azure of this folder's own, and tasks driven as the launcher drives them."""

from __future__ import annotations

import dataclasses
import json
import os
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.patience import PATIENCE_S
from tests.running_azure import running_azure

REPOSITORY = Path(__file__).resolve().parents[3]


@dataclasses.dataclass(frozen=True, kw_only=True)
class Azure:
    """A running local Azure: what a client needs to reach it."""

    environment: Mapping[str, str]

    @property
    def connection(self) -> dict[str, Any]:
        """Its service connection, as the launcher hands it over."""
        return {
            "id": "7d1cfd1f-3b6f-4f6c-8d0e-3f1d52a4d3aa",
            "name": "aml-connection",
            "url": "https://management.azure.com/",
            "scheme": "ServicePrincipal",
            "parameters": {
                "tenantid": self.environment["AZURE_TENANT_ID"],
                "serviceprincipalid": self.environment["AZURE_CLIENT_ID"],
                "serviceprincipalkey": self.environment["AZURE_CLIENT_SECRET"],
                "authenticationType": "spnKey",
            },
            "data": {
                "subscriptionid": self.environment["AML_SUBSCRIPTION_ID"],
                "environment": "AzureCloud",
            },
        }

    @property
    def place(self) -> dict[str, str]:
        """The inputs that name its workspace, and the SDK."""
        return {
            "resourceGroup": self.environment["AML_RESOURCE_GROUP"],
            "workspace": self.environment["AML_WORKSPACE_NAME"],
            "sdk": "v1",
        }

    @property
    def client_environment(self) -> dict[str, str]:
        """Proxy and CA, as the launcher translates the agent's; without the credentials."""
        return {
            name: value
            for name, value in self.environment.items()
            if not name.startswith(("AZURE_", "AML_"))
        }


@pytest.fixture(scope="session")
def aml_azure(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Azure]:
    """One local Azure for this folder's tests, with fresh state."""
    state = tmp_path_factory.mktemp("azure") / "state"
    with running_azure(state, "--other-workspace", "ws-second") as server:
        yield Azure(environment=server.environment)


@dataclasses.dataclass(kw_only=True)
class Ended:
    """What became of a task."""

    code: int
    log: str
    commands: list[dict[str, Any]]
    seconds: float

    def of(self, kind: str) -> list[dict[str, Any]]:
        """The commands of one type."""
        return [command for command in self.commands if command["type"] == kind]

    @property
    def result(self) -> str:
        """The task's result; there must be exactly one."""
        (command,) = self.of("result")
        return str(command["result"])

    @property
    def message(self) -> str:
        """The sentence with the result."""
        return str(self.of("result")[0]["message"])

    @property
    def outputs(self) -> dict[str, str]:
        """The output variables."""
        return {c["name"]: c["value"] for c in self.of("variable") if c["output"]}

    @property
    def issues(self) -> dict[str, str]:
        """Issues, code -> message."""
        return {c["code"]: c["message"] for c in self.of("issue")}


class Started:
    """A task that runs: its pipes are ours, as they are the launcher's."""

    def __init__(self, process: subprocess.Popen[bytes], channel: int) -> None:
        self.process = process
        self.begun = time.monotonic()
        self.commands: list[dict[str, Any]] = []
        self.lines: list[str] = []
        self._threads = [
            threading.Thread(target=self._read_channel, args=(channel,)),
            threading.Thread(target=self._read_log),
        ]
        for thread in self._threads:
            thread.start()

    def _read_channel(self, channel: int) -> None:
        with os.fdopen(channel, "rb") as stream:
            for line in stream:
                self.commands.append(json.loads(line))

    def _read_log(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.lines.append(line.decode("utf-8").rstrip("\n"))

    def say(self, line: str) -> None:
        """Send the task a line, such as ``cancel``."""
        assert self.process.stdin is not None
        self.process.stdin.write(line.encode() + b"\n")
        self.process.stdin.flush()

    def wait_for(self, found: Callable[[Started], bool]) -> None:
        """Wait until something was logged or asked for."""
        end = time.monotonic() + PATIENCE_S
        while not found(self):
            assert self.process.poll() is None, "\n".join(self.lines)
            assert time.monotonic() < end, "\n".join(self.lines)
            time.sleep(0.05)

    def end(self) -> Ended:
        """Wait for its end."""
        assert self.process.stdin is not None
        try:
            code = self.process.wait(PATIENCE_S)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise AssertionError("the task did not end:\n" + "\n".join(self.lines)) from None
        took = time.monotonic() - self.begun
        for thread in self._threads:
            thread.join()
        self.process.stdin.close()
        assert self.process.stdout is not None
        self.process.stdout.close()
        return Ended(code=code, log="\n".join(self.lines), commands=self.commands, seconds=took)


VARIABLES = {
    "build.buildnumber": "20261123.10",
    "build.buildid": "4711",
    "build.sourceversion": "0123456789abcdef0123456789abcdef01234567",
    "build.sourcebranch": "refs/heads/main",
    "build.definitionname": "compliance",
    "build.requestedfor": "Ada",
    "system.teamproject": "mlops",
}


def start_task(
    task: str,
    inputs: Mapping[str, str],
    *,
    folder: Path,
    connection: Mapping[str, Any] | None = None,
    environment: Mapping[str, str] | None = None,
    variables: Mapping[str, str] | None = None,
    document: bytes | None = None,
    phase: str = "run",
) -> Started:
    """Start ``python -m amltasks <task>`` the way the launcher does."""
    reading, writing = os.pipe()
    kept = ("PATH", "LANG", "TMPDIR", "SYSTEMROOT", "COVERAGE_PROCESS_CONFIG")
    keep = {name: value for name, value in os.environ.items() if name in kept}
    home = folder / "home"
    home.mkdir(exist_ok=True)
    temporary = folder / "temporary"
    temporary.mkdir(exist_ok=True)
    code = (
        "import os, sys; os.dup2(int(sys.argv[1]), 3); os.set_inheritable(3, True); "
        "python = [sys.executable, '-s', '-X', 'utf8', '-m', 'amltasks', sys.argv[2]]; "
        "os.execv(python[0], python)"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", code, str(writing), task],
        cwd=folder,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        pass_fds=[writing],
        env={
            **keep,
            "HOME": str(home),
            "PYTHONPATH": str(REPOSITORY / "tasks"),
            "PYTHONUNBUFFERED": "1",
            **(environment or {}),
        },
    )
    os.close(writing)
    started = Started(process, reading)
    handed = (
        document
        or json.dumps(
            {
                "task": task,
                "phase": phase,
                "inputs": dict(inputs),
                "connection": connection,
                "variables": {
                    **VARIABLES,
                    "system.defaultworkingdirectory": str(folder),
                    "agent.tempdirectory": str(temporary),
                    **(variables or {}),
                },
            }
        ).encode()
    )
    started.say(handed.decode())
    return started


Starter = Callable[..., Started]


@pytest.fixture
def start(tmp_path: Path) -> Starter:
    """Start a task in a folder of its own; without Azure unless its environment is given."""

    def begin(task: str, inputs: Mapping[str, str], **more: Any) -> Started:
        return start_task(task, inputs, folder=tmp_path, **more)

    return begin


CONSUMER = Path(__file__).parent / "consumer"
CLUSTER = "cpu-cluster"
FIRST_MAY_PASS = """
rules: [{metric: accuracy, max_loss: 0}]
no_incumbent: pass
single_numbers: pass
"""


@pytest.fixture
def consumer(tmp_path: Path) -> Path:
    """A consumer's sources, in the folder the tasks of this test run in."""
    shutil.copytree(CONSUMER, tmp_path, dirs_exist_ok=True)
    return tmp_path
