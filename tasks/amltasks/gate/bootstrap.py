"""Resampling of units of rows, and bounds from what a statistic is on the resamples.

Sources: Efron, JASA 82 (1987), for bias-corrected and accelerated (BCa) bounds; Efron & Tibshirani,
"An introduction to the bootstrap" (1993), chapters 14 and 22; Field & Welsh, JRSS B 69 (2007), for
resampling clusters.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from amltasks.gate import special
from amltasks.gate.rows import Array

Floats = npt.NDArray[np.float64]

# More distinct inputs than this are put into so many groups at random, and groups are resampled.
LARGEST = 4096
# Numbers in one piece of the weights: 8 MB.
_PIECE = 2**20
_NOISE = 1e-12


@dataclass(frozen=True, kw_only=True)
class Distribution:
    """A statistic on the resamples, as far as its bounds need it.

    ``sound`` are the sorted values; ``shift`` corrects for bias and ``bend`` for skew, both 0 for
    plain percentiles; ``bca`` says whether the bounds are BCa's.
    """

    sound: Floats = field(repr=False, compare=False)
    shift: float
    bend: float
    bca: bool

    def bounds(self, confidence: float) -> tuple[float, float]:
        """Return the lower and the upper bound, each at ``confidence``."""
        level = float(special.ndtri(confidence))
        ends = [self.shift + _bent(self.shift + z, self.bend) for z in (-level, level)]
        low, high = np.quantile(self.sound, special.ndtr(ends))
        return float(low), float(high)

    def p_above(self, line: float) -> float:
        """Return the least level at which the lower bound is above ``line``."""
        return max(float(special.ndtr(self._score(line))), self.least)

    def p_below(self, line: float) -> float:
        """Return the least level at which the upper bound is below ``line``."""
        return max(float(special.ndtr(-self._score(line))), self.least)

    def two_sided(self, line: float) -> float:
        """Return twice the least level at which a bound is ``line``, at most 1."""
        return min(1.0, 2 * max(float(special.ndtr(-abs(self._score(line)))), self.least))

    @property
    def least(self) -> float:
        """The smallest level that this many resamples can show."""
        return 1 / (2 * len(self.sound))

    def _score(self, line: float) -> float:
        share = np.clip(_share_below(self.sound, line), self.least, 1 - self.least)
        return _bent(float(special.ndtri(share)) - self.shift, -self.bend) - self.shift


@dataclass(frozen=True, kw_only=True)
class Bounds:
    """Each a one-sided bound; ``bca`` says whether they are BCa's or plain percentiles.

    ``p_value`` is twice the least level at which a bound of the same kind would be 0.
    ``distribution`` gives the bounds at any other confidence.
    """

    low: float
    high: float
    p_value: float
    bca: bool
    distribution: Distribution = field(repr=False)


def grouped(inputs: Array, seed: int) -> tuple[Array, int]:
    """Return each row's unit and how many units there are.

    A unit is a distinct input, or one of `LARGEST` random groups of them. Inputs are a sample of
    independent ones, and so are groups of them that ignore what is in them: the sums over groups
    are independent and alike, and resampling them estimates the same variance with the precision of
    4,095 degrees of freedom (its standard error is 2.2 % of it).
    """
    present = np.bincount(inputs) > 0
    count = int(present.sum())
    unit = inputs if count == len(present) else (np.cumsum(present) - 1)[inputs]
    if count <= LARGEST:
        return unit, count
    group = np.random.default_rng(seed).permutation(count) % LARGEST
    return group[unit], LARGEST


def weights(units: int, resamples: int, seed: int) -> Iterator[Floats]:
    """Yield how often each unit is in each resample, shape (r, units), until r add up."""
    generator = np.random.default_rng([seed, units])
    piece = max(1, _PIECE // units)
    for start in range(0, resamples, piece):
        rows = min(piece, resamples - start)
        drawn = generator.integers(units, size=(rows, units), dtype=np.int32)
        drawn += np.arange(rows, dtype=np.int32)[:, None] * np.int32(units)
        counted = np.bincount(drawn.ravel(), minlength=rows * units)
        yield counted.reshape(rows, units).astype(np.float64)


def bounds(
    value: float, resampled: Floats, jackknife: Floats | None, confidence: float
) -> Bounds | None:
    """Return the bounds of a statistic, each at ``confidence``.

    ``value`` is the statistic on all rows, ``resampled`` on each resample, ``jackknife`` without
    each unit, None for plain percentiles. Resamples on which it is not defined (NaN) are left out;
    None when they are more than half. Percentiles also where the jackknife does not vary.
    """
    sound = np.sort(resampled[np.isfinite(resampled)])
    if 2 * len(sound) < max(len(resampled), 1):
        return None
    bias, acceleration = _share_below(sound, value), _acceleration(jackknife)
    # A statistic that lies beyond all its resamples has a bias that they cannot tell.
    bca = acceleration is not None and 0 < bias < 1
    distribution = Distribution(
        sound=sound,
        shift=float(special.ndtri(bias)) if bca else 0.0,
        bend=acceleration if bca and acceleration is not None else 0.0,
        bca=bca,
    )
    low, high = distribution.bounds(confidence)
    p_value = distribution.two_sided(0.0)
    return Bounds(low=low, high=high, p_value=p_value, bca=bca, distribution=distribution)


def _share_below(ordered: Floats, value: float) -> float:
    """The share below the value, of those equal to it, but for rounding, half."""
    slack = _NOISE * max(abs(float(ordered[0])), abs(float(ordered[-1])))
    ends = np.searchsorted(ordered, value - slack, "left") + np.searchsorted(
        ordered, value + slack, "right"
    )
    return float(ends / (2 * len(ordered)))


def _acceleration(jackknife: Floats | None) -> float | None:
    if jackknife is None or not np.isfinite(jackknife).all():
        return None
    away = jackknife.mean() - jackknife
    spread = float((away**2).sum())
    if spread <= 1e-24 * max(1.0, float((jackknife**2).sum())):
        return None
    return float((away**3).sum() / (6 * spread**1.5))


def _bent(z: float, acceleration: float) -> float:
    """z / (1 - acceleration z), which has its inverse in the opposite acceleration."""
    below = 1 - acceleration * z
    return z / below if below > 0.1 else z / 0.1
