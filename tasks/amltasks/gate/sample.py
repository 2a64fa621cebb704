"""One scope's rows, made ready for resampling: the differences of all its measures at once."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from amltasks.gate import sums
from amltasks.gate.ranks import Ranking
from amltasks.gate.rows import Array, Pair

Floats = npt.NDArray[np.float64]

# Rows times resamples up to which the order of the scores is gone through for each resample.
EXACT = 5 * 10**6
_PIECE = 2**20
RANKS = ("auc", "average_precision")


def is_exact(rows: int, resamples: int, units: int) -> bool:
    """Whether measures of ranks are computed anew for each resample, not linearised."""
    return rows * max(resamples, units) <= EXACT


@dataclass(frozen=True, kw_only=True)
class Sample:
    """A scope's rows in units, and what its measures need of them.

    ``measures`` are the names to resample. ``table`` has the sums of each unit, shape (units,
    columns); ``columns`` where in it a family's are, the candidate's and the baseline's.
    ``rankings`` are both models', when measures of ranks are exact.
    """

    units: int
    measures: tuple[str, ...]
    table: Floats = field(repr=False)
    columns: dict[str, tuple[slice, slice]]
    unit: Array | None = field(default=None, repr=False)
    rankings: tuple[Ranking, Ranking] | None = field(default=None, repr=False)

    def differences(self, weights: Floats, weighted: Floats) -> Floats:
        """Return candidate less baseline, shape (measures, r).

        ``weights`` has shape (r, units), ``weighted`` is its product with ``table``.
        """
        return np.stack([self._difference(name, weights, weighted) for name in self.measures])

    def _difference(self, name: str, weights: Floats, weighted: Floats) -> Floats:
        family = sums.FAMILY[name]
        if family in self.columns:
            candidate, baseline = self.columns[family]
            return sums.value(name, weighted[:, candidate]) - sums.value(
                name, weighted[:, baseline]
            )
        assert self.rankings is not None and self.unit is not None  # noqa: S101 - see prepare
        candidate_ranking, baseline_ranking = self.rankings
        piece = max(1, _PIECE // len(self.unit))
        return np.concatenate(
            [
                candidate_ranking.values(name, weights[start : start + piece], self.unit)
                - baseline_ranking.values(name, weights[start : start + piece], self.unit)
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


def jackknifed(one: Sample, name: str) -> Floats:
    """Return a measure's difference without each unit in turn, shape (units,).

    The measure is a function of sums; those of ranks may not be.
    """
    candidate, baseline = one.columns[sums.FAMILY[name]]
    without = one.table.sum(axis=0) - one.table
    return sums.value(name, without[:, candidate]) - sums.value(name, without[:, baseline])


def prepare(pair: Pair, measures: tuple[str, ...], unit: Array, units: int, exact: bool) -> Sample:
    """Sum the rows of each unit; ``unit`` is each row's, ``exact`` as in `is_exact`."""
    ranked = exact and any(name in RANKS for name in measures)
    families = dict.fromkeys(
        sums.FAMILY[name] for name in measures if not (ranked and name in RANKS)
    )
    parts: list[Floats] = []
    columns: dict[str, tuple[slice, slice]] = {}
    width = 0
    for family in families:
        sides = [
            sums.per_unit(family, pair.labels, side, unit, units)
            for side in (pair.candidate, pair.baseline)
        ]
        each = sides[0].shape[1]
        columns[family] = (slice(width, width + each), slice(width + each, width + 2 * each))
        width += 2 * each
        parts.extend(sides)
    rankings = None
    if ranked:
        first, second = (
            Ranking(pair.labels, np.asarray(side.scores))
            for side in (pair.candidate, pair.baseline)
        )
        rankings = (first, second)
    return Sample(
        units=units,
        measures=measures,
        table=np.concatenate(parts, axis=1) if parts else np.zeros((units, 0)),
        columns=columns,
        unit=unit if ranked else None,
        rankings=rankings,
    )
