"""Two models' shares of right rows, on the same rows: exact McNemar, and bounds of the difference.

Sources: McNemar, Psychometrika 12 (1947); Tango, Statistics in Medicine 17 (1998), for the score
interval of the difference of paired proportions; Obuchowski, Statistics in Medicine 17 (1998), and
Yang, Sun & Hardin, Statistics in Medicine 31 (2012), for repeated inputs.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from amltasks.gate import special
from amltasks.gate.rows import Array

Floats = npt.NDArray[np.float64]

# For the counts' continuity, in rows: half the usual one. Where few rows differ, bounds without one
# miss in up to 6.6 % of samples, not 5 %; with this, in at most 5 % in all our enumerations.
CORRECTION = 0.25
# See `_design_effect`; with it the bounds held in our simulations of repeated inputs.
_DOUBT = 6
# Each halves what is left of [-1, 1]: to the last digit of a double.
_HALVINGS = 54


@dataclass(frozen=True, kw_only=True)
class Tally:
    """How two models differ on rows whose inputs repeat.

    ``gain`` is the candidate's share of right rows less the baseline's. ``better`` and ``worse``
    count the inputs with more rows that the candidate alone (the baseline alone) gets right.
    ``effective`` is how many independent rows are worth as much as these.
    """

    rows: int
    inputs: int
    gain: float
    row_better: int
    row_worse: int
    better: int
    worse: int
    effective: float


def tally(candidate: Array, baseline: Array, inputs: Array) -> Tally:
    """Count; arrays over n rows: whether each model is right (bool), and which input it is."""
    net = candidate.astype(np.float64) - baseline
    rows = len(net)
    units = int(inputs.max()) + 1 if rows else 0
    sizes = np.bincount(inputs, minlength=units)
    nets = np.bincount(inputs, weights=net, minlength=units)[sizes > 0]
    sizes = sizes[sizes > 0]
    row_better, row_worse = int((net > 0).sum()), int((net < 0).sum())
    return Tally(
        rows=rows,
        inputs=len(sizes),
        gain=float(net.mean()) if rows else float("nan"),
        row_better=row_better,
        row_worse=row_worse,
        better=int((nets > 0).sum()),
        worse=int((nets < 0).sum()),
        effective=rows / _design_effect(sizes, nets, row_better + row_worse),
    )


def _design_effect(sizes: Array, nets: Array, discordant: int) -> float:
    """How many times the variance of the gain is what it would be if no input repeated; at least 1.

    The estimate rests on the inputs that differ. While they are few it says little, and less than
    the truth when large inputs chance to be missing; so the worst case, in which all rows of an
    input differ alike, counts as much as `_DOUBT` of them.
    """
    rows = float(sizes.sum())
    if rows == len(sizes):
        return 1.0
    worst = float((sizes.astype(np.float64) ** 2).sum()) / rows
    differ = int((nets != 0).sum())
    gain = float(nets.sum()) / rows
    alone = discordant - rows * gain**2
    if differ == 0 or alone <= 0 or len(sizes) == 1:
        return worst
    spread = float(((nets - gain * sizes) ** 2).sum()) * len(sizes) / (len(sizes) - 1)
    return max(1.0, (differ * spread / alone + _DOUBT * worst) / (differ + _DOUBT))


def exact_p(better: int, worse: int) -> float:
    """Return the two-sided p-value of the sign test: of no difference between the models."""
    if better + worse == 0:
        return 1.0
    # Twice the smaller tail: at one half both are alike. scipy.stats would take a second to import.
    return min(1.0, 2 * float(special.bdtr(min(better, worse), better + worse, 0.5)))


def score_bounds(
    better: Array | float,
    worse: Array | float,
    rows: Array | float,
    confidence: float,
    *,
    correction: float = CORRECTION,
) -> tuple[Floats, Floats]:
    """Return the lower and the upper bound of (better - worse) / rows, each at ``confidence``.

    Tango's score interval: every difference whose score statistic is at most z, when better - worse
    may be off by ``correction``. With ``better`` and ``worse`` both 0 the bounds are, but for the
    correction, -z²/(rows + z²) and z²/(rows + z²); without rows, -1 and 1. Takes arrays of one
    shape, and counts that are no integers.
    """
    z = float(special.ndtri(confidence))
    wins, losses, size = (np.asarray(each, dtype=np.float64) for each in (better, worse, rows))
    return _lower(wins, losses, size, z, correction), -_lower(losses, wins, size, z, correction)


def score_p(
    better: float, worse: float, rows: float, line: float, *, correction: float = CORRECTION
) -> float:
    """Return the one-sided p-value of a difference (better - worse) / rows of at most ``line``.

    The test whose lower bound is that of `score_bounds`: below ``1 - confidence`` exactly where
    that bound is above ``line``. 1 where there are no rows.
    """
    wins, losses, size = (np.asarray(each, dtype=np.float64) for each in (better, worse, rows))
    if rows <= 0 or line >= 1:
        return 1.0
    if line <= -1:
        return 0.0
    excess = float(wins - losses - size * line - correction)
    deviation = float(_deviation(np.asarray(line), wins, losses, size))
    if deviation == 0:
        return 0.0 if excess > 0 else 1.0
    return float(special.ndtr(-excess / deviation))


def _lower(wins: Floats, losses: Floats, size: Floats, z: float, correction: float) -> Floats:
    """Halve the interval from -1 to the observed difference, on which the statistic falls."""
    low = np.full(np.broadcast(wins, losses, size).shape, -1.0)
    high = np.divide(wins - losses, size, out=np.full(low.shape, -1.0), where=size > 0)
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        excess = wins - losses - size * middle - correction
        beyond = excess > z * _deviation(middle, wins, losses, size)
        low, high = np.where(beyond, middle, low), np.where(beyond, high, middle)
    return low


def _deviation(difference: Floats, wins: Floats, losses: Floats, size: Floats) -> Floats:
    """Standard deviation of wins - losses, most likely if that is the true difference."""
    # The likelihood of a row that the baseline alone gets right solves a x² + b x + c = 0.
    a = 2 * size
    b = (2 * size - wins + losses) * difference - wins - losses
    c = -losses * difference * (1 - difference)
    root = np.sqrt(np.maximum(b * b - 4 * a * c, 0.0))
    worse = np.divide(root - b, 2 * a, out=np.zeros(np.shape(root)), where=a > 0)
    variance = size * (2 * worse + difference * (1 - difference))
    return np.asarray(np.sqrt(np.maximum(variance, 0.0)))
