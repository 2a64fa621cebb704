"""Threads in which handlers run, so many and no more for each service."""

from __future__ import annotations

import asyncio
import queue
import threading
from collections.abc import Callable
from typing import Any, TypeVar

T = TypeVar("T")
_Job = tuple[asyncio.Future[Any], Callable[..., Any], tuple[Any, ...]]


class Threads:
    """Up to `most` threads; what comes when all are busy waits its turn.

    Unlike those of concurrent.futures they keep no process from ending, and a call costs a third of
    one by anyio.
    """

    def __init__(self, name: str, most: int) -> None:
        """No thread yet: they start when they are needed."""
        self._name = name
        self._most = most
        self._jobs: queue.SimpleQueue[_Job] = queue.SimpleQueue()
        self._started = 0
        self._idle = 0

    async def run(self, function: Callable[..., T], *arguments: Any) -> T:
        """What a function returns, or raises, in one of the threads."""
        loop = asyncio.get_running_loop()
        future: asyncio.Future[T] = loop.create_future()
        if self._idle > 0:
            self._idle -= 1
        elif self._started < self._most:
            self._started += 1
            name = f"{self._name} {self._started}"
            threading.Thread(target=self._work, args=(loop,), name=name, daemon=True).start()
        else:
            self._idle -= 1
        self._jobs.put((future, function, arguments))
        return await future

    def _work(self, loop: asyncio.AbstractEventLoop) -> None:
        while True:
            future, function, arguments = self._jobs.get()
            try:
                result, error = function(*arguments), None
            except BaseException as raised:
                result, error = None, raised
            try:
                loop.call_soon_threadsafe(self._finish, future, result, error)
            except RuntimeError:
                return  # the server has ended
            del future, function, arguments, result, error

    def _finish(
        self, future: asyncio.Future[Any], result: Any, error: BaseException | None
    ) -> None:
        self._idle += 1
        if future.cancelled():
            return
        if error is None:
            future.set_result(result)
        else:
            future.set_exception(error)
