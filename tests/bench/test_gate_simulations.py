"""The simulations behind the tables of the docs, in small."""

import pytest

from bench import gate_simulations


def test_an_anchor_bounds_the_total_loss() -> None:
    free = gate_simulations.drift(5_000, 12, 40, anchored=False)
    held = gate_simulations.drift(5_000, 12, 40, anchored=True)
    assert free.mean() > 0.03
    assert held.mean() < free.mean() - 0.01
    # Beyond the budget a candidate passes at most one time in twenty.
    assert held.max() <= gate_simulations.BUDGET + 3 * gate_simulations.LOSS


def test_slices_together_break_a_limit_by_chance_seldom() -> None:
    equal = gate_simulations.slices(20, 100, (0.95, 0.95), 600)
    assert equal["floor measured"] > 0.15
    assert equal["floor shown"] <= 0.05
    assert equal["gap shown"] <= 0.05
    bad = gate_simulations.slices(20, 100, (0.95, 0.7), 600)
    assert bad["floor shown"] > 0.95


def test_spending_costs_power_look_by_look() -> None:
    first, fifth, last = gate_simulations.spending(2_500, (1, 5, 100))
    assert 0.95 > first > fifth > last
    assert last == pytest.approx(0.075, abs=0.01)


def test_a_limit_that_holds_is_seldom_shown_not_to_hold() -> None:
    """Where chance does it most often: all slices at the floor, half of them a gap apart."""
    tries = 1500
    most = 0.05 + 3 * (0.05 * 0.95 / tries) ** 0.5
    assert gate_simulations.slices(20, 500, (0.9, 0.9), tries)["floor shown"] <= most
    for count in (2, 20):
        found = gate_simulations.slices(count, 500, (0.95, 0.85), tries, of=count // 2)
        assert found["gap shown"] <= most
