"""The two programs that the demo starts, and their certain end."""

from __future__ import annotations

import contextlib
import json
import os
import shlex
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import FrameType
from typing import Any

from local.demo.progress import Progress

ROOT = Path(__file__).resolve().parents[2]
READY_WITHIN_S = 60.0
ENDED_WITHIN_S = 30.0


class DemoError(Exception):
    """The demo cannot go on; the message is one sentence for the user."""

    def __init__(self, message: str, *, exit_code: int = 1) -> None:
        """Keep the exit code beside the message."""
        super().__init__(message)
        self.exit_code = exit_code


@contextlib.contextmanager
def interruptible() -> Iterator[None]:
    """Let SIGTERM end the demo the way Ctrl-C does, through every ``finally``."""

    def interrupt(_signal: int, _frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    previous = signal.signal(signal.SIGTERM, interrupt)
    try:
        yield
    except KeyboardInterrupt:
        raise DemoError("interrupted; everything it started was ended.", exit_code=130) from None
    finally:
        signal.signal(signal.SIGTERM, previous)


@contextlib.contextmanager
def running_azure(state: Path, folder: Path) -> Iterator[dict[str, str]]:
    """Run the local Azure and yield the environment that points a client at it.

    Raises DemoError when it does not become ready.
    """
    env_file = folder / "azure.env"
    command = [sys.executable, "-m", "local.azure", "--state", str(state.resolve()), "--port", "0"]
    with (folder / "azure.log").open("wb") as log:
        azure = subprocess.Popen(
            [*command, "--env-file", str(env_file), "--until-stdin-closes"],
            cwd=ROOT,
            # A pipe that closes with us, so that even `kill -9` on the demo ends the server.
            stdin=subprocess.PIPE,
            stdout=log,
            stderr=subprocess.STDOUT,
            # Ctrl-C must not end it while the agent still cancels its run there.
            start_new_session=True,
        )
        try:
            deadline = time.monotonic() + READY_WITHIN_S
            with Progress().watching("the local Azure starts"):
                while not env_file.exists():
                    if azure.poll() is not None or time.monotonic() > deadline:
                        tail = (folder / "azure.log").read_text(errors="replace").strip()[-500:]
                        raise DemoError(f"the local Azure did not start: {tail}")
                    time.sleep(0.1)
            yield read_env_file(env_file)
        finally:
            # It holds a client secret that is worthless now; no need to leave it lying about.
            env_file.unlink(missing_ok=True)
            azure.terminate()
            if azure.stdin is not None:
                azure.stdin.close()
            try:
                azure.wait(ENDED_WITHIN_S)
            except subprocess.TimeoutExpired:
                azure.kill()
                azure.wait()


def read_env_file(path: Path) -> dict[str, str]:
    """Return the variables of a file of shell-quoted ``KEY=VALUE`` lines."""
    words = shlex.split(path.read_text(encoding="utf-8"))
    return dict(word.split("=", 1) for word in words)


def run_agent(
    verb: str,
    file: Path,
    vsix: Path,
    azure: dict[str, str],
    folder: Path,
    variables: Sequence[str],
    *options: str,
    progress: Progress,
) -> dict[str, Any]:
    """Run or release a file in the local agent, its timeline on our console; return its result.

    Raises DemoError when the agent leaves no result.
    """
    result = result_file(folder, verb)
    command = [sys.executable, "-m", "local.agent", verb, str(file), "--vsix", str(vsix), *options]
    command += ["--json", str(result), "--work", str(folder / "agent")]
    command += ["--until-stdin-closes"]
    command += [argument for variable in variables for argument in ("--variable", variable)]
    # The proxy lets nothing out of the machine, so the tasks install from uv's cache.
    environment = {**os.environ, **azure, "UV_OFFLINE": "1"}
    agent = subprocess.Popen(
        command,
        cwd=ROOT,
        # A pipe that closes with us, so that even `kill -9` on the demo cancels the run.
        env=environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        encoding="utf-8",
        errors="replace",
        start_new_session=True,
    )
    # A thread, so that a Ctrl-C ends the wait and the agent's last lines are still shown.
    lines = threading.Thread(target=progress.pass_on, args=(agent.stdout,), daemon=True)
    lines.start()
    try:
        with progress.watching("the pipeline runs"):
            agent.wait()
            lines.join(ENDED_WITHIN_S)
    except KeyboardInterrupt:
        end_agent(agent)
        raise
    finally:
        if agent.stdin is not None:
            agent.stdin.close()
    if not result.exists():
        raise DemoError(f"the local agent ended with code {agent.returncode} and left no result.")
    document: dict[str, Any] = json.loads(result.read_text(encoding="utf-8"))
    return document


def result_file(folder: Path, verb: str) -> Path:
    """Where :func:`run_agent` keeps the agent's result document."""
    return folder / f"agent-{verb}.json"


def end_agent(agent: subprocess.Popen[str]) -> None:
    """Cancel the run as a user would, wait for it, and insist in the end."""
    for _attempt in range(2):
        if sys.platform != "win32":  # there the console has told it already
            agent.send_signal(signal.SIGINT)
        with contextlib.suppress(subprocess.TimeoutExpired, KeyboardInterrupt):
            agent.wait(ENDED_WITHIN_S)
            return
    agent.kill()
    agent.wait()
