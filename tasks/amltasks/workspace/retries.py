"""Tells in the log that a request is repeated below the task: by the SDK, or by urllib3."""

from __future__ import annotations

import logging
from typing import Any
from urllib.parse import urlsplit

from urllib3.util import Retry

log = logging.getLogger("amltasks")

PASSING = (429, 500, 502, 503, 504)
"""HTTP statuses for which a request is repeated."""


def may_pass(status: int) -> bool:
    """Whether a request with this answer is repeated."""
    return status in PASSING


def retrying(method: str, address: str, status: int) -> None:
    """Log that a request failed and is repeated. The address goes without its query."""
    parts = urlsplit(address)
    log.info("%s of %s%s was answered %d; trying again", method, parts.netloc, parts.path, status)


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
            log.info("%s of %s%s found no connection; trying again", method, host, path)
        return following
