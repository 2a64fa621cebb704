"""What the SDKs print, kept from the job's log."""

from __future__ import annotations

import contextlib
import io
import logging
from collections.abc import Iterator

log = logging.getLogger("amltasks")


@contextlib.contextmanager
def banners_hidden() -> Iterator[None]:
    """Show what is printed inside for debugging only."""
    printed = io.StringIO()
    try:
        with contextlib.redirect_stdout(printed), contextlib.redirect_stderr(printed):
            yield
    finally:
        for line in printed.getvalue().splitlines():
            log.debug("SDK: %s", line)
