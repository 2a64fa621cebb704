"""Has azureml-core wait after 429 as long as Azure says.

``ClientBase`` ignores ``Retry-After``: its three waits last 32, 64 and 128 s. The number of its
attempts and what it repeats stay as they are.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from amltasks.workspace.retries import retrying

# Azure Resource Manager asks for seconds, at most minutes.
_LONGEST_S = 300.0


def asked_wait(error: object) -> float | None:
    """The seconds that a refusal (429) asks to wait for; None when it asks for none."""
    response = getattr(error, "response", None)
    if getattr(response, "status_code", None) != 429:
        return None
    text = str(response.headers.get("Retry-After") or "")  # type: ignore[union-attr]
    return min(float(text), _LONGEST_S) if text.isdecimal() else None


def follow_retry_after() -> None:
    """Replace the wait of the SDK's client in this process, once."""
    from azureml._restclient.clientbase import ClientBase

    original: Callable[..., int] = ClientBase._handle_retry
    if getattr(original, "follows_retry_after", False):
        return

    def handle(back_off: float, left: int, total: int, error: Any, logger: Any, func: Any) -> int:
        wait = asked_wait(error)
        if wait is None or left == 0:
            return original(back_off, left, total, error, logger, func)
        request = getattr(error.response, "request", None)
        retrying(str(getattr(request, "method", "")), str(getattr(request, "url", "")), 429)
        time.sleep(wait)
        return left - 1

    handle.follows_retry_after = True  # type: ignore[attr-defined]
    ClientBase._handle_retry = staticmethod(handle)
