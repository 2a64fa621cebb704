"""The first lines of a report, and the order and the groups of what does not hold."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from amltasks.gate.judge import Candidate, judge
from amltasks.gate.rules import read
from amltasks.gate.verdict import Reason
from amltasks.report import examples, findings, html, markdown, trend
from tests.tasks.amltasks.report import samples


def page(verdict: object) -> str:
    return html.gate(verdict, title="t", facts=samples.FACTS)  # type: ignore[arg-type]


@pytest.mark.parametrize("worse_on", ["", "iron"])
def test_the_largest_gain_and_the_worst_slice_are_named(worse_on: str) -> None:
    rules = """
rules:
  - {metric: accuracy, max_loss: 0.2}
  - {metric: accuracy, slices: [material], max_loss: 0.5}
resamples: 500
"""
    verdict = samples.judged(2000, worse_on=worse_on, rules=rules)
    assert verdict.passed
    gain, worst = findings.headline(verdict)
    title = "No gain, the smallest loss" if worse_on else "Largest gain"
    assert gain.startswith(f"{title}: accuracy ")
    assert gain.endswith("on all rows")
    checks = {check.scope: check for check in verdict.checks}
    named = worst.rpartition(" on ")[2]
    assert worse_on in named
    assert f"[{checks[named].low:+.4g}, {checks[named].high:+.4g}]" in worst
    for face in (page(verdict), markdown.gate(verdict, title="t", facts={})):
        assert named.replace("=", "\\=") in face or named in face
        assert "Worst slice" in face


def test_floors_alone_name_the_worst_slice_with_its_bounds() -> None:
    candidate, _ = samples.pair_of_rows(1000, worse_on="iron")
    text = "rules: [{metric: accuracy, floor: 0.1, slices: material}]"
    verdict = judge(Candidate(metrics={}, rows=candidate), None, read(text, source="t"))
    (worst,) = findings.headline(verdict)
    assert worst.startswith("Worst slice: accuracy of material=iron is 0.")
    assert worst.endswith(" rows")


def test_what_does_not_hold_is_ordered_by_gravity_and_grouped_by_rule() -> None:
    one = samples.made(Reason.TOO_FEW_ROWS).checks[0]
    slices = [
        replace(one, reason=Reason.WORSE, scope=f"s={n}", gain=-n / 100) for n in range(1, 40)
    ]
    warning = replace(one, severity="warn", reason=Reason.METRIC_MISSING)
    passing = replace(one, reason=Reason.PASSED)
    checks = [passing, warning, one, *slices]
    found = findings.groups(checks)
    assert [(g.first.reason.value, len(g.checks)) for g in found] == [
        *(("WORSE", 39), ("TOO_FEW_ROWS", 1), ("METRIC_MISSING", 1))
    ]
    assert found[0].first.scope == "s=39"
    assert (len(found[0].shown), found[0].left) == (30, 9)
    assert findings.ordered(checks)[-1] is passing
    text = page(replace(samples.made(Reason.WORSE), checks=tuple(checks)))
    assert "Rejects on 39:" in text
    assert text.count('class="finding"') == 2


def test_examples_are_escaped_capped_and_can_be_switched_off() -> None:
    verdict = samples.judged(800, worse_on="iron")
    wrong, right = examples.of(verdict)
    assert (wrong.title, right.title) == ("Newly wrong", "Newly right")
    assert len(wrong.shown) == 5
    pair = verdict.pair
    assert pair is not None
    new, old = (side.predictions != pair.labels for side in (pair.candidate, pair.baseline))
    assert wrong.total == int((new & ~old).sum())
    for each in wrong.shown:
        assert each.candidate != each.label == each.baseline
    rows = verdict.candidate_rows
    assert rows is not None
    hostile = replace(rows, texts=np.full(len(rows), samples.HOSTILE * 20, object))
    text = page(replace(verdict, candidate_rows=hostile))
    assert "<script" not in text
    assert "<img" not in text
    assert max(len(each.given) for each in wrong.shown) <= 160
    assert examples.of(replace(verdict, examples=0)) == []
    assert "Rows to look at" not in page(replace(verdict, examples=0))
    # A pull request is read by more people than the report.
    assert "made in 2010" not in markdown.gate(verdict, title="t", facts={})


def test_the_trend_ends_with_this_one() -> None:
    verdict = samples.judged(800)
    found = trend.of(verdict)
    assert found is not None
    assert found.metrics == ("accuracy",)
    assert [line.version for line in found.lines] == [*"123456", "this one"]
    assert found.lines[-1].values == (verdict.checks[0].candidate,)
    assert trend.of(replace(verdict, past=())) is None


def test_only_plain_https_addresses_become_links() -> None:
    text = page(samples.judged(200))
    assert text.count("<a href=") == 1
    facts = {"x": "javascript:alert(1)", "y": 'https://a.example/"onload=1', "z": "http://a/b"}
    assert "<a href" not in html.gate(samples.made(Reason.WORSE), title="t", facts=facts)


def test_the_margin_is_drawn_on_each_interval() -> None:
    text = page(samples.judged(800))
    assert text.count('class="margin"') == text.count('class="interval"') > 3
