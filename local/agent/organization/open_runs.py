"""Runs of this machine that are in progress in an organisation, so that none stays so for ever.

A killed agent cannot report the end of its run. Each run therefore has a file while it lasts. The
next agent of the same organisation finds the files whose process is gone, and ends their builds and
releases. The files have no secrets.
"""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import psutil

# Two readings of one process's start differ by less than this.
_SAME_START_S = 2.0


@dataclass(frozen=True, kw_only=True)
class OpenRun:
    """A build or a release that an agent on this machine carries out.

    Attributes:
        url: the organisation's.
        kind: ``build`` or ``release``.
        number: its id.
        pid: of the agent's process, which started at
        process_started: seconds since the epoch.
    """

    url: str
    project: str
    kind: str
    number: int
    pid: int
    process_started: float

    @property
    def is_alive(self) -> bool:
        """Whether its agent still runs; another process may have the number by now."""
        with contextlib.suppress(psutil.Error):
            started = psutil.Process(self.pid).create_time()
            return abs(started - self.process_started) < _SAME_START_S
        return False


class OpenRuns:
    """The files of the runs in progress, below one folder."""

    def __init__(self, folder: Path) -> None:
        """Use the folder; it is made with the first run."""
        self._folder = folder

    def open(self, url: str, project: str, kind: str, number: int) -> Path:
        """Write down that this process carries out a run; returns the file to remove at its end."""
        process = psutil.Process()
        run = OpenRun(
            url=url,
            project=project,
            kind=kind,
            number=number,
            pid=os.getpid(),
            process_started=process.create_time(),
        )
        self._folder.mkdir(parents=True, exist_ok=True)
        file = self._folder / f"{kind}-{number}-{run.pid}.json"
        file.write_text(json.dumps(asdict(run)), encoding="utf-8")
        return file

    def abandoned(self, url: str, project: str) -> Iterator[tuple[Path, OpenRun]]:
        """Yield the runs in an organisation's project whose agents are gone, with their files."""
        for file in sorted(self._folder.glob("*.json")):
            try:
                run = OpenRun(**json.loads(file.read_text(encoding="utf-8")))
            except (OSError, ValueError, TypeError):
                # Another agent has just removed it, or was killed while it wrote.
                continue
            if (run.url, run.project) == (url, project) and not run.is_alive:
                yield file, run
