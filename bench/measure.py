"""Time two ways of doing one thing, alternately, so that a busy machine slows both alike."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Spent:
    """Seconds of wall time and of CPU time, of all threads and processes, that something took."""

    wall_s: float
    cpu_s: float


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """What one benchmark found; durations are medians in seconds.

    ``clock`` says which: ``wall``, or ``CPU`` where other programs on the machine must not count.
    ``ratio`` is the median of the rounds' ratios (other / ours), between its quartiles.
    """

    claim: str
    ours: str
    other: str
    ours_s: float
    other_s: float
    ratio_low: float
    ratio: float
    ratio_high: float
    rounds: int
    clock: str = "wall"


@dataclass(frozen=True, kw_only=True)
class Count:
    """How often something held, of how many times that it was tried."""

    claim: str
    good: int
    of: int


def compared(
    claim: str,
    *,
    ours: tuple[str, list[float]],
    other: tuple[str, list[float]],
    clock: str = "wall",
) -> Comparison:
    """Compare what two ways took in each round, each a name and as many durations in seconds."""
    mine, theirs = ours[1], other[1]
    ratios = [other_s / own_s for own_s, other_s in zip(mine, theirs, strict=True)]
    low, middle, high = statistics.quantiles(ratios, n=4) if len(ratios) > 1 else ratios * 3
    return Comparison(
        claim=claim,
        ours=ours[0],
        other=other[0],
        ours_s=statistics.median(mine),
        other_s=statistics.median(theirs),
        ratio_low=low,
        ratio=middle,
        ratio_high=high,
        rounds=len(ratios),
        clock=clock,
    )


def compare(
    claim: str,
    *,
    ours: tuple[str, Callable[[], object]],
    other: tuple[str, Callable[[], object]],
    rounds: int,
) -> Comparison:
    """Time ``ours`` and ``other``, each a name and a function, once a round, after a warm-up.

    Returns the medians, and the median of the rounds' ratios (other / ours) with its quartiles.
    """
    ours[1]()
    other[1]()
    pairs = [(seconds(ours[1]), seconds(other[1])) for _ in range(rounds)]
    mine, theirs = (list(each) for each in zip(*pairs, strict=True))
    return compared(claim, ours=(ours[0], mine), other=(other[0], theirs))


def seconds(function: Callable[[], object]) -> float:
    """Return how long one call takes, in seconds of wall time."""
    started = time.perf_counter()
    function()
    return time.perf_counter() - started
