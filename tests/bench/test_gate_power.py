"""The power of the gate's default rule: exact, and as one expects it to change."""

from __future__ import annotations

import pytest
from click.testing import CliRunner

from bench import gate_power
from bench.gate_power import CONFIDENCE, MARGIN, passes


def test_a_model_that_loses_the_margin_passes_as_seldom_as_promised() -> None:
    chance = passes(2_000, 0.05, loss=MARGIN, least=-MARGIN)
    assert 0 < chance <= 1 - CONFIDENCE


def test_more_rows_and_fewer_differences_show_more() -> None:
    some, more = (passes(rows, 0.02, loss=0.0, least=-MARGIN) for rows in (500, 2_000))
    assert 0 <= some < more <= 1
    assert passes(500, 0.01, loss=0.0, least=-MARGIN) > some


def test_a_bound_that_no_gain_can_miss_or_reach() -> None:
    assert passes(500, 0.02, loss=0.0, least=-1.0) == pytest.approx(1.0)
    assert passes(500, 0.02, loss=0.0, least=1.0) == 0.0


def test_less_confidence_passes_more_often() -> None:
    strict, lax = (
        passes(1_000, 0.02, loss=0.0, least=-MARGIN, confidence=confidence)
        for confidence in (0.99, 0.8)
    )
    assert strict < lax


def test_the_table(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gate_power, "ROWS", (500,))
    monkeypatch.setattr(gate_power, "DISCORDANCE", (0.01, 0.02))
    head, line, row = CliRunner().invoke(gate_power.main).output.splitlines()
    assert head == "| Distinct rows | 1% differ | 2% differ |"
    assert line == "| ---: | ---: | ---: |"
    assert row.startswith("| 500 | ")
    assert row.count("%") == 2
