"""Summaries: readable, and with no markup from outside."""

from hypothesis import given
from hypothesis import strategies as st

from amltasks.gate.judge import Candidate, judge
from amltasks.gate.rules import read
from amltasks.gate.verdict import Baseline
from amltasks.report import markdown


def test_the_gate_summary_tells_all() -> None:
    rules = read("rules: [{metric: accuracy, min_gain: 0.01}]", source="test")
    served = Baseline(label="service s", metrics={"accuracy": 0.895})
    verdict = judge(Candidate(metrics={"accuracy": 0.9}), served, rules)
    found = markdown.gate(verdict, title="compliance", facts={"build": "20261123.10"})
    assert found.startswith("## Gate: compliance rejected (NOT\\_BETTER)\n")
    assert "| 0.9 | 0.895 | +0.005 | - | NOT\\_BETTER |" in found
    assert "| build | 20261123.10 |" in found


@given(st.text())
def test_a_cell_stays_one_cell(text: str) -> None:
    found = markdown.cell(text)
    assert "\n" not in found
    assert found.replace("\\|", "").count("|") == 0


def test_plain_tables_are_aligned() -> None:
    lines = markdown.plain_table(["step", "status"], [["train", "Completed"], ["x", None]])
    assert lines == ["step   status", "train  Completed", "x"]
