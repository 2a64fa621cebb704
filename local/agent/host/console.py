"""The live timeline on standard output, readable without a terminal, and the steps' log files."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

import click

from local.agent.host.masking import SecretMasker

# The agent cuts live console lines there (src/Agent.Worker/ExecutionContext.cs); logs stay whole.
MAX_LINE = 1024


class Console:
    """Prints masked, time-stamped lines.

    Args:
        masker: hides the secrets in every line.
    """

    def __init__(self, masker: SecretMasker) -> None:
        """Print to standard output."""
        self.masker = masker

    def line(self, kind: str, text: str) -> None:
        """Print one event, e.g. ``stage`` or ``done``; ``text`` may span lines."""
        stamp = time.strftime("%H:%M:%S")
        for part in self.masker.mask(text).splitlines() or [""]:
            try:
                click.echo(f"{stamp} {kind:<5} {part}"[:MAX_LINE].rstrip())
            except BrokenPipeError:
                # The reader has gone; the run continues, and its logs are in files.
                os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


class StepLog:
    """Where one step's output goes: the console and its own file.

    Args:
        console: the live timeline.
        name: the step's name, put before each line.
        path: the log file, made with its first line.
    """

    def __init__(self, console: Console, name: str, path: Path) -> None:
        """Open the log file."""
        self.console = console
        self.name = name
        path.parent.mkdir(parents=True, exist_ok=True)
        self._file = path.open("w", encoding="utf-8", errors="backslashreplace")

    def write(self, text: str) -> None:
        """Write the lines of ``text`` to both."""
        masked = self.console.masker.mask(text)
        for part in masked.splitlines() or [""]:
            self._file.write(f"{time.strftime('%Y-%m-%dT%H:%M:%SZ', time.gmtime())} {part}\n")
            self.console.line("", f"{self.name} | {part}")
        self._file.flush()

    def event(self, kind: str, text: str) -> None:
        """Write an event of the step, e.g. its start, its progress or its result."""
        self._file.write(f"##[{kind}] {self.console.masker.mask(text)}\n")
        self._file.flush()
        self.console.line(kind, text)

    def close(self) -> None:
        """Close the log file."""
        self._file.close()
