"""The errors that the local agent shows its user."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path


class AgentError(Exception):
    """A refusal in one sentence: what happened, why, and what to do next."""


class PipelineFileError(AgentError):
    """A mistake in the pipeline file, with the place where it is.

    Args:
        path: the pipeline file.
        line: 1-based line, 0 when the whole file is meant.
        message: one sentence.
    """

    def __init__(self, path: Path, line: int, message: str) -> None:
        """Put place and message together."""
        self.path = path
        self.line = line
        self.message = message
        place = f"{path}:{line}" if line else str(path)
        super().__init__(f"{place}: {message}")


@dataclass(frozen=True)
class Place:
    """A place in a file that a user wrote: ``line`` is 1-based, 0 when the whole file is meant."""

    path: Path
    line: int = 0

    def error(self, message: str) -> PipelineFileError:
        """Return an error about what is written here, in one sentence."""
        return PipelineFileError(self.path, self.line, message)


def closest(name: str, valid: Iterable[str]) -> str | None:
    """Return the valid name that is most like ``name``, None when none is like it."""
    by_lower = {candidate.lower(): candidate for candidate in valid}
    close = difflib.get_close_matches(name.lower(), by_lower, n=1, cutoff=0.6)
    return by_lower[close[0]] if close else None


def nearest(name: str, valid: Iterable[str]) -> str:
    """Return ``did you mean X?`` or the list of valid names, for the end of a message."""
    names = list(valid)
    close = closest(name, names)
    if close is not None:
        return f"did you mean '{close}'?"
    return "valid here: " + (", ".join(sorted(names, key=str.lower)) or "nothing")
