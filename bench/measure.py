"""Time two ways of doing one thing, alternately, so that the machine's moods hit both alike."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """What one benchmark found; durations are medians in seconds."""

    claim: str
    ours: str
    other: str
    ours_s: float
    other_s: float
    ratio_low: float
    ratio: float
    ratio_high: float
    rounds: int


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
    low, middle, high = statistics.quantiles([theirs / mine for mine, theirs in pairs], n=4)
    return Comparison(
        claim=claim,
        ours=ours[0],
        other=other[0],
        ours_s=statistics.median(mine for mine, _ in pairs),
        other_s=statistics.median(theirs for _, theirs in pairs),
        ratio_low=low,
        ratio=middle,
        ratio_high=high,
        rounds=rounds,
    )


def seconds(function: Callable[[], object]) -> float:
    """Return how long one call takes, in seconds of wall time."""
    started = time.perf_counter()
    function()
    return time.perf_counter() - started
