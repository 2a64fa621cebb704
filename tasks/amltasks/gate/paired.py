"""The difference of two models on the very same rows: how large, how sure, and how we know.

The unit is the distinct input: rows that repeat one say the same thing again. Shares of rows
(accuracy, recall, specificity) are judged exactly, by :mod:`amltasks.gate.mcnemar`; every other
measure by a bootstrap of the inputs, of which many measures and slices share the resamples.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np

from amltasks.gate import comparison, measures, special
from amltasks.gate.comparison import Comparison
from amltasks.gate.measures import Measure, is_exact
from amltasks.gate.rows import ALL_ROWS, Array, Pair

RESAMPLES = 10_000


class Wanted(NamedTuple):
    """A measure on the rows of a scope; ``chosen`` (bool, one per row) is None for all of them.

    ``direction`` is that of a measure of which only the user knows which way is better; the others
    have their own. Wants of one scope name the same rows, those of one measure one direction.
    """

    scope: str
    chosen: Array | None
    measure: str
    direction: str = "higher"

    @property
    def known(self) -> Measure:
        """The measure that is meant."""
        found = measures.get(self.measure)
        return found if found.direction else replace(found, direction=self.direction)


def compare(
    pair: Pair,
    measure: str,
    *,
    confidence: float = 0.95,
    resamples: int = RESAMPLES,
    seed: int = 0,
) -> Comparison:
    """Compare two models in one measure on all rows; see `compare_many`."""
    wanted = [Wanted(ALL_ROWS, None, measure)]
    return compare_many(pair, wanted, confidence=confidence, resamples=resamples, seed=seed)[0]


def compare_many(
    pair: Pair,
    wanted: Sequence[Wanted],
    *,
    confidence: float = 0.95,
    resamples: int = RESAMPLES,
    seed: int = 0,
) -> list[Comparison]:
    """Compare two models in every measure and scope that is wanted, in that order.

    ``measure`` is a name that :func:`measures.find` knows; ``confidence`` is that of each bound,
    above 0.5 and below 1. The same arguments give the same numbers, and what else is wanted does
    not change them.
    """
    scopes: dict[str, list[int]] = {}
    for number, want in enumerate(wanted):
        scopes.setdefault(want.scope, []).append(number)
    found: dict[tuple[str, str], Comparison] = {}
    waiting: list[comparison.Waiting] = []
    for scope, numbers in scopes.items():
        chosen = wanted[numbers[0]].chosen
        rows = pair if chosen is None else pair.where(chosen)
        truth = rows.truth
        of_scope = dict.fromkeys(wanted[number].known for number in numbers)
        waits: list[tuple[Comparison, Measure]] = []
        for measure in of_scope:
            plain = found[scope, measure.name] = comparison.plain(scope, rows, measure)
            if not math.isfinite(plain.gain):
                continue
            if is_exact(measure, truth):
                found[scope, measure.name] = comparison.proportion(plain, rows, measure, confidence)
            else:
                waits.append((plain, measure))
        if waits:
            plains, rest = zip(*waits, strict=True)
            waiting.append(comparison.prepared(plains, rest, rows, resamples, seed))
    for each in comparison.resampled(waiting, confidence, resamples, seed):
        found[each.scope, each.measure] = each
    return [found[want.scope, measures.get(want.measure).name] for want in wanted]


def noise(values: Sequence[float], confidence: float) -> float:
    """Return by how much two retrains of one recipe may differ, at ``confidence`` one-sided.

    ``values`` are a measure's of k models that differ by their seed alone: Student's t for k - 1
    degrees of freedom, times their standard deviation, times the root of 2, for the difference of
    two. NaN for fewer than two values or one that is not finite.
    """
    given = np.asarray(values, dtype=np.float64)
    if len(given) < 2 or not np.isfinite(given).all():
        return math.nan
    quantile = float(special.stdtrit(len(given) - 1, confidence))
    return quantile * float(np.std(given, ddof=1)) * math.sqrt(2)
