"""What measures share: the sums that they are functions of."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from amltasks.gate.rows import Array, Side, Truth

Floats = npt.NDArray[np.float64]
PerUnit = Callable[[str, Truth, Side, Array, int], Floats]
Value = Callable[[str, str, tuple[str, ...], Floats], Floats]


@dataclass(frozen=True, kw_only=True)
class Family:
    """Measures that are functions of the same sums.

    ``per_unit`` takes a measure's parameter, n rows, what a model says of them, each row's unit
    (0 to units - 1) and the number of units; it returns the sums of each unit, shape (units,
    columns). ``value`` takes a measure's base and parameter, the classes, and rows of sums of shape
    (r, columns); it returns the measure of each, shape (r,), NaN where it is not defined.
    ``by_parameter`` says whether the sums depend on the parameter.
    """

    name: str
    per_unit: PerUnit
    value: Value
    by_parameter: bool = False

    def key(self, parameter: str) -> str:
        """What measures with the same sums have in common."""
        return f"{self.name}@{parameter}" if self.by_parameter else self.name


def summed(columns: Sequence[Array], truth: Truth, unit: Array, units: int) -> Floats:
    """Sum each column, one number a row, over the rows of each unit, by the rows' weights."""
    weights = truth.weights
    return np.column_stack(
        [
            np.bincount(
                unit, weights=each if weights is None else each * weights, minlength=units
            ).astype(np.float64)
            for each in columns
        ]
    )


def mean(_base: str, _parameter: str, _classes: tuple[str, ...], sums: Floats) -> Floats:
    """Return the second column over the first: the mean of a number per row."""
    return ratio(sums[..., 1], sums[..., 0])


def ratio(part: Any, whole: Any) -> Floats:
    """Divide; NaN where there is nothing to divide by."""
    filled = np.full(np.shape(whole), np.nan)
    np.divide(part, whole, out=filled, where=np.asarray(whole) > 0)
    return filled
