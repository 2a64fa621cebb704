"""Sums of a regression, and of numbers that stand beside the predictions."""

from __future__ import annotations

import numpy as np

from amltasks.gate.rows import Array, Side, Truth
from amltasks.gate.sums.family import Family, Floats, mean, ratio, summed

# A spread of labels that is smaller, compared with the labels themselves, is rounding.
_ROUNDING = 1e-12


def _errors(_parameter: str, truth: Truth, side: Side, unit: Array, units: int) -> Floats:
    """Rows; errors, their absolute values and squares; labels and their squares.

    The labels are counted from the one nearest to their mean, for the sake of the squares' digits.
    """
    labels = truth.labels
    centred = labels - labels[np.abs(labels - labels.mean()).argmin()]
    error = side.predictions - labels
    columns = [np.ones(len(truth)), error, np.abs(error), error**2, centred, centred**2]
    return summed(columns, truth, unit, units)


def _of_errors(base: str, _parameter: str, _classes: tuple[str, ...], sums: Floats) -> Floats:
    rows, error, absolute, square, label, label_square = (sums[..., at] for at in range(6))
    if base == "bias":
        return np.abs(ratio(error, rows))
    if base == "mae":
        return ratio(absolute, rows)
    if base == "mse":
        return ratio(square, rows)
    if base == "rmse":
        return np.sqrt(ratio(square, rows))
    spread = label_square - np.nan_to_num(ratio(label**2, rows))
    return 1 - ratio(square, np.where(spread > _ROUNDING * label_square, spread, 0.0))


def _shares(_parameter: str, truth: Truth, side: Side, unit: Array, units: int) -> Floats:
    """Rows, errors as shares of the labels, and rows with a label of 0."""
    labels = truth.labels
    nothing = labels == 0
    error = np.abs(side.predictions - labels) / np.where(nothing, 1.0, np.abs(labels))
    columns = [np.ones(len(truth)), np.where(nothing, 0.0, error), nothing]
    return summed(columns, truth, unit, units)


def _of_shares(_base: str, _parameter: str, _classes: tuple[str, ...], sums: Floats) -> Floats:
    return ratio(sums[..., 1], np.where(sums[..., 2] > 0, 0.0, sums[..., 0]))


def _pinball(parameter: str, truth: Truth, side: Side, unit: Array, units: int) -> Floats:
    quantile = float(parameter)
    short = truth.labels - side.values[f"quantile_{parameter}"]
    loss = np.maximum(quantile * short, (quantile - 1) * short)
    return summed([np.ones(len(truth)), loss], truth, unit, units)


def _column(parameter: str, truth: Truth, side: Side, unit: Array, units: int) -> Floats:
    return summed([np.ones(len(truth)), side.values[parameter]], truth, unit, units)


ERRORS = Family(name="errors", per_unit=_errors, value=_of_errors)
SHARES = Family(name="mape", per_unit=_shares, value=_of_shares)
PINBALL = Family(name="pinball", per_unit=_pinball, value=mean, by_parameter=True)
COLUMN = Family(name="mean", per_unit=_column, value=mean, by_parameter=True)
