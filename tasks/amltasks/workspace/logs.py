"""Log lines of runs, followed by byte position in the blobs the service writes them to."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

import requests

# The step's own output, old and new runtime, and the stages before it; not the service's
# bookkeeping (process_info.json, system_logs/*).
_SHOWN = re.compile(r"^(?:azureml-logs/\d\d_[^/]*\.txt|user_logs/[^/]*\.txt)$")
_TIMEOUT_SECONDS = (10, 30)


@dataclass(kw_only=True)
class _Position:
    """How far a log file has been read. ``begun`` is a line whose end has not come yet."""

    offset: int = 0
    begun: bytes = b""


@dataclass(kw_only=True)
class LogReader:
    """The logs of one run. Reads what is new each time; forgets nothing, repeats nothing."""

    session: requests.Session
    _positions: dict[str, _Position] = field(default_factory=dict)

    def new_lines(self, files: dict[str, str], *, last: bool) -> list[str]:
        """Lines added since the last call.

        Args:
            files: log file name -> URL to read it (SAS), from the run's details.
            last: nothing will be added any more: an unfinished line is one, too.
        """
        shown = sorted(name for name in files if _SHOWN.match(name))
        # All are read before any position moves: a file that fails must not cost another's lines.
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
    """A line as a terminal would leave it: of a progress bar, only what was drawn last."""
    text = line.decode("utf-8", "replace").rstrip("\r")
    return text.rsplit("\r", 1)[-1].replace("\b", "").rstrip()
