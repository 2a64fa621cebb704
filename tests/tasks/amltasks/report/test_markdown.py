"""Summaries: readable, within the portal's limits, and with no markup from outside."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from amltasks.gate.judge import Candidate, judge
from amltasks.gate.rules import read
from amltasks.gate.verdict import Baseline, Reason
from amltasks.report import markdown
from tests.tasks.amltasks.report import samples

TASKS = Path(__file__).resolve().parents[4] / "tasks"


def test_the_gate_summary_tells_all() -> None:
    verdict = judge(
        Candidate(metrics={"accuracy": 0.9}),
        Baseline(label="service s", metrics={"accuracy": 0.895}),
        read("rules: [{metric: accuracy, min_gain: 0.01, single_numbers: pass}]", source="test"),
    )
    found = markdown.gate(verdict, title="compliance", facts={"build": "20261123.10"})
    assert found.startswith("## Gate: compliance rejected (NOT\\_BETTER)\n")
    assert "Chance was not looked at for accuracy" in found.splitlines()[4]
    assert "| accuracy | all rows | better than the baseline by more than 0.01" in found
    assert "| 0.9 | 0.895 | +0.005 | - | - | NOT\\_BETTER |" in found
    assert "| build | 20261123.10 |" in found


def test_a_summary_stays_within_the_limit_and_says_what_it_left_out() -> None:
    made = samples.made(Reason.WORSE, text="ä" * 700)
    warning = replace(made.checks[0], severity="warn", scope="only a warning")
    huge = replace(made, checks=(warning,) * 5 + made.checks * 400)
    facts = {f"{number}" + "x" * 5000: "ö" * 5000 for number in range(300)}
    found = markdown.gate(huge, title="m" * 5000, facts=facts)
    assert markdown.MOST_BYTES - 4000 < len(found.encode()) < markdown.MOST_BYTES
    shown = found.count("| WORSE |")
    assert f"\n{405 - shown} more checks stand in the report.\n" in found
    assert "only a warning" not in found
    assert "\n250 more facts stand in the report.\n" in found


@given(st.text())
def test_a_cell_stays_one_cell(text: str) -> None:
    found = markdown.cell(text)
    assert "\n" not in found
    assert found.replace("\\|", "").count("|") == 0


def test_no_markup_comes_from_outside() -> None:
    text = samples.HOSTILE
    found = markdown.gate(samples.made(Reason.WORSE, text=text), title=text, facts={text: text})
    assert "<" not in found.replace("\\<", "")
    # Every line of a table has the cells of its head.
    tables = [line.replace("\\|", "") for line in found.splitlines() if line.startswith("|")]
    assert [line.count("|") for line in tables] == [10, 10, 10, 3, 3, 3]


def test_plain_tables_are_aligned() -> None:
    lines = markdown.plain_table(["step", "status"], [["train", "Completed"], ["x", None]])
    assert lines == ["step   status", "train  Completed", "x"]


def test_other_tasks_need_nothing_of_the_gates_environment() -> None:
    script = "import sys, amltasks.report.markdown; print(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=TASKS, capture_output=True, text=True, check=True
    )
    assert not {"numpy", "jinja2", "matplotlib", "scipy"} & set(done.stdout.split())
