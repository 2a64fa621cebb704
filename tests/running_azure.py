"""A local Azure as its users start it, for the tests of any room."""

from __future__ import annotations

import contextlib
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from tests.patience import PATIENCE_S

ROOT = Path(__file__).resolve().parents[1]


@dataclass(frozen=True, kw_only=True)
class RunningAzure:
    """A server with the variables of its env file."""

    environment: Mapping[str, str]
    state: Path
    log: Path
    process: subprocess.Popen[bytes]

    @property
    def scope(self) -> str:
        """The ARM id of the workspace."""
        env = self.environment
        return (
            f"/subscriptions/{env['AML_SUBSCRIPTION_ID']}/resourceGroups/{env['AML_RESOURCE_GROUP']}"
            "/providers/Microsoft.MachineLearningServices/workspaces/" + env["AML_WORKSPACE_NAME"]
        )


def read_env_file(path: Path) -> dict[str, str]:
    """The variables of a file of shell-quoted KEY=VALUE lines."""
    words = shlex.split(path.read_text(encoding="utf-8"))
    return dict(word.split("=", 1) for word in words)


@contextlib.contextmanager
def running_azure(state: Path, *options: str) -> Iterator[RunningAzure]:
    """A local Azure over a state folder, beside which its env file and its log lie."""
    env_file, log = state.with_suffix(".env"), state.with_suffix(".log")
    command = [sys.executable, "-m", "local.azure", "--state", str(state), *options]
    with log.open("ab") as file:
        process = subprocess.Popen(
            # Its standard input closes with us, so that it ends even when we are killed.
            [*command, "--env-file", str(env_file), "--until-stdin-closes"],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=file,
            stderr=subprocess.STDOUT,
        )
    assert process.stdin
    try:
        deadline = time.monotonic() + PATIENCE_S
        while not env_file.exists():
            assert process.poll() is None, log.read_text()
            assert time.monotonic() < deadline, f"it does not get ready: {log.read_text()}"
            time.sleep(0.05)
        yield RunningAzure(
            environment=read_env_file(env_file), state=state, log=log, process=process
        )
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGINT)
        process.wait(PATIENCE_S)
        process.stdin.close()
