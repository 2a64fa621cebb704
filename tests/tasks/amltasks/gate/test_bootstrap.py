"""Bounds from resamples, against scipy's bootstrap; and the units that are resampled."""

from typing import Any

import numpy as np
import pytest
from scipy import stats

from amltasks.gate.bootstrap import LARGEST, bounds, grouped, weights


def skewed(seed: int = 0, rows: int = 120) -> Any:
    return np.random.default_rng(seed).exponential(size=rows) ** 1.5


def mean_of(weighting: Any, values: Any) -> Any:
    return weighting @ values / weighting.sum(axis=1)


def resampled(values: Any, resamples: int = 20_000) -> tuple[Any, Any]:
    drawn = np.concatenate(
        [mean_of(piece, values) for piece in weights(len(values), resamples, seed=0)]
    )
    without = (values.sum() - values) / (len(values) - 1)
    return drawn, without


@pytest.mark.parametrize("method", ["BCa", "percentile"])
@pytest.mark.parametrize("confidence", [0.9, 0.95])
def test_bounds_are_scipys(method: str, confidence: float) -> None:
    values = skewed()
    drawn, without = resampled(values)
    found = bounds(
        float(values.mean()),
        drawn,
        without if method == "BCa" else None,
        confidence,
    )
    expected = stats.bootstrap(
        (values,),
        np.mean,
        method=method,
        confidence_level=2 * confidence - 1,
        n_resamples=20_000,
        rng=np.random.default_rng(1),
    )
    assert found is not None
    assert found.bca == (method == "BCa")
    # Both come from 20,000 resamples: the Monte-Carlo error of a quantile is 1.5 % to 2 % of the
    # standard error, and that of BCa's somewhat more.
    allowed = 0.1 * expected.standard_error
    assert found.low == pytest.approx(expected.confidence_interval.low, abs=allowed)
    assert found.high == pytest.approx(expected.confidence_interval.high, abs=allowed)


@pytest.mark.parametrize("nan", [False, True])
def test_p_is_where_a_bound_touches_nothing(nan: bool) -> None:
    values = skewed() - 0.9
    drawn, without = resampled(values)
    if nan:
        without = np.full(3, np.nan)
    found = bounds(float(values.mean()), drawn, without, 0.95)
    assert found is not None
    at_p = bounds(float(values.mean()), drawn, without, 1 - found.p_value / 2)
    assert at_p is not None
    assert min(abs(at_p.low), abs(at_p.high)) == pytest.approx(0, abs=0.02 * values.std())


def test_resamples_without_a_value_are_left_out_unless_they_are_most() -> None:
    values = skewed()
    drawn, without = resampled(values, 1000)
    drawn[:400] = np.nan
    some, rest = (bounds(float(values.mean()), d, without, 0.95) for d in (drawn, drawn[400:]))
    assert some == rest
    drawn[:600] = np.nan
    assert bounds(float(values.mean()), drawn, without, 0.95) is None


def test_a_difference_that_never_varies_is_its_own_bound() -> None:
    found = bounds(0.0, np.zeros(100), np.zeros(10), 0.95)
    assert found is not None
    assert (found.low, found.high, found.p_value, found.bca) == (0.0, 0.0, 1.0, False)
    found = bounds(0.25, np.full(100, 0.25), np.full(10, 0.25), 0.95)
    assert found is not None
    assert (found.low, found.high, found.p_value) == (0.25, 0.25, 0.01)


def test_weights_are_draws_with_replacement() -> None:
    for units, resamples in ((1, 5), (7, 4000), (4096, 300)):
        drawn = np.concatenate(list(weights(units, resamples, seed=1)))
        assert drawn.shape == (resamples, units)
        assert (drawn.sum(axis=1) == units).all()
        # Each is binomial with mean 1.
        error = 5 / np.sqrt(drawn.size)
        assert drawn.var() == pytest.approx(1 - 1 / units, abs=3 * error)


def test_few_inputs_are_units_and_many_are_put_into_groups() -> None:
    inputs = np.array([5, 0, 5, 2])
    unit, units = grouped(inputs, seed=0)
    assert (unit.tolist(), units) == ([2, 0, 2, 1], 3)
    many = np.repeat(np.arange(10_000), 2)
    unit, units = grouped(many, seed=0)
    assert units == LARGEST
    assert (unit[::2] == unit[1::2]).all()
    sizes = np.bincount(unit)
    assert (sizes.min(), sizes.max()) == (4, 6)


def test_groups_estimate_the_variance_that_the_inputs_do() -> None:
    values = skewed(rows=20_000)
    unit, units = grouped(np.arange(20_000), seed=0)
    totals, sizes = np.bincount(unit, weights=values), np.bincount(unit)
    found = np.concatenate(
        [(piece @ totals) / (piece @ sizes) for piece in weights(units, 4000, seed=0)]
    )
    # 4,095 degrees of freedom and 4,000 resamples: 1.1 % each, in the standard error.
    assert found.std() == pytest.approx(values.std() / np.sqrt(20_000), rel=0.06)
