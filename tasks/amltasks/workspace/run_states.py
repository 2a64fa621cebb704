"""A run from run history's fields, which are the same in both SDKs."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from datetime import datetime, timezone
from typing import Any

from amltasks.workspace.port import ENDED, Run


def to_run(found: Mapping[str, Any], *, run_id: str, name: str, url: str) -> Run:
    """A run from its history: status, startTimeUtc, endTimeUtc, error, target, tags."""
    status = str(found.get("status") or "NotStarted")
    start, end = _time(found.get("startTimeUtc")), _time(found.get("endTimeUtc"))
    if start and not end and status not in ENDED:
        end = datetime.now(timezone.utc)
    return Run(
        id=run_id,
        name=name,
        status=status,
        error=_error(found.get("error")),
        url=url,
        started=start,
        seconds=max(0.0, (end - start).total_seconds()) if start and end else None,
        target=str(found.get("target") or ""),
        tags={str(k): str(v) for k, v in (found.get("tags") or {}).items()},
    )


def _error(found: Any) -> str:
    while isinstance(found, dict) and isinstance(found.get("error"), dict):
        found = found["error"]
    if isinstance(found, dict):
        return " ".join(str(found.get("message") or found.get("code") or "").split())
    return ""


def _time(text: Any) -> datetime | None:
    """The time ``2020-01-31T12:00:00.1234567Z`` of run history; None if there is none."""
    if not isinstance(text, str) or len(text) < len("2020-01-31T12:00:00"):
        return None
    with contextlib.suppress(ValueError):
        return datetime.fromisoformat(text[:19]).replace(tzinfo=timezone.utc)
    return None
