"""What is wrong with a file of predictions."""

from __future__ import annotations

from collections.abc import Iterable

from amltasks import errors

_MOST_NAMES = 30


def invalid(name: str, detail: str) -> errors.TaskError:
    """The error that names a file and says what is wrong with it."""
    return errors.PREDICTIONS_INVALID.error(path=name, detail=detail)


def listed(names: Iterable[str]) -> str:
    """Names for a message, the first of them where they are many."""
    given = list(names)
    shown = ", ".join(given[:_MOST_NAMES])
    left = len(given) - _MOST_NAMES
    return f"{shown} and {left} more" if left > 0 else shown
