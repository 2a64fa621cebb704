"""Cancelling, as the agent does it: signals to the Node process alone."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from tests.patience import PATIENCE_S
from tests.tasks.launcher.harness import Launcher, finish, tool_script

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="sends POSIX signals")

WAIT_FOR_CANCEL = """
import signal, time
from pathlib import Path
signal.signal(signal.SIGINT, signal.SIG_IGN)
signal.signal(signal.SIGTERM, signal.SIG_IGN)
Path("pid").write_text(str(os.getpid()))
"""


def started(launcher: Launcher, process: subprocess.Popen[str], name: str = "pid") -> int:
    """Wait until the file that the started code writes has its process id."""
    path = launcher.sources / name
    until(lambda: path.exists() and path.read_text() != "", process)
    return int(path.read_text())


def until(condition: Callable[[], bool], process: subprocess.Popen[str] | None = None) -> None:
    """Wait for a condition; fails when the process ends before."""
    end = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < end, "it did not happen"
        assert process is None or process.poll() is None, process.communicate()
        time.sleep(0.02)


def test_sigint_is_relayed_as_a_word_and_python_ends_in_order(launcher: Launcher) -> None:
    process = launcher.start(
        WAIT_FOR_CANCEL + "word = stdin.readline()\n"
        "time.sleep(1)\n"  # the launcher must live on while Python tidies up
        "print('heard', repr(word))\n"
        "send(type='result', result='Canceled', message='the run was cancelled')\n"
    )
    pid = started(launcher, process)
    process.send_signal(signal.SIGINT)
    process.send_signal(signal.SIGINT)
    outcome = finish(process)
    assert outcome.code == 0
    assert "heard 'cancel\\n'" in outcome.log
    assert outcome.result == ("Canceled", "the run was cancelled")
    assert not psutil.pid_exists(pid)


def test_a_task_that_finishes_in_spite_of_the_cancel_keeps_its_result(launcher: Launcher) -> None:
    process = launcher.start(
        WAIT_FOR_CANCEL + "stdin.readline()\nsend(type='result', result='Succeeded')\n"
    )
    started(launcher, process)
    process.send_signal(signal.SIGINT)
    assert finish(process).result == ("Succeeded", "")


def test_a_stubborn_python_is_ended_before_the_agent_kills(launcher: Launcher) -> None:
    process = launcher.start(WAIT_FOR_CANCEL + "time.sleep(600)\n")
    pid = started(launcher, process)
    process.send_signal(signal.SIGINT)
    time.sleep(0.3)
    assert psutil.pid_exists(pid)
    process.send_signal(signal.SIGTERM)
    outcome = finish(process)
    assert outcome.result == ("Canceled", "The task was cancelled.")
    assert not psutil.pid_exists(pid)


def test_python_hears_when_the_launcher_is_killed(launcher: Launcher) -> None:
    process = launcher.start(
        WAIT_FOR_CANCEL + "word = stdin.readline()\nPath('heard').write_text(repr(word))\n"
    )
    pid = started(launcher, process)
    process.kill()
    finish(process)
    until(lambda: not psutil.pid_exists(pid))
    assert (launcher.sources / "heard").read_text() == "''"


def test_a_cancel_during_the_installation_ends_it_and_leaves_nothing(
    fresh_launcher: Launcher, tmp_path: Path
) -> None:
    launcher = fresh_launcher
    uv = tool_script(
        tmp_path / "bin" / "uv",
        "if '--version' in sys.argv: print('uv 9.9.9')\n"
        "elif 'venv' in sys.argv:\n"
        "    Path(sys.argv[-1]).mkdir()\n"
        f"    Path({str(launcher.sources / 'pid')!r}).write_text(str(os.getpid()))\n"
        "    time.sleep(120)\n",
    )
    process = launcher.start(env={"PATH": f"{uv.parent}{os.pathsep}{os.environ['PATH']}"})
    pid = started(launcher, process)
    process.send_signal(signal.SIGINT)
    outcome = finish(process)
    assert outcome.result == ("Canceled", "The task was cancelled.")
    assert not psutil.pid_exists(pid)
    assert list((launcher.tools / "azure-machine-learning-tasks").iterdir()) == []


def test_a_cancel_at_the_very_start_is_a_cancel(launcher: Launcher) -> None:
    process = launcher.start(WAIT_FOR_CANCEL + "stdin.readline()\n")
    assert process.stdout is not None
    while not process.stdout.readline().startswith("Using Python"):
        assert process.poll() is None
    process.send_signal(signal.SIGINT)
    outcome = finish(process)
    assert outcome.result == ("Canceled", "The task was cancelled.")


def test_a_cancel_while_another_task_prepares_the_environment(fresh_launcher: Launcher) -> None:
    fresh_launcher.run()
    tools = fresh_launcher.tools / "azure-machine-learning-tasks"
    (folder,) = tools.iterdir()
    shutil.rmtree(folder)
    lock = tools / f"{folder.name}.lock"
    lock.mkdir()
    process = fresh_launcher.start()
    assert process.stdout is not None
    while "Waiting for another task" not in process.stdout.readline():
        assert process.poll() is None
    process.send_signal(signal.SIGINT)
    assert finish(process).result == ("Canceled", "The task was cancelled.")
    assert list(tools.iterdir()) == [lock]
