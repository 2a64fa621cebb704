"""Summaries: readable, and with no markup from outside."""

from hypothesis import given
from hypothesis import strategies as st

from amltasks.gate.judge import judge
from amltasks.gate.rules import Rule, Rules
from amltasks.report import markdown
from amltasks.verdict import Baseline


def test_the_gate_summary_tells_all() -> None:
    rules = Rules(rules=(Rule(metric="accuracy", direction="higher", min_gain=0.01),))
    verdict = judge(
        {"accuracy": 0.9}, Baseline(label="service s", metrics={"accuracy": 0.895}), rules
    )
    found = markdown.gate(verdict, title="compliance", facts={"build": "20261123.10"})
    assert found.startswith("## Gate: compliance rejected (NOT\\_BETTER)\n")
    assert "| accuracy | higher | 0.9 | 0.895 | 0.005 | - | 0.01 | NOT\\_BETTER |" in found
    assert "| build | 20261123.10 |" in found


@given(st.text())
def test_a_cell_stays_one_cell(text: str) -> None:
    found = markdown.cell(text)
    assert "\n" not in found
    assert found.replace("\\|", "").count("|") == 0


def test_plain_tables_are_aligned() -> None:
    lines = markdown.plain_table(["step", "status"], [["train", "Completed"], ["x", None]])
    assert lines == ["step   status", "train  Completed", "x"]
