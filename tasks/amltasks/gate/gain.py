"""How much better one model is than another in one measure, and what is known about it."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Protocol


class Evidence(Protocol):
    """What the rows say about a gain: its bounds at any confidence, and one-sided tests of it."""

    def bounds(self, confidence: float) -> tuple[float, float]:
        """Return the lower and the upper bound of the gain, each at ``confidence`` (0.5 to 1)."""

    def p_above(self, line: float) -> float:
        """Return the p-value of a gain of at most ``line``: small where it is shown to be above."""

    def p_below(self, line: float) -> float:
        """Return the p-value of a gain of at least ``line``: small where it is shown below."""


@dataclass(frozen=True, kw_only=True)
class Gain:
    """How much better the candidate is, in the metric's unit and whichever way is better.

    ``low`` and ``high`` are one-sided bounds of the true gain, each at the confidence of the rules.
    ``p_value`` belongs to the test that the docstring of the subclass names. ``detectable`` is the
    least true gain that so many rows show four times in five. ``rows`` and ``inputs`` count the
    rows that the measure is taken over, and the distinct inputs among them: 0 for a gain of two
    single numbers. ``method`` says in words how the numbers were found. A number that is not known,
    not defined or not asked for is NaN.
    """

    baseline: float = math.nan
    gain: float = math.nan
    low: float = math.nan
    high: float = math.nan
    p_value: float = math.nan
    detectable: float = math.nan
    rows: int = 0
    inputs: int = 0
    method: str = ""

    @property
    def bounded(self) -> bool:
        """Whether the gain has bounds."""
        return math.isfinite(self.low) and math.isfinite(self.high)
