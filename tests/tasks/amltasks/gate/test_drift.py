"""Losses that add up, and looking often at the same rows."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from amltasks.gate import drift
from amltasks.gate.judge import Candidate, judge
from amltasks.gate.rows import Rows
from amltasks.gate.rules import read
from amltasks.gate.verdict import Baseline, Reason, Verdict

ROWS = 20_000
LABELS = (np.arange(ROWS) % 2).astype(np.int8)


def model(wrong: int, **more: Any) -> Rows:
    """A model that is wrong on so many rows, the first ones."""
    predictions = LABELS.copy()
    predictions[:wrong] ^= 1
    ids = np.arange(ROWS).astype(str).astype(object)
    return Rows(ids=ids, labels=LABELS, predictions=predictions, inputs=np.arange(ROWS), **more)


def judged(text: str, wrong: tuple[int, int, int], *, looks: int | None = None) -> Verdict:
    """Candidate, baseline and anchor with so many wrong rows."""
    new, old, first = (model(each) for each in wrong)
    return judge(
        Candidate(metrics={}, rows=new),
        Baseline(label="b", metrics={}, rows=old),
        read(text, source="t"),
        anchor=Baseline(label="the anchor m:1", metrics={}, rows=first),
        looks=looks,
    )


RULE = "rules: [{metric: accuracy, max_loss: 0.01%s}]"


@pytest.mark.parametrize(
    ("more", "wrong", "reason"),
    [
        ("", (300, 250, 200), "PASSED"),
        ("", (650, 600, 200), "DRIFTED"),
        (", max_total_loss: 0.05", (650, 600, 200), "PASSED"),
        (", max_total_loss: 10%", (650, 600, 200), "PASSED"),
        ("", (650, 400, 200), "WORSE"),
    ],
)
def test_the_total_loss_has_a_budget(more: str, wrong: tuple[int, int, int], reason: str) -> None:
    found = judged(RULE % more, wrong)
    assert found.reason.value == reason, found.detail
    assert [check.against for check in found.checks] == ["baseline", "anchor"]
    assert "in total, against the anchor" in found.checks[1].asked


def test_only_rules_with_a_margin_are_held_to_the_anchor() -> None:
    text = "rules: [{metric: accuracy, min_gain: 0}, {metric: accuracy, floor: 0.5}, %s]"
    found = judged(text % "{metric: loss, max_loss: 1}", (100, 200, 0))
    assert [check.against for check in found.checks] == ["baseline"] * 3


def test_an_anchor_that_cannot_be_looked_at_rejects() -> None:
    rows = model(100)
    verdict = judge(
        Candidate(metrics={}, rows=rows),
        Baseline(label="b", metrics={}, rows=rows),
        read(RULE % "", source="t"),
        anchor=Baseline(label="the anchor", unreachable="503"),
    )
    assert verdict.reason is Reason.BASELINE_UNREACHABLE


def test_looks_are_spent_only_where_that_is_written() -> None:
    counted, spent = (read(RULE % "" + f"\nlooks: {w}", source="t") for w in ("count", "spend"))
    assert drift.spent(counted, 9) is counted
    shares = [1 - drift.spent(spent, look).confidence for look in range(200)]
    assert shares[0] == pytest.approx(0.025)
    assert sum(shares) == pytest.approx(0.05, rel=0.01)
    assert sum(shares) < 0.05
    late = drift.spent(spent, 99)
    assert late.resamples * (1 - late.confidence) >= 4.9
    # What just passes at the first look does not at the twentieth.
    wrong = (400, 250, 250)
    once = judged(RULE % "" + "\nlooks: spend", wrong, looks=0)
    often = judged(RULE % "" + "\nlooks: spend", wrong, looks=19)
    assert once.checks[0].low > often.checks[0].low
    assert often.looks == 19
    assert often.confidence == pytest.approx(1 - 0.05 / 420)
