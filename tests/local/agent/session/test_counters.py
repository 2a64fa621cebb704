"""The numbers of counter()."""

from __future__ import annotations

from local.agent.definition.numbering import Numbers
from local.agent.session.counters import Counters


def test_a_counter_counts_runs_by_prefix(tmp_path):
    numbers = Numbers(tmp_path / "numbers.json")

    def run(*prefixes):
        counters = Counters(numbers=numbers, pipeline="p")
        return [int(counters.next(prefix, 100)) for prefix in prefixes]

    assert run("1.0", "1.0", "2.0") == [100, 100, 100]
    assert run("1.0") == [101]
    assert run("2.0", "1.0") == [101, 102]
