"""Work that goes on after the request that asked for it was answered: threads, stops and slots."""

from __future__ import annotations

import contextlib
import logging
import threading
from collections.abc import Callable, Iterator

logger = logging.getLogger(__name__)


class Stop(threading.Event):
    """Asks for the end of some work, with the reason."""

    reason = ""

    def ask(self, reason: str) -> None:
        """Ask for the end; the first reason stays."""
        if not self.is_set():
            self.reason = reason
            self.set()


class _ChildStop(Stop):
    """A step's own stop, which the pipeline's stop sets too."""

    def __init__(self, parent: Stop) -> None:
        super().__init__()
        self.parent = parent

    def is_set(self) -> bool:
        if self.parent.is_set():
            self.reason = self.reason or self.parent.reason
            return True
        return super().is_set()

    def wait(self, timeout: float | None = None) -> bool:
        return self.is_set() or super().wait(timeout)


class Background:
    """The runs under way: a thread and a stop for each, and the nodes that they wait for."""

    def __init__(self) -> None:
        """Nothing is under way."""
        self._lock = threading.Lock()
        self._stops: dict[str, Stop] = {}
        self._threads: set[threading.Thread] = set()
        self._slots: dict[tuple[str, int], threading.Semaphore] = {}

    def start(
        self, run_id: str, work: Callable[[Stop], object], *, broken: Callable[[], None]
    ) -> None:
        """Do `work` in a thread; `broken` writes the end when it breaks off by a fault of ours.

        work: gets a stop that `cancel` and the server's end ask.
        """
        stop = Stop()

        def body() -> None:
            try:
                work(stop)
            except Exception:
                logger.exception("run %s broke off", run_id)
                broken()
            finally:
                with self._lock:
                    self._stops.pop(run_id, None)
                    self._threads.discard(threading.current_thread())

        thread = threading.Thread(target=body, name=run_id, daemon=True)
        with self._lock:
            self._stops[run_id] = stop
            self._threads.add(thread)
        thread.start()

    def cancel(self, run_id: str) -> bool:
        """Ask a pipeline, step or script that is under way to end; whether there was one."""
        with self._lock:
            stop = self._stops.get(run_id)
        if stop is None:
            return False
        stop.ask("Canceled")
        return True

    @contextlib.contextmanager
    def cancelable(self, run_id: str, parent: Stop) -> Iterator[Stop]:
        """A stop for a child, which `cancel` finds by its run and the parent's stop sets too."""
        stop = _ChildStop(parent)
        with self._lock:
            self._stops[run_id] = stop
        try:
            yield stop
        finally:
            with self._lock:
                self._stops.pop(run_id, None)

    def slots(self, target: str, nodes: int) -> threading.Semaphore:
        """The nodes of a compute target, of which each run takes one."""
        with self._lock:
            return self._slots.setdefault((target.lower(), nodes), threading.Semaphore(nodes))

    def stop_all(self, reason: str) -> None:
        """End everything under way; called when the server ends."""
        with self._lock:
            threads = list(self._threads)
            for stop in self._stops.values():
                stop.ask(reason)
        for thread in threads:
            thread.join(timeout=20)
