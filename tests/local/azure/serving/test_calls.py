"""A process is ended once its calls are answered, or when waiting for them takes too long."""

from __future__ import annotations

import threading

from local.azure.serving.calls import Calls
from tests.patience import PATIENCE_S


def waiting(calls: Calls) -> tuple[threading.Thread, list[bool]]:
    """A thread that waits for the calls, and what it is told."""
    told: list[bool] = []
    thread = threading.Thread(target=lambda: told.append(calls.wait(PATIENCE_S)))
    thread.start()
    return thread, told


def test_who_waits_goes_on_after_the_last_answer() -> None:
    calls = Calls()
    assert calls.wait(0)
    calls.begin()
    calls.begin()
    assert not calls.wait(0.01)
    thread, told = waiting(calls)
    calls.end()
    assert told == [] and calls.count == 1
    calls.end()
    thread.join(PATIENCE_S)
    assert told == [True]


def test_abandoned_calls_keep_nobody_waiting() -> None:
    calls = Calls()
    calls.begin()
    thread, told = waiting(calls)
    calls.abandon()
    thread.join(PATIENCE_S)
    assert told == [False]
