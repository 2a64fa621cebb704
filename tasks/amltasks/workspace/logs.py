"""The log lines of runs, read on from the byte where the last read of a blob ended."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

import requests

# The step's own output in the old and the new runtime, and that of the stages before it. Not the
# service's own files (process_info.json, system_logs/*).
_SHOWN = re.compile(r"^(?:azureml-logs/\d\d_[^/]*\.txt|user_logs/[^/]*\.txt)$")
_TIMEOUT_SECONDS = (10, 30)


@dataclass(kw_only=True)
class _Position:
    """How far a log file has been read. ``begun`` is a line without its end yet."""

    offset: int = 0
    begun: bytes = b""


@dataclass(kw_only=True)
class LogReader:
    """The logs of one run. Each call reads what is new; no line is lost or repeated."""

    session: requests.Session
    _positions: dict[str, _Position] = field(default_factory=dict)

    def new_lines(self, files: dict[str, str], *, last: bool) -> list[str]:
        """Lines added since the last call.

        Args:
            files: log file name -> URL to read it (SAS), from the run's details.
            last: nothing will be added any more: an unfinished line is one, too.
        """
        shown = sorted(name for name in files if _SHOWN.match(name))
        # All are read before any position moves, so that one file's failure loses no other's lines.
        read = {name: self._read(files[name], self._at(name)) for name in shown}
        lines: list[str] = []
        for name, data in read.items():
            position = self._at(name)
            position.offset += len(data)
            *whole, position.begun = (position.begun + data).split(b"\n")
            if last and position.begun:
                whole.append(position.begun)
                position.begun = b""
            lines += [_text(line) for line in whole]
        return lines

    def _at(self, name: str) -> _Position:
        return self._positions.setdefault(name, _Position())

    def _read(self, url: str, position: _Position) -> bytes:
        answer = self.session.get(
            url, headers={"Range": f"bytes={position.offset}-"}, timeout=_TIMEOUT_SECONDS
        )
        if answer.status_code in (404, 416):  # not written yet, or nothing new
            return b""
        answer.raise_for_status()
        # 200 instead of 206: the server ignored the range and sent all of it.
        return answer.content if answer.status_code == 206 else answer.content[position.offset :]


def _text(line: bytes) -> str:
    """A line as a terminal shows it in the end: only the last state of a progress bar."""
    text = line.decode("utf-8", "replace").rstrip("\r")
    return text.rsplit("\r", 1)[-1].replace("\b", "").rstrip()
