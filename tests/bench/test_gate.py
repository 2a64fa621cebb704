"""The gate's benchmark in small: both ways run, and measure the same things."""

import pytest

from amltasks.gate.measures import get
from bench import gate, gate_ways

pytestmark = pytest.mark.slow


def test_both_ways_run_in_processes_of_their_own() -> None:
    found = gate.compared("repeated", 2000, 500, 1, 50, 1)
    assert found.ours_s > 0
    assert found.ratio == found.other_s / found.ours_s
    assert "MB" in found.ours
    assert "MB" in found.other


@pytest.mark.parametrize("kind", gate_ways.KINDS)
def test_both_ways_measure_the_same(kind: str) -> None:
    pair, wanted = gate_ways.made(1000, 300, 1, kind)
    ours, loop = gate_ways.ours(pair, wanted, 100), gate_ways.loop(pair, wanted, 12)
    assert [(each.scope, each.measure) for each in ours] == list(loop)
    for each in ours:
        drawn = loop[each.scope, each.measure]
        error = (each.high - each.low) / 3.29
        sign = 1 if get(each.measure).direction == "higher" else -1
        assert abs(sign * sum(drawn) / len(drawn) - each.gain) < 2 * error
