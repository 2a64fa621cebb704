"""Tells in the log that a request is repeated below the task: by the SDK, or by urllib3."""

from __future__ import annotations

import logging
import time
from typing import Any
from urllib.parse import urlsplit

from urllib3.util import Retry

log = logging.getLogger("amltasks")

PASSING = (429, 500, 502, 503, 504)
"""HTTP statuses for which a request is repeated."""


_QUIET_SECONDS = 60.0


def may_pass(status: int) -> bool:
    """Whether a request with this answer is repeated."""
    return status in PASSING


class _Told:
    """What was logged lately: an outage is told once a minute, not for each request."""

    def __init__(self) -> None:
        self._at: dict[str, float] = {}

    def tell(self, text: str) -> None:
        """Log a text, unless it was logged within the last minute."""
        now = time.monotonic()
        if now - self._at.get(text, -_QUIET_SECONDS) >= _QUIET_SECONDS:
            self._at[text] = now
            log.info("%s", text)


_told = _Told()


def retrying(method: str, address: str, status: int) -> None:
    """Log that a request failed and is repeated. The address goes without its query."""
    parts = urlsplit(address)
    _told.tell(f"{method} {parts.netloc}{parts.path} was answered {status}; trying again")


class ToldRetry(Retry):
    """urllib3's ``Retry`` that logs each repetition."""

    def increment(
        self,
        method: str | None = None,
        url: str | None = None,
        response: Any = None,
        error: Exception | None = None,
        _pool: Any = None,
        _stacktrace: Any = None,
    ) -> ToldRetry:
        """Count a failure. Raises what urllib3 raises when there were too many."""
        following = super().increment(method, url, response, error, _pool, _stacktrace)
        host = getattr(_pool, "host", "") or ""
        if response is not None:
            retrying(method or "", f"https://{host}{url or ''}", response.status)
        elif error is not None:
            path = urlsplit(url or "").path
            _told.tell(f"{method} {host}{path} found no connection; trying again")
        return following
