"""Shares of right rows: the exact test, Tango's bounds, and what they promise."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import optimize, special
from statsmodels.stats.contingency_tables import mcnemar

from amltasks.gate.mcnemar import exact_p, score_bounds, tally
from bench.gate_power import MARGIN, passes


@given(better=st.integers(0, 60), worse=st.integers(0, 60), same=st.integers(0, 60))
def test_p_is_statsmodels(better: int, worse: int, same: int) -> None:
    expected = mcnemar([[same, better], [worse, same]], exact=True).pvalue
    assert exact_p(better, worse) == pytest.approx(min(1.0, expected), abs=1e-12)


@pytest.mark.parametrize(
    ("better", "worse", "rows", "level", "low", "high"),
    [
        # Bentur et al. (2009) by Fagerland, Lydersen & Laake (2014), table of Tango's intervals.
        (1, 7, 21, 0.95, -0.517, -0.026),
        # PropCIs::scoreci.mp(25, 28, 618, 0.90) in R.
        (28, 25, 618, 0.90, -0.0148, 0.0247),
    ],
)
def test_bounds_are_tangos(
    better: int, worse: int, rows: int, level: float, low: float, high: float
) -> None:
    found = score_bounds(better, worse, rows, (1 + level) / 2, correction=0.0)
    digits = 3 if rows < 100 else 4
    assert [round(float(each), digits) for each in found] == [low, high]


def by_likelihood(better: int, worse: int, rows: int, difference: float) -> float:
    """Tango's statistic, from a search of the likelihood rather than its closed form."""
    same = rows - better - worse

    def unlikely(p: float) -> float:
        parts = ((better, p + difference), (worse, p), (same, 1 - 2 * p - difference))
        return -sum(float(special.xlogy(count, max(part, 0.0))) for count, part in parts)

    ends = (max(0.0, -difference), (1 - difference) / 2)
    worst = optimize.minimize_scalar(
        unlikely, bounds=ends, method="bounded", options={"xatol": 1e-12}
    ).x
    variance = rows * (2 * worst + difference * (1 - difference))
    return float((better - worse - rows * difference) / np.sqrt(variance))


@pytest.mark.parametrize("counts", [(3, 8, 50), (0, 4, 30), (12, 2, 40), (9, 9, 20), (1, 0, 200)])
def test_bounds_solve_the_score_equation(counts: tuple[int, int, int]) -> None:
    z = float(special.ndtri(0.95))
    low, high = score_bounds(*counts, 0.95, correction=0.0)
    assert by_likelihood(*counts, float(low)) == pytest.approx(z, abs=1e-4)
    assert by_likelihood(*counts, float(high)) == pytest.approx(-z, abs=1e-4)


@given(better=st.integers(0, 40), worse=st.integers(0, 40), same=st.integers(0, 400))
def test_bounds_hold_the_gain_apart_and_mirror(better: int, worse: int, same: int) -> None:
    rows = better + worse + same
    low, high = score_bounds(better, worse, rows, 0.95)
    gain = (better - worse) / rows if rows else 0.0
    assert -1 <= low <= gain <= high <= 1
    assert high - low > 0
    mirrored = score_bounds(worse, better, rows, 0.95)
    assert (float(-mirrored[1]), float(-mirrored[0])) == (float(low), float(high))


def test_bounds_where_nothing_differs() -> None:
    z = float(special.ndtri(0.95))
    low, high = score_bounds(0, 0, np.array([10, 500, 10_000]), 0.95, correction=0.0)
    rows = np.array([10, 500, 10_000])
    np.testing.assert_allclose(high, z * z / (rows + z * z))
    np.testing.assert_allclose(low, -high)
    assert [float(each) for each in score_bounds(0, 0, 0, 0.95)] == [-1.0, 1.0]


ROWS = (200, 270, 350, 500, 760, 900, 1300, 2500, 5000)
DISCORDANCE = (0.01, 0.011, 0.015, 0.02, 0.05, 0.1)


