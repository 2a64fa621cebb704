"""Waiting: until done, until late, and through bad weather."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from operator import attrgetter

import pytest

from amltasks import errors, waiting


class Clock:
    """A clock that only pauses move."""

    def __init__(self) -> None:
        self.now = 0.0

    def monotonic(self) -> float:
        return self.now

    def pause(self, seconds: float) -> None:
        self.now += seconds


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    found = Clock()
    monkeypatch.setattr(waiting, "time", found)
    return found


def each(*states: str) -> Callable[[], str]:
    """Gives each state once, then the last one for ever."""

    def give() -> Iterator[str]:
        yield from states
        while True:
            yield states[-1]

    return give().__next__


def until(clock: Clock, look: Callable[[], str], minutes: float = 20) -> tuple[str, bool]:
    return waiting.until(
        look, lambda s: s == "done", describe=str, pause=clock.pause, minutes=minutes
    )


def test_ends_when_done(clock: Clock) -> None:
    assert until(clock, each("new", "new", "done")) == ("done", True)
    assert clock.now == 2.5


def test_ends_when_late_after_one_last_look(clock: Clock) -> None:
    assert until(clock, each("new"), minutes=1) == ("new", False)
    assert clock.now == 60


def test_warns_once_when_most_of_the_time_is_over(clock: Clock) -> None:
    told: list[str] = []

    def wait(minutes: float) -> None:
        waiting.until(
            each("new"),
            lambda s: s == "done",
            describe=str,
            pause=clock.pause,
            minutes=minutes,
            late=told.append,
        )

    wait(10)
    assert len(told) == 1
    assert told[0].startswith("new after 9:0")
    assert told[0].endswith(" of 10 minutes")
    wait(0.9)  # too short for a warning to help
    assert len(told) == 1


def test_tells_changes_and_a_heartbeat(clock: Clock, caplog: pytest.LogCaptureFixture) -> None:
    waiting.log.propagate = True
    with caplog.at_level(logging.INFO, "amltasks"):
        until(clock, each("new", "old"), minutes=9)
    assert caplog.messages[:2] == ["new (0:00)", "old (0:01)"]
    # Looks are 5 s apart by then, so each heartbeat is 60 to 65 s after the last.
    assert 7 <= len(caplog.messages[2:]) <= 9
    assert all(line.startswith("old (") for line in caplog.messages[2:])


def failing(times: int, cause: errors.Cause) -> Callable[[], str]:
    left = [times]

    def look() -> str:
        if left[0]:
            left[0] -= 1
            raise cause.error(doing="looking", detail="x", status=503)
        return "done"

    return look


@pytest.mark.parametrize("cause", sorted(errors.TRANSIENT, key=attrgetter("code")))
def test_what_may_pass_is_sat_out(clock: Clock, cause: errors.Cause) -> None:
    assert until(clock, failing(5, cause)) == ("done", True)
    with pytest.raises(errors.TaskError, match=cause.code):
        until(clock, failing(1000, cause))


def test_what_will_not_pass_is_raised_at_once(clock: Clock) -> None:
    with pytest.raises(errors.TaskError, match="FORBIDDEN"):
        until(clock, failing(1, errors.FORBIDDEN))
    assert clock.now == 0


@pytest.mark.parametrize(
    ("seconds", "text"), [(0.4, "0:00"), (75, "1:15"), (3600, "1:00:00"), (3675.9, "1:01:15")]
)
def test_clock(seconds: float, text: str) -> None:
    assert waiting.clock(seconds) == text


@pytest.mark.parametrize(("refusals", "ends"), [(1, "seen"), (2, "UNAUTHORIZED")])
def test_a_refused_token_is_renewed_once(clock: Clock, refusals: int, ends: str) -> None:
    looks = 0

    def look() -> str:
        nonlocal looks
        looks += 1
        if looks <= refusals:
            raise errors.UNAUTHORIZED.error(doing="looking", detail="expired")
        return "seen"

    try:
        ended = waiting.patiently(look, clock.pause)
    except errors.TaskError as error:
        ended = error.cause.code
    assert ended == ends
