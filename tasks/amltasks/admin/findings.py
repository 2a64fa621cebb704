"""What ``doctor`` finds: one finding for each check, with what to do where something is missing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from amltasks.admin import console
from amltasks.errors import TaskError, sentence


@dataclass(frozen=True, kw_only=True)
class Finding:
    """One thing that the sample needs. ``state`` is OK, MISSING or UNKNOWN (could not look)."""

    name: str
    state: str
    detail: str
    next_step: str = ""

    def show(self) -> None:
        """Write it for people."""
        console.say(self.state, f"{self.name}: {self.detail}")
        if self.next_step:
            console.more(f"Next: {sentence(self.next_step)}")


def ok(name: str, detail: str) -> Finding:
    """It is there."""
    return Finding(name=name, state=console.OK, detail=detail)


def missing(name: str, detail: str, next_step: str) -> Finding:
    """It is not there."""
    return Finding(name=name, state=console.MISSING, detail=detail, next_step=next_step)


def unknown(name: str, detail: str, next_step: str) -> Finding:
    """It could not be seen; that is no good sign either."""
    return Finding(name=name, state=console.UNKNOWN, detail=detail, next_step=next_step)


def look(name: str, check: Callable[[], Finding]) -> Finding:
    """A check whose failure is a finding, so that the others still run."""
    try:
        return check()
    except TaskError as error:
        return missing(name, error.happened, error.next_step)
