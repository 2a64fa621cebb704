"""Many limits at once: Holm's method, and bounds of a gap."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from amltasks.gate import limits
from amltasks.gate.paired import compare
from amltasks.gate.rows import Rows


@given(st.lists(st.floats(0, 1), min_size=1, max_size=12), st.sampled_from([0.01, 0.05, 0.2]))
def test_holm_is_the_closure_of_bonferroni(p_values: list[float], level: float) -> None:
    """A hypothesis is rejected when Bonferroni rejects every family that holds it."""
    named = {str(n): p for n, p in enumerate(p_values)}
    found = {name for name, p in limits.adjusted(named).items() if p <= level}
    for name, p in named.items():
        # The families that reject it last are those of it and all that are not smaller.
        others = sorted(each for key, each in named.items() if key != name and each >= p)
        sizes = range(1, len(others) + 2)
        smaller = [each for key, each in named.items() if key != name and each < p]
        holds = all(p <= level / size for size in sizes) and all(
            each <= level / (len(named) - n) for n, each in enumerate(sorted(smaller))
        )
        assert (name in found) == holds


def value(right: int, size: int) -> limits.Value:
    labels = np.ones(size, dtype=np.int8)
    predictions = labels.copy()
    predictions[right:] = 0
    ids = np.arange(size).astype(str).astype(object)
    rows = Rows(ids=ids, labels=labels, predictions=predictions, inputs=np.arange(size))
    found = compare(limits.against_perfection(rows), "accuracy")
    return limits.Value(value=right / size, higher=True, found=found)


def test_a_value_has_wilsons_bounds_with_a_correction() -> None:
    one = value(90, 100)
    low, high = one.bounds(0.95)
    # Wilson's at 0.95 one-sided, and half the usual correction for continuity on either side.
    z, n, p = 1.6449, 100, 0.9
    middle = (p + z * z / 2 / n) / (1 + z * z / n)
    half = z * np.sqrt(p * (1 - p) / n + z * z / 4 / n / n) / (1 + z * z / n)
    assert low == pytest.approx(middle - half, abs=0.004)
    assert high == pytest.approx(middle + half, abs=0.004)
    assert (one.p_at_least(0.95) < 0.05) == (high < 0.95)
    assert one.p_at_least(0.95) == pytest.approx(stats.binom.sf(9, 100, 0.05))
    assert one.p_at_most(0.85) == pytest.approx(stats.binom.cdf(10, 100, 0.15))
    assert value(100, 100).p_at_least(0.9) == value(0, 100).p_at_most(0.1) == 1.0


def test_a_gap_is_bounded_for_all_pairs_together() -> None:
    values = {"a": value(95, 100), "b": value(90, 100), "c": value(40, 100)}
    least = limits.gap_low(values, 0.95)
    assert 0.3 < least < 0.55
    two = {name: values[name] for name in ("a", "c")}
    assert least < limits.gap_low(two, 0.95)
    assert limits.gap_low({"a": values["a"], "b": values["b"]}, 0.95) == 0.0


def test_a_gap_is_shown_more_often_than_by_all_pairs_and_never_wrongly() -> None:
    values = {"a": value(95, 100), "b": value(90, 100), "c": value(40, 100)}
    assert limits.gap_p(values, 0.2, 0.05) < 0.001
    assert limits.gap_p(values, 0.6, 0.05) > 0.05
    nearly = limits.gap_low(values, 0.95)
    # What the bound of all pairs shows, the test of one difference shows, too.
    assert limits.gap_p(values, nearly, 0.05) < 0.05
    assert limits.gap_pairs(2, 0.0, 0.1, 0.05) == 2
    assert 1 <= limits.gap_pairs(2, 0.5, 0.1, 0.05) < 1.001
