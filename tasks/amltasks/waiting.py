"""Waiting for Azure with a heartbeat and a deadline."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from typing import TypeVar

from amltasks import errors

log = logging.getLogger("amltasks")

HEARTBEAT_SECONDS = 60.0
# What runs in Azure goes on while one cannot see it, so a wait outlives this much blindness.
PATIENCE_MINUTES = 5.0
_RETRY_SECONDS = 5.0
WARN_AT = 0.9
"""The part of a time limit after which a task warns, where the limit is a minute or more."""

State = TypeVar("State")


def clock(seconds: float) -> str:
    """``75`` -> ``1:15``; hours as ``1:00:00``."""
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def patiently(
    look: Callable[[], State], pause: Callable[[float], None], minutes: float = PATIENCE_MINUTES
) -> State:
    """Look, and again while Azure cannot answer; once more with a new token if one was refused.

    The log tells once what is wrong, and when Azure answers again.

    Args:
        look: asks Azure.
        pause: as for :func:`until`.
        minutes: how long.

    Raises:
        TaskError: what ``look`` raises, when it is not :data:`errors.TRANSIENT` or lasts.
    """
    begun, renewed, told = time.monotonic(), False, ""
    while True:
        try:
            found = look()
        except errors.TaskError as error:
            renew = error.cause is errors.UNAUTHORIZED and not renewed
            patient = error.cause in errors.TRANSIENT and time.monotonic() - begun <= minutes * 60
            if not renew and not patient:
                raise
            renewed = renewed or renew
            if error.cause.code != told:
                log.info("Trying again for up to %g minutes: %s", minutes, error.happened)
                told = error.cause.code
        else:
            if told:
                log.info("Azure answers again after %s", clock(time.monotonic() - begun))
            return found
        pause(_RETRY_SECONDS)


def until(
    look: Callable[[], State],
    done: Callable[[State], bool],
    *,
    describe: Callable[[State], str],
    pause: Callable[[float], None],
    minutes: float,
    every: float = 5.0,
    first: float = 1.0,
    late: Callable[[str], None] | None = None,
) -> tuple[State, bool]:
    """Look again and again until done or out of time.

    What ``describe`` says is logged when it changes, and with the time waited at each heartbeat.

    Args:
        look: asks Azure.
        done: whether a state is final.
        describe: a state in a few words.
        pause: sleeps (seconds); raises ``KeyboardInterrupt`` on cancel.
        minutes: the deadline.
        every: seconds between looks; the first ones come quicker, from ``first`` seconds on.
        late: is told once, in words, that most of the time is over.

    Returns:
        The last state, and whether it is final.
    """
    start = spoke = time.monotonic()
    said, wait = "", first
    while True:
        state = patiently(look, pause)
        now, text = time.monotonic(), describe(state)
        if text != said or now - spoke >= HEARTBEAT_SECONDS:
            log.info("%s (%s)", text, clock(now - start))
            said, spoke = text, now
        if done(state):
            return state, True
        if late is not None and minutes >= 1 and now - start > minutes * 60 * WARN_AT:
            late(f"{text} after {clock(now - start)} of {minutes:g} minutes")
            late = None
        left = start + minutes * 60 - now
        if left <= 0:
            return state, False
        pause(min(wait, left))
        wait = min(every, wait * 1.5)
