"""Keeps what the SDKs print out of the job's log."""

from __future__ import annotations

import contextlib
import io
import logging
from collections.abc import Iterator

log = logging.getLogger("amltasks")


@contextlib.contextmanager
def banners_hidden() -> Iterator[None]:
    """Log what the block prints at debug level only."""
    printed = io.StringIO()
    try:
        with contextlib.redirect_stdout(printed), contextlib.redirect_stderr(printed):
            yield
    finally:
        for line in printed.getvalue().splitlines():
            log.debug("SDK: %s", line)
