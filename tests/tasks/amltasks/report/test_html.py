"""The page as text: the same for the same verdict, complete, and frank about what it leaves out."""

from __future__ import annotations

import dataclasses
import math
import re

import numpy as np
import pytest

from amltasks import errors
from amltasks.gate.rows import paired
from amltasks.gate.verdict import Baseline, Reason, Verdict
from amltasks.report import html
from tests.tasks.amltasks.report import samples

PICTURES = ["Slices by accuracy", "ROC curve", "Precision and recall", "Calibration"]


def page(verdict: Verdict) -> str:
    return html.gate(verdict, title=samples.TITLE, facts=samples.FACTS)


def headings(text: str, level: int) -> list[str]:
    return re.findall(rf"<h{level}[^>]*>([^<]*)</h{level}>", text)


@pytest.fixture(scope="module")
def rejected() -> Verdict:
    return samples.judged(worse_on="iron")


def test_the_page_is_small_and_the_same_each_time(rejected: Verdict) -> None:
    text = page(rejected)
    assert text == page(rejected)
    assert len(text.encode()) < 150_000
    ids = re.findall(r'\bid="([^"]+)"', text)
    assert len(ids) == len(set(ids))
    assert {name.removeprefix("#") for name in re.findall(r'(?:href="|url\()(#[^")]+)', text)} <= {
        *ids
    }
    assert headings(text, 3) == [*PICTURES, "Gain by decile", "Score differences"]
    # Where matplotlib's colours stood for the page's, none is left.
    assert "#01020" not in text


@pytest.mark.parametrize("reason", Reason)
def test_every_reason_is_rendered_with_its_next_step(reason: Reason) -> None:
    text = page(samples.made(reason))
    if reason is Reason.PASSED:
        assert "What to do" not in text
        assert headings(text, 2)[0] == "All rules"
    else:
        assert f"<code>{reason.value}</code>" in text
        assert "<strong>What to do:</strong>" in text
        assert getattr(errors, reason.value).code == reason.value
        assert "{{" not in text
        assert "What does not hold" in headings(text, 2)
    warned = page(samples.made(reason, severity="warn"))
    assert "Passed" in warned
    assert ('<strong class="warn">Warns:</strong>' in warned) == (reason is not Reason.PASSED)


def test_point_metrics_alone_are_said_to_be_so() -> None:
    text = page(samples.made(Reason.WORSE))
    assert "Only point metrics are at hand" in text
    assert headings(text, 3) == ["Slices by x"]
    assert "Confusion" not in text


def test_the_margin_that_decides_is_drawn_on_every_interval() -> None:
    verdict = samples.judged(worse_on="iron")
    text = page(verdict)
    bounded = [check for check in verdict.checks if check.bounded]
    assert text.count('class="interval"') == text.count('class="margin"') == len(bounded)
    assert "An upright stroke is the margin" in text
    # One stroke more for each interval in the picture of the slices.
    (forest,) = re.findall(r"<h3>Slices by accuracy</h3>\s*(<svg.*?</svg>)", text, re.DOTALL)
    without = dataclasses.replace(
        verdict, checks=tuple(dataclasses.replace(c, line=math.nan) for c in verdict.checks)
    )
    (plain,) = re.findall(
        r"<h3>Slices by accuracy</h3>\s*(<svg.*?</svg>)", page(without), re.DOTALL
    )
    of_metric = sum(c.metric == "accuracy" for c in bounded)
    strokes = forest.count("stroke: currentColor") - plain.count("stroke: currentColor")
    assert strokes == of_metric


def test_what_cannot_be_drawn_is_named() -> None:
    candidate, baseline = samples.pair_of_rows(60)
    cases = {
        "The candidate&#39;s predictions have no scores": (
            dataclasses.replace(candidate, scores=None),
            baseline,
        ),
        "Some scores of the baseline are no probabilities": (
            candidate,
            dataclasses.replace(baseline, scores=np.full(60, np.nan)),
        ),
        "All rows have the same label": (
            dataclasses.replace(candidate, labels=np.ones(60, np.int8)),
            dataclasses.replace(baseline, labels=np.ones(60, np.int8)),
        ),
        "The baseline left no predictions of the same rows": (candidate, None),
    }
    for sentence, (ours, theirs) in cases.items():
        pair = None if theirs is None else paired(ours, theirs)
        assert not isinstance(pair, str)
        verdict = Verdict(
            reason=Reason.PASSED,
            detail="d",
            checks=(),
            baseline=Baseline(label="b"),
            candidate_rows=ours,
            pair=pair,
        )
        text = page(verdict)
        assert sentence in text
        assert "No rule was applied" in text
        assert "Confusion of the candidate" in text


def test_a_great_many_checks_are_cut_with_a_word() -> None:
    made = samples.made(Reason.WORSE)
    many = tuple(dataclasses.replace(made.checks[0], scope=f"s={n}") for n in range(3000))
    text = page(dataclasses.replace(made, checks=many))
    assert f"{3000 - html.MOST_CHECKS:,} more stand in verdict.json" in text
    assert "2,980 more stand in the table" in text
    assert len(text) < 1_500_000
