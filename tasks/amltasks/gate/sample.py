"""One scope's rows, made ready for resampling: the differences of all its measures at once."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from amltasks.gate.measures import Measure
from amltasks.gate.ranks import Ranking, ranked
from amltasks.gate.rows import Array, Pair
from amltasks.gate.sums import families

Floats = npt.NDArray[np.float64]

# Rows times resamples up to which the order of the scores is gone through for each resample.
EXACT = 5 * 10**6
_PIECE = 2**20
_NOISE = 1e-14


def is_exact(rows: int, resamples: int, units: int) -> bool:
    """Whether measures of ranks are computed anew for each resample, not linearised."""
    return rows * max(resamples, units) <= EXACT


@dataclass(frozen=True, kw_only=True)
class Sample:
    """A scope's rows in units, and what its measures need of them.

    ``measures`` are those to resample. ``table`` has the sums of each unit, shape (units, columns);
    ``columns`` where in it a family's are, the candidate's and the baseline's. ``rankings`` are
    both models', when measures of ranks are exact.
    """

    units: int
    measures: tuple[Measure, ...]
    model_type: str
    classes: tuple[str, ...]
    table: Floats = field(repr=False)
    columns: dict[str, tuple[slice, slice]]
    unit: Array | None = field(default=None, repr=False)
    rankings: tuple[Ranking, Ranking] | None = field(default=None, repr=False)

    def differences(self, weights: Floats, weighted: Floats) -> Floats:
        """Return candidate less baseline, shape (measures, r).

        ``weights`` has shape (r, units), ``weighted`` is its product with ``table``.
        """
        return np.stack([self._difference(each, weights, weighted) for each in self.measures])

    def difference(self, measure: Measure, sums: Floats) -> Floats:
        """Return candidate less baseline from sums as the table has them, (r, columns) to (r,)."""
        family = families.of(measure.base, self.model_type)
        candidate, baseline = (
            family.value(measure.base, measure.parameter, self.classes, sums[:, columns])
            for columns in self.columns[family.key(measure.parameter)]
        )
        found = candidate - baseline
        # Equal columns of a product may differ in their last digits.
        noise = np.abs(found) <= _NOISE * (np.abs(candidate) + np.abs(baseline))
        return np.where(noise, 0.0, found)

    def _difference(self, measure: Measure, weights: Floats, weighted: Floats) -> Floats:
        if self.rankings is None or measure.kind != "rank":
            return self.difference(measure, weighted)
        assert self.unit is not None  # noqa: S101 - see prepare
        candidate_ranking, baseline_ranking = self.rankings
        piece = max(1, _PIECE // len(self.unit))
        return np.concatenate(
            [
                candidate_ranking.values(measure.base, weights[start : start + piece], self.unit)
                - baseline_ranking.values(measure.base, weights[start : start + piece], self.unit)
                for start in range(0, len(weights), piece)
            ]
        )


def resampled(samples: Sequence[Sample], weights: Iterable[Floats]) -> list[Floats]:
    """Return each sample's differences, shape (measures, r); all have as many units.

    The pieces of ``weights``, each of shape (some, units), add up to r.
    """
    table = np.concatenate([each.table for each in samples], axis=1)
    ends = np.cumsum([each.table.shape[1] for each in samples])[:-1]
    pieces: list[list[Floats]] = [[] for _ in samples]
    for piece in weights:
        for number, weighted in enumerate(np.split(piece @ table, ends, axis=1)):
            pieces[number].append(samples[number].differences(piece, weighted))
    return [np.concatenate(parts, axis=1) for parts in pieces]


def jackknifed(one: Sample, measure: Measure) -> Floats:
    """Return a measure's difference without each unit in turn, shape (units,).

    The measure is a function of sums; those of ranks may not be.
    """
    return one.difference(measure, one.table.sum(axis=0) - one.table)


def prepare(
    pair: Pair, measures: tuple[Measure, ...], unit: Array, units: int, exact: bool
) -> Sample:
    """Sum the rows of each unit; ``unit`` is each row's, ``exact`` as in `is_exact`."""
    exactly = exact and any(each.kind == "rank" for each in measures)
    parts: list[Floats] = []
    columns: dict[str, tuple[slice, slice]] = {}
    width = 0
    for measure in measures:
        family = families.of(measure.base, pair.model_type)
        key = family.key(measure.parameter)
        if key in columns or (exactly and measure.kind == "rank"):
            continue
        sides = [
            family.per_unit(measure.parameter, pair.truth, side, unit, units)
            for side in (pair.candidate, pair.baseline)
        ]
        each = sides[0].shape[1]
        columns[key] = (slice(width, width + each), slice(width + each, width + 2 * each))
        width += 2 * each
        parts.extend(sides)
    rankings = None
    if exactly:
        rankings = (ranked(pair.truth, pair.candidate), ranked(pair.truth, pair.baseline))
    return Sample(
        units=units,
        measures=measures,
        model_type=pair.model_type,
        classes=pair.classes,
        table=np.concatenate(parts, axis=1) if parts else np.zeros((units, 0)),
        columns=columns,
        unit=unit if exactly else None,
        rankings=rankings,
    )
