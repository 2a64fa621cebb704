"""Running one process as the agent does: its lines, its cancellation, its end.

The agent: src/Agent.Sdk/ProcessInvoker.cs.
"""

from __future__ import annotations

import contextlib
import enum
import queue
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import psutil

SIGINT_S = 7.5
SIGTERM_S = 2.5
# After the process ended, what it left behind may hold its output open for so long.
STREAMS_S = 5.0
_TICK_S = 0.05


class Wish(enum.Enum):
    """What the caller wants of a running process."""

    RUN = enum.auto()
    STOP = enum.auto()  # interrupt, then terminate, then kill
    KILL = enum.auto()
    LEAVE = enum.auto()  # wait no longer; what still runs is ended with the job


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """How a process ended.

    Attributes:
        code: the exit code; None when it was left running.
        stopped: whether it was asked to stop before its end.
    """

    code: int | None
    stopped: bool


def run_process(
    command: Sequence[str],
    *,
    environment: Mapping[str, str],
    folder: Path,
    on_line: Callable[[str, bool], None],
    wish: Callable[[], Wish],
    sigint_s: float = SIGINT_S,
    sigterm_s: float = SIGTERM_S,
    abandon: bool = False,
) -> Outcome:
    """Run a process in a session of its own, with its standard input closed.

    Args:
        command: program and arguments.
        environment: the whole environment.
        folder: the working directory.
        on_line: takes each line, without its end, and whether it came from standard error.
        wish: asked several times a second.
        sigint_s: seconds between the interrupt and the termination signal.
        sigterm_s: seconds between the termination signal and the kill.
        abandon: instead of all that, kill at once and wait for nobody who holds the output.

    Raises:
        OSError: the program cannot be started.
    """
    process = subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=dict(environment),
        cwd=folder,
        text=True,
        encoding="utf-8",
        errors="replace",
        # A terminal's Ctrl-C reaches the agent, which cancels in its own way.
        start_new_session=True,
        creationflags=getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0),
    )
    lines: queue.SimpleQueue[tuple[str | None, bool]] = queue.SimpleQueue()
    for stream, from_stderr in ((process.stdout, False), (process.stderr, True)):
        assert stream is not None  # noqa: S101 - both are pipes
        threading.Thread(target=_read, args=(stream, from_stderr, lines), daemon=True).start()
    open_streams = 2
    escalation = _Escalation(process, () if abandon else (sigint_s, sigterm_s))
    ended_at: float | None = None
    left = False
    checked = 0.0
    while open_streams:
        with contextlib.suppress(queue.Empty):
            line, from_stderr = lines.get(timeout=_TICK_S)
            if line is None:
                open_streams -= 1
            else:
                on_line(line, from_stderr)
        now = time.monotonic()
        if now - checked < _TICK_S:
            continue
        checked = now
        if process.poll() is not None:
            ended_at = ended_at or now
            if now - ended_at > STREAMS_S or (abandon and escalation.started):
                break
        wanted = wish()
        if wanted is Wish.LEAVE:
            left = True
            break
        escalation.follow(wanted, now)
    code = None if left else _wait(process, escalation, wish)
    if code is None:
        # Somebody has to take notice of its end.
        threading.Thread(target=process.wait, daemon=True).start()
    return Outcome(code=code, stopped=escalation.started)


def _wait(
    process: subprocess.Popen[str], escalation: _Escalation, wish: Callable[[], Wish]
) -> int | None:
    """Wait for a process that closed its output but still runs."""
    while process.poll() is None:
        wanted = wish()
        if wanted is Wish.LEAVE:
            break
        escalation.follow(wanted, time.monotonic())
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(_TICK_S)
    return process.poll()


def _read(
    stream: IO[str], from_stderr: bool, lines: queue.SimpleQueue[tuple[str | None, bool]]
) -> None:
    try:
        for line in stream:
            lines.put((line.rstrip("\n"), from_stderr))
    finally:
        lines.put((None, from_stderr))
        stream.close()


class _Escalation:
    """Interrupt, terminate, kill: only the process itself, as the agent does on Linux."""

    def __init__(self, process: subprocess.Popen[str], waits: tuple[float, ...]) -> None:
        self._process = process
        self._waits = waits
        self._sent = 0
        self._next = 0.0
        self.started = False

    def follow(self, wanted: Wish, now: float) -> None:
        if wanted is Wish.RUN or self._process.poll() is not None:
            return
        self.started = True
        if wanted is Wish.KILL:
            self._process.kill()
        elif now >= self._next:
            self._send()
            self._next = now + (self._waits[self._sent - 1] if self._sent else 0.0)

    def _send(self) -> None:
        if self._sent == len(self._waits):
            self._process.kill()
            return
        if sys.platform == "win32":
            # Ctrl-C cannot be sent to another group; Ctrl-Break can.
            number = signal.CTRL_BREAK_EVENT
        else:
            number = (signal.SIGINT, signal.SIGTERM)[self._sent]
        self._sent += 1
        with contextlib.suppress(ProcessLookupError, PermissionError):
            self._process.send_signal(number)


def end_orphans(variable: str, value: str, since: float) -> list[str]:
    """Kill the processes that carry ``variable=value`` in their environment.

    Args:
        variable: name in the environment.
        value: what it must be.
        since: seconds since the epoch; older processes are left alone.

    Returns:
        ``pid (name)`` of each process that was killed.
    """
    killed: list[psutil.Process] = []
    names = []
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error, OSError):
            if process.create_time() < since - 1 or process.environ().get(variable) != value:
                continue
            names.append(f"{process.pid} ({process.name()})")
            process.kill()
            killed.append(process)
    deadline = time.monotonic() + 2
    while any(map(_alive, killed)) and time.monotonic() < deadline:
        time.sleep(_TICK_S)
    return names


def _alive(process: psutil.Process) -> bool:
    with contextlib.suppress(psutil.Error):
        # Nobody may be there to reap a dead one.
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    return False
