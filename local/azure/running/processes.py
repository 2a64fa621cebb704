"""Child processes of the local Azure: each has a process group of its own and is written down.

A child's pid is kept in the state with the time the process was created, so that a server that was
killed finds its leftovers at the next start, and never ends a stranger that was given the same pid.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO, TypedDict

import psutil

from local.azure.kernel.cloud import Cloud
from local.azure.kernel.tables import Table
from local.azure.kernel.web import Router

router = Router()

_WINDOWS = sys.platform == "win32"


class Process(TypedDict):
    """A child that runs. created: seconds since the epoch."""

    key: str
    pid: int
    created: float


_PROCESSES: Table[Process] = Table("process")

# The creation time is counted from a boot time that moves a little when the clock is set right.
_SAME_START_S = 2.0


def start(
    cloud: Cloud,
    key: str,
    command: Sequence[str | Path],
    *,
    directory: Path,
    environment: Mapping[str, str],
    output: IO[bytes] | int,
    inherited: Sequence[int] = (),
) -> subprocess.Popen[bytes]:
    """Start `command` without a shell, in its own process group, and remember it under `key`.

    inherited: file descriptors that the child keeps open (POSIX only). Raises OSError when the
    program cannot be started.
    """
    process = subprocess.Popen(
        [str(word) for word in command],
        cwd=directory,
        env=dict(environment),
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=subprocess.STDOUT,
        pass_fds=() if _WINDOWS else tuple(inherited),
        start_new_session=not _WINDOWS,
        creationflags=getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0),
    )
    created = psutil.Process(process.pid).create_time()
    _PROCESSES.put(cloud, key, {"key": key, "pid": process.pid, "created": created})
    return process


def end(cloud: Cloud, key: str, process: subprocess.Popen[bytes], *, grace_s: float) -> None:
    """Ask the process group to end, end it by force after `grace_s` seconds, and forget it."""
    _signal_group(process.pid, force=False)
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(timeout=grace_s)
    _signal_group(process.pid, force=True)
    process.wait()
    _PROCESSES.delete(cloud, key)


def finished(cloud: Cloud, key: str, process: subprocess.Popen[bytes]) -> None:
    """Forget a process that ended by itself, and end what it may have left in its group."""
    if not _WINDOWS:
        _signal_group(process.pid, force=True)
    _PROCESSES.delete(cloud, key)


@router.at_start
def end_leftovers(cloud: Cloud) -> None:
    """End what a server that was killed left running in this state."""
    for record in _PROCESSES.list(cloud):
        if _is_ours(record["pid"], record["created"]):
            _signal_group(record["pid"], force=True)
        _PROCESSES.delete(cloud, record["key"])


def _is_ours(pid: int, created: float) -> bool:
    try:
        return abs(psutil.Process(pid).create_time() - created) < _SAME_START_S
    except psutil.NoSuchProcess:
        # The leader is gone. While its group has members the kernel does not reuse the number, so
        # whoever is in the group is ours.
        return True
    except psutil.AccessDenied:
        return False


def _signal_group(pid: int, *, force: bool) -> bool:
    """Signal every process of a group. Returns whether there was one."""
    if _WINDOWS:
        return _end_tree(pid, force=force)
    try:
        os.killpg(pid, signal.SIGKILL if force else signal.SIGTERM)
    except (ProcessLookupError, PermissionError):  # macOS answers EPERM for a group of zombies
        return False
    return True


def _end_tree(pid: int, *, force: bool) -> bool:
    """Windows has no process groups to signal: end the process and its descendants."""
    try:
        leader = psutil.Process(pid)
        family = [*leader.children(recursive=True), leader]
    except psutil.NoSuchProcess:
        return False
    for process in family:
        with contextlib.suppress(psutil.NoSuchProcess):
            if force:
                process.kill()
            else:
                process.terminate()
    return True
