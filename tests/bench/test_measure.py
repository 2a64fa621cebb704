"""Two ways side by side: medians, the ratios of the rounds, and their quartiles."""

from __future__ import annotations

import pytest

from bench.measure import compare, compared


def test_the_ratio_is_the_median_of_the_rounds_ratios() -> None:
    found = compared(
        "claim", ours=("ours", [1.0, 2.0, 4.0]), other=("other", [2.0, 6.0, 40.0]), clock="CPU"
    )
    assert (found.ours_s, found.other_s, found.ratio) == (2, 6, 3)
    assert found.ratio_low <= found.ratio <= found.ratio_high
    assert (found.rounds, found.clock) == (3, "CPU")


def test_one_round_has_no_spread() -> None:
    found = compared("claim", ours=("ours", [2.0]), other=("other", [1.0]))
    assert (found.ratio_low, found.ratio, found.ratio_high) == (0.5, 0.5, 0.5)


def test_rounds_of_one_way_only_are_refused() -> None:
    with pytest.raises(ValueError, match="shorter"):
        compared("claim", ours=("ours", [1.0, 2.0]), other=("other", [1.0]))


def test_both_ways_take_turns_after_a_warm_up(monkeypatch: pytest.MonkeyPatch) -> None:
    called: list[str] = []
    now = iter([0.0, 1.0, 10.0, 14.0, 20.0, 22.0, 30.0, 34.0])
    monkeypatch.setattr("bench.measure.time.perf_counter", lambda: next(now))
    found = compare(
        "claim",
        ours=("a", lambda: called.append("a")),
        other=("b", lambda: called.append("b")),
        rounds=2,
    )
    assert called == ["a", "b"] * 3
    assert (found.ours_s, found.other_s, found.rounds, found.clock) == (1.5, 4.0, 2, "wall")
    assert found.ratio == pytest.approx(3.0)
