"""Run numbers: the format of ``name:``, and the counters kept between runs.

Source: MicrosoftDocs/azure-devops-docs docs/pipelines/process/run-number.md.
"""

from __future__ import annotations

import contextlib
import datetime
import json
import os
import re
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

from local.agent.expressions.functions import format_date
from local.agent.host.variables import CaseInsensitive

_REVISION = re.compile(r"\$\(Rev:(\.?)(r+)\)", re.IGNORECASE)
_TOKEN = re.compile(r"\$\((Date|Year):([^)]*)\)|\$\(([^)]+)\)", re.IGNORECASE)
_LOCK_S = 10.0


class Numbers:
    """Counters in a JSON file, safe for several agents at once."""

    def __init__(self, path: Path) -> None:
        """Use the file at ``path``; it is made with the first number."""
        self._path = path

    def next(self, name: str, first: int = 1) -> int:
        """Return the next number of a counter, the first time ``first``."""
        self._path.parent.mkdir(parents=True, exist_ok=True)
        with _locked(self._path.with_suffix(".lock")):
            numbers = self._read()
            number = numbers.get(name, first - 1) + 1
            numbers[name] = number
            temporary = self._path.with_suffix(".new")
            temporary.write_text(json.dumps(numbers, indent=1), encoding="utf-8")
            temporary.replace(self._path)
        return number

    def _read(self) -> dict[str, int]:
        with contextlib.suppress(OSError, ValueError):
            found = json.loads(self._path.read_text(encoding="utf-8"))
            if isinstance(found, dict):
                return {str(name): int(number) for name, number in found.items()}
        return {}


@contextlib.contextmanager
def _locked(path: Path) -> Iterator[None]:
    """Hold a lock file; one that is older than the wait belongs to a dead agent."""
    deadline = time.monotonic() + _LOCK_S
    while True:
        try:
            os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY))
            break
        except FileExistsError:
            if time.monotonic() > deadline:
                path.unlink(missing_ok=True)
            time.sleep(0.05)
    try:
        yield
    finally:
        path.unlink(missing_ok=True)


def build_number(
    pattern: str,
    *,
    variables: Mapping[str, str],
    now: datetime.datetime,
    numbers: Numbers,
    pipeline: str,
) -> str:
    """Return the run's number.

    Args:
        pattern: the format, empty for the service's ``yyyyMMdd.r``.
        variables: predefined and pipeline variables.
        now: the start of the run, UTC.
        numbers: where revisions are counted.
        pipeline: what the revisions are counted for.
    """
    known = CaseInsensitive(
        {
            **variables,
            "TeamProject": variables.get("System.TeamProject", ""),
            "BuildDefinitionName": variables.get("Build.DefinitionName", ""),
            "SourceBranchName": variables.get("Build.SourceBranchName", ""),
            "BuildID": variables.get("Build.BuildId", ""),
            "DayOfMonth": str(now.day),
            "DayOfYear": str(now.timetuple().tm_yday),
            "Hours": str(now.hour),
            "Minutes": str(now.minute),
            "Month": str(now.month),
            "Seconds": str(now.second),
        }
    )

    def fill(match: re.Match[str]) -> str:
        if match[1]:
            return format_date(now, match[2])
        return known.get(match[3], match[0])

    revision = _REVISION.search(pattern or "$(Date:yyyyMMdd)$(Rev:.r)")
    text = _REVISION.sub("\0", pattern or "$(Date:yyyyMMdd)$(Rev:.r)")
    text = _TOKEN.sub(fill, text)
    if revision is None:
        return text
    number = numbers.next(f"{pipeline}#{text}")
    return text.replace("\0", f"{revision[1]}{number:0{len(revision[2])}}")
