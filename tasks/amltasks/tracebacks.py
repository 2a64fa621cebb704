"""Which lines of a log say what a script raised."""

from __future__ import annotations

import re
from collections.abc import Iterable

# The last line of a traceback: the exception's name, and its text where it has one.
_EXCEPTION = re.compile(r"^[\w.]*(?:Error|Exception|Exit|Interrupt)(?:: |:?\s*$)")


def raised(lines: Iterable[str]) -> list[str]:
    """The lines with which tracebacks end, in their order: `ValueError: no such column`."""
    return [line for line in lines if _EXCEPTION.match(line)]
