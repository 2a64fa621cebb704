"""Logs of jobs and services: files that grow by lines, and the ends of them for error messages."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from pathlib import Path

_TAIL_LINES = 40


def appender(path: Path) -> Callable[[str], None]:
    """A function that adds a line to a log, readable at once."""

    def append(line: str) -> None:
        with path.open("a", encoding="utf-8") as file:
            file.write(line + "\n")

    return append


def tail(path: Path, lines: int = _TAIL_LINES) -> str:
    """The last lines of a log, without white space around them; empty where there is no log."""
    if not path.exists():
        return ""
    with path.open(encoding="utf-8", errors="replace") as file:
        return "".join(deque(file, maxlen=lines)).strip()
