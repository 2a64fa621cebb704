"""The measured metrics of the versions that were promoted earlier on the same rows, and now."""

from __future__ import annotations

import math
from dataclasses import dataclass

from markupsafe import Markup

from amltasks.gate.rows import ALL_ROWS
from amltasks.gate.verdict import Verdict

_MOST_METRICS = 4


@dataclass(frozen=True, kw_only=True)
class Line:
    """One version; ``values`` are those of the trend's metrics, NaN where it has none."""

    version: str
    build: str
    values: tuple[float, ...]


@dataclass(frozen=True, kw_only=True)
class Trend:
    """The versions, the oldest first and the candidate last."""

    metrics: tuple[str, ...]
    lines: tuple[Line, ...]

    @property
    def pictures(self) -> list[Markup]:
        """A small line for each metric; the numbers stand in the table."""
        return [_picture([line.values[n] for line in self.lines]) for n in range(len(self.metrics))]


def of(verdict: Verdict) -> Trend | None:
    """Return the trend of the metrics that the rules measure on all rows; None without a past."""
    now = {
        check.metric: check.candidate
        for check in verdict.checks
        if check.scope == ALL_ROWS and not check.of_anchor and check.candidate is not None
    }
    known = [name for name in now if any(name in each.metrics for each in verdict.past)]
    names = tuple(known[:_MOST_METRICS])
    if not names:
        return None
    lines = [
        Line(
            version=each.version,
            build=each.build,
            values=tuple(each.metrics.get(name, math.nan) for name in names),
        )
        for each in verdict.past
    ]
    own = Line(version="this one", build="", values=tuple(now[name] for name in names))
    return Trend(metrics=names, lines=(*lines, own))


def _picture(values: list[float]) -> Markup:
    finite = [value for value in values if math.isfinite(value)]
    low, high = min(finite, default=0.0), max(finite, default=0.0)
    step = 112 / max(len(values) - 1, 1)
    points = [
        (round(4 + step * at, 1), round(26 - 20 * (value - low) / ((high - low) or 1.0), 1))
        for at, value in enumerate(values)
        if math.isfinite(value)
    ]
    path = "M" + "L".join(f"{x} {y}" for x, y in points)
    x, y = points[-1]
    return Markup(
        '<svg class="trend" viewBox="0 0 120 30" aria-hidden="true">'
        '<path d="{path}"/><circle cx="{x}" cy="{y}" r="3"/></svg>'
    ).format(path=path, x=x, y=y)
