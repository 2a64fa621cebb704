"""A sign of life in each silent stretch of the demo."""

from __future__ import annotations

import contextlib
import sys
import threading
import time
from collections.abc import Iterator
from typing import IO

import click

SILENCE_S = 2.0


class Progress:
    """Prints lines as they come, and the seconds gone by while none come.

    On a terminal one line counts up; elsewhere a line is added after 2 s of silence, and again
    each time the silence has become twice as long, so that logs stay short.
    """

    def __init__(self, silence_s: float = SILENCE_S) -> None:
        """Begin to count now."""
        self._silence_s = silence_s
        self._terminal = sys.stdout.isatty()
        self._lock = threading.Lock()
        self._since = time.monotonic()
        self._next_s = silence_s
        self._counting = False

    def line(self, text: str) -> None:
        """Print a line of the demo's or of a program that it runs."""
        with self._lock:
            self._clear()
            click.echo(text)
            self._since, self._next_s = time.monotonic(), self._silence_s

    def pass_on(self, stream: IO[str]) -> None:
        """Print the lines of a stream until it ends."""
        for text in stream:
            self.line(text.rstrip("\n"))

    @contextlib.contextmanager
    def watching(self, doing: str) -> Iterator[None]:
        """Tell every silence of the block.

        Args:
            doing: what goes on meanwhile, such as ``the pipeline runs``.
        """
        over = threading.Event()
        watcher = threading.Thread(target=self._watch, args=(doing, over), daemon=True)
        with self._lock:
            self._since, self._next_s = time.monotonic(), self._silence_s
        watcher.start()
        try:
            yield
        finally:
            over.set()
            watcher.join()
            with self._lock:
                self._clear()

    def _watch(self, doing: str, over: threading.Event) -> None:
        while not over.wait(0.2):
            with self._lock:
                silent = time.monotonic() - self._since
                if silent < self._next_s:
                    continue
                text = f"demo: … {doing}, {silent:.0f} s"
                if self._terminal:
                    click.echo(f"\r{text}", nl=False)
                    self._counting = True
                    self._next_s = silent + 1
                else:
                    click.echo(text)
                    self._next_s *= 2

    def _clear(self) -> None:
        if self._counting:
            click.echo("\r" + " " * 78 + "\r", nl=False)
            self._counting = False
