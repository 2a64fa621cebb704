"""Threads for handlers: no more than so many, and errors come back."""

from __future__ import annotations

import asyncio
import threading

import pytest

from local.azure.kernel.threads import Threads
from tests.patience import PATIENCE_S


def test_results_and_errors_come_back():
    async def both():
        threads = Threads("test", 2)
        assert await threads.run(lambda a, b: a + b, 1, 2) == 3
        with pytest.raises(KeyError):
            await threads.run(dict[str, int]().__getitem__, "gone")

    asyncio.run(both())


def test_no_more_run_at_once_and_none_is_forgotten():
    meeting = threading.Barrier(3)
    names = set()

    def work(number):
        names.add(threading.current_thread().name)
        meeting.wait(PATIENCE_S)  # passes only when three run at once
        return number

    async def many():
        threads = Threads("test", 3)
        return await asyncio.gather(*(threads.run(work, number) for number in range(12)))

    assert asyncio.run(many()) == list(range(12))
    assert names == {"test 1", "test 2", "test 3"}


def test_a_caller_that_gave_up_does_not_harm_the_thread():
    go_on = threading.Event()

    async def give_up():
        threads = Threads("test", 1)
        waiting = asyncio.create_task(threads.run(go_on.wait, PATIENCE_S))
        await asyncio.sleep(0)
        waiting.cancel()
        go_on.set()
        return await threads.run(lambda: "next")

    assert asyncio.run(give_up()) == "next"
