"""A gain that is not known is NaN, and has no bounds."""

from __future__ import annotations

import math

import pytest

from amltasks.gate.gain import Gain


def test_nothing_is_known_of_a_gain_at_first() -> None:
    empty = Gain()
    numbers = (empty.baseline, empty.gain, empty.low, empty.high, empty.p_value, empty.detectable)
    assert all(map(math.isnan, numbers))
    assert (empty.rows, empty.inputs, empty.method) == (0, 0, "")


@pytest.mark.parametrize(
    ("low", "high", "bounded"),
    [
        (-0.1, 0.2, True),
        (0.0, 0.0, True),
        (math.nan, 0.2, False),
        (-0.1, math.nan, False),
        (-math.inf, 0.2, False),
        (-0.1, math.inf, False),
    ],
)
def test_bounds_are_two_finite_numbers(low: float, high: float, bounded: bool) -> None:
    assert Gain(low=low, high=high).bounded is bounded
