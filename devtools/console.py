"""Lines for people, and the one way to fail."""

from __future__ import annotations

import sys
from typing import NoReturn


def say(text: str, *, error: bool = False) -> None:
    """Write one line for people; standard output stays free for results such as a path."""
    stream = sys.stderr if error or text.startswith("dev.py:") else sys.stdout
    stream.write(text + "\n")
    stream.flush()


def fail(what: str, following: str, *, code: int = 1) -> NoReturn:
    """End with one sentence that says what happened and what to do next."""
    say(f"dev.py: {what}. Next: {following}.", error=True)
    raise SystemExit(code)