@pytest.mark.slow
@pytest.mark.parametrize("rows", ROWS)
def test_the_default_rule_passes_a_worse_model_at_most_one_time_in_twenty(rows: int) -> None:
    """Exactly, by enumeration of every outcome, where the true loss is the one that it allows."""
    for share in DISCORDANCE:
        assert passes(rows, share, loss=MARGIN, least=-MARGIN) <= 0.05


@pytest.mark.parametrize("rows", ROWS)
def test_a_mere_retrain_counts_as_better_at_most_one_time_in_twenty(rows: int) -> None:
    for share in DISCORDANCE:
        assert passes(rows, share, loss=0.0, least=0.0) <= 0.05


@pytest.mark.slow
def test_enumeration_agrees_with_simulation() -> None:
    generator = np.random.default_rng(0)
    drawn = generator.multinomial(1000, [0.01, 0.02, 0.97], size=20_000)
    low = score_bounds(drawn[:, 0], drawn[:, 1], 1000, 0.95)[0]
    expected = passes(1000, 0.03, loss=0.01, least=-0.01)
    error = np.sqrt(expected * (1 - expected) / 20_000)
    assert abs(float((low > -0.01).mean()) - expected) < 4 * error


def test_single_inputs_are_plain_mcnemar() -> None:
    generator = np.random.default_rng(1)
    candidate, baseline = generator.random((2, 300)) < 0.8
    found = tally(candidate, baseline, np.arange(300))
    assert (found.better, found.worse) == (found.row_better, found.row_worse)
    assert found.effective == found.rows == found.inputs == 300
    assert found.gain == pytest.approx(candidate.mean() - baseline.mean())


def test_rows_that_repeat_whole_are_worth_their_inputs() -> None:
    generator = np.random.default_rng(2)
    candidate, baseline = generator.random((2, 300)) < 0.8
    inputs = np.arange(300)
    once = tally(candidate, baseline, inputs)
    often = tally(np.repeat(candidate, 5), np.repeat(baseline, 5), np.repeat(inputs, 5))
    assert (often.better, often.worse, often.inputs) == (once.better, once.worse, 300)
    assert often.rows == 1500
    assert often.effective == pytest.approx(300, rel=0.01)
    none = tally(np.repeat(candidate, 5), np.repeat(candidate, 5), np.repeat(inputs, 5))
    assert none.effective == pytest.approx(300)


def missed(inputs: int, better: float, worse: float, copied: float, seed: int) -> tuple[int, int]:
    """Of 2,000 samples of inputs with 3 rows on average, how many bounds are on the wrong side."""
    generator = np.random.default_rng(seed)
    tallies: list[Any] = []
    for _ in range(2000):
        sizes = generator.geometric(0.3, size=inputs)
        of = np.repeat(np.arange(inputs), sizes)
        alike = (generator.random(inputs) < copied)[of]
        drawn = np.where(alike, generator.random(inputs)[of], generator.random(len(of)))
        tallies.append(tally(drawn < better, (drawn >= better) & (drawn < better + worse), of))
    scale = np.array([each.effective / each.rows for each in tallies])
    low, high = score_bounds(
        np.array([each.row_better for each in tallies]) * scale,
        np.array([each.row_worse for each in tallies]) * scale,
        np.array([each.effective for each in tallies]),
        0.95,
    )
    return int((low > better - worse).sum()), int((high < better - worse).sum())


@pytest.mark.slow
@pytest.mark.parametrize("copied", [0.0, 0.5, 1.0])
@pytest.mark.parametrize(
    ("inputs", "better", "worse"),
    [(1000, 0.0, 0.01), (1000, 0.005, 0.015), (200, 0.05, 0.05), (200, 0.1, 0.2)],
)
def test_bounds_cover_when_inputs_repeat(
    inputs: int, better: float, worse: float, copied: float
) -> None:
    """Not missed more often than 5 %, and three standard errors of 2,000 samples.

    The first is the default rule where the true loss is the one that it allows.
    """
    allowed = 2000 * 0.05 + 3 * np.sqrt(2000 * 0.05 * 0.95)
    assert max(missed(inputs, better, worse, copied, seed=3)) <= allowed
