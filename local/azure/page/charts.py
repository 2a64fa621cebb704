"""Charts of metrics as numbers in a picture; the template draws them as SVG."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

WIDTH = 320
HEIGHT = 110
_LEFT, _RIGHT, _TOP, _BOTTOM = 8, 8, 10, 10


@dataclass(frozen=True, kw_only=True)
class Mark:
    """One value. x, y: its place in the picture, y downwards."""

    x: float
    y: float
    label: str


@dataclass(frozen=True, kw_only=True)
class Chart:
    """A metric over steps or runs. low, high: its smallest and its largest value."""

    title: str
    marks: Sequence[Mark]
    low: float
    high: float
    last: float

    @property
    def line(self) -> str:
        """The points of the line through the marks."""
        return " ".join(f"{mark.x:g},{mark.y:g}" for mark in self.marks)


def chart(title: str, values: Sequence[tuple[str, float | str]]) -> Chart | None:
    """A chart of labelled values in their order; None where fewer than two are finite numbers."""
    found = [
        (label, value)
        for label, value in values
        if isinstance(value, (int, float)) and math.isfinite(value)
    ]
    if len(found) < 2:
        return None
    low, high = (bound(value for _, value in found) for bound in (min, max))
    # Halved first: the span of two numbers may be more than a float holds.
    span = high / 2 - low / 2
    step = (WIDTH - _LEFT - _RIGHT) / (len(found) - 1)
    marks = []
    for index, (label, value) in enumerate(found):
        share = (value / 2 - low / 2) / span if span else 0.5
        y = _TOP + (HEIGHT - _TOP - _BOTTOM) * (1 - share)
        marks.append(Mark(x=round(_LEFT + index * step, 1), y=round(y, 1), label=label))
    return Chart(title=title, marks=marks, low=low, high=high, last=found[-1][1])
