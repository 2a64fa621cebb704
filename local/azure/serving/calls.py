"""The calls that a process is answering, so that it is ended only when it has answered them."""

from __future__ import annotations

import threading


class Calls:
    """Counts the calls that were passed to a process and have no answer yet."""

    def __init__(self) -> None:
        """None yet."""
        self._changed = threading.Condition()
        self._count = 0
        self._abandoned = False

    def begin(self) -> None:
        """Count a call."""
        with self._changed:
            self._count += 1

    def end(self) -> None:
        """A call has its answer, or will get none."""
        with self._changed:
            self._count -= 1
            self._changed.notify_all()

    @property
    def count(self) -> int:
        """How many wait for their answer now."""
        with self._changed:
            return self._count

    def abandon(self) -> None:
        """Let nobody wait for these calls any longer."""
        with self._changed:
            self._abandoned = True
            self._changed.notify_all()

    def wait(self, within_s: float) -> bool:
        """Wait until no call is left. Returns whether none is."""
        with self._changed:
            self._changed.wait_for(self._is_over, within_s)
            return self._count == 0

    def _is_over(self) -> bool:
        return self._abandoned or self._count == 0
