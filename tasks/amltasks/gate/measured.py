"""One model's metrics: measured from its own rows where they tell them, else as it logged them."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

import numpy as np

from amltasks.gate import hygiene
from amltasks.gate.measures import ALIASES, Measure, find, point, undefined
from amltasks.gate.model_types import BINARY, MULTICLASS, MULTILABEL, RANKING, REGRESSION
from amltasks.gate.rows import Array, Rows, Side
from amltasks.gate.rules import HYGIENE

AGREE = 5e-4
"""A logged number this near to the measured one is the same: frameworks log rounded numbers."""


@dataclass(frozen=True, kw_only=True)
class Measured:
    """A model's logged metrics, and its rows where it left any."""

    metrics: Mapping[str, float]
    rows: Rows | None = field(default=None, repr=False)

    def by_rows(self, metric: str) -> bool:
        """Whether the rows tell this metric."""
        measure = find(metric)
        return (
            self.rows is not None
            and measure is not None
            and self.rows.model_type in measure.model_types
            and not self.without_scores(metric)
        )

    def without_scores(self, metric: str) -> bool:
        """Whether there are rows, and the metric needs scores that they do not have."""
        measure = find(metric)
        return (
            measure is not None
            and measure.needs_scores
            and self.rows is not None
            and self.rows.model_type in measure.model_types
            and self.rows.scores is None
        )

    def value(self, metric: str, chosen: Array | None) -> float | None:
        """Return the metric on the chosen rows (bool, n; None: all), None where there is none."""
        if metric in HYGIENE:
            found = hygiene.value(metric, self.rows, chosen, self.metrics)
            if found is not None:
                return found
        elif self.rows is not None and self.by_rows(metric):
            part = self.rows if chosen is None else self.rows.where(chosen)
            return point(metric, part.truth, part.side)
        # What was logged is of all rows: it says nothing of a slice.
        return logged(self.metrics, metric) if chosen is None else None

    def undefined(self, metric: str, value: float) -> bool:
        """Whether a value that is no number is so because the metric is not defined on the rows."""
        measure = find(metric)
        if self.rows is None or measure is None or not math.isnan(value):
            return False
        return self.by_rows(metric) and not undefined(measure, self.rows.truth, self.rows.side)

    def lacking(self, metric: str) -> str:
        """What the rows lack to tell a metric that is measured of such a model; else empty."""
        measure = find(metric)
        if self.rows is None or measure is None or not self.by_rows(metric):
            return ""
        return undefined(measure, self.rows.truth, self.rows.side)

    def attainable(self, metric: str, chosen: Array | None) -> bool:
        """Whether a model that is always right has the metric on the chosen rows."""
        if self.rows is None:
            return True
        part = self.rows if chosen is None else self.rows.where(chosen)
        return math.isfinite(point(metric, part.truth, perfect(part)))

    def all_rows(self, names: Iterable[str] = ()) -> dict[str, float]:
        """Return every metric that was logged or is named: from the rows where they tell it."""
        found: dict[str, float] = {}
        for name in {*self.metrics, *names}:
            measure = find(name)
            value = self.metrics.get(name)
            if measure is not None:
                value = self.value(measure.name, None)
            if value is not None and (math.isfinite(value) or name in self.metrics):
                found[name] = value
        return found

    def contradictions(self, names: Iterable[str]) -> Iterator[tuple[str, float, float]]:
        """Yield each named metric that was logged otherwise than the rows tell it, and both."""
        known: list[Measure | None] = [find(each) for each in names if self.by_rows(each)]
        for name in sorted({each.name for each in known if each is not None}):
            said, true = logged(self.metrics, name), self.value(name, None)
            if said is None or true is None or not math.isfinite(true):
                continue
            if not abs(said - true) <= AGREE * max(1.0, abs(true)):
                yield name, said, true


def perfect(rows: Rows) -> Side:
    """Return what a model that is always right would say of the rows.

    A column of plain numbers has no right value: it is 0, so that the difference to it is the
    column itself; one of quantiles is right where it is the label.
    """
    scores = None
    if rows.model_type == MULTICLASS:
        scores = np.eye(len(rows.classes))[rows.labels]
    elif rows.model_type in (BINARY, MULTILABEL, RANKING):
        scores = rows.labels.astype(np.float64)
    labels = rows.labels if rows.model_type == REGRESSION else np.zeros(len(rows))
    values = {
        name: labels if name.startswith("quantile_") else np.zeros(len(rows))
        for name in rows.values
    }
    return Side(
        predictions=rows.predictions if rows.model_type == RANKING else rows.labels,
        scores=scores,
        values=values,
    )


def logged(metrics: Mapping[str, float], metric: str) -> float | None:
    """A metric by its name, or else by another name that means the same."""
    names = (metric, *(alias for alias, name in ALIASES.items() if name == metric))
    return next((metrics[name] for name in names if name in metrics), None)
