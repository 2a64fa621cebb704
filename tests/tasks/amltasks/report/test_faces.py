"""The verdict as JUnit, JSON and a model card: they agree with it, and hold any text."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from xml.etree import ElementTree

import pytest

from amltasks.gate.verdict import Baseline, Reason, Verdict
from amltasks.report import findings, html, junit, markdown, model_card, verdict_json
from tests.tasks.amltasks.report import samples

BUILD = {"id": "1042", "number": "20261125.3"}


def suite_of(verdict: Verdict, title: str = samples.TITLE) -> ElementTree.Element:
    text = junit.gate(verdict, title=title, facts=samples.FACTS)
    suite = ElementTree.fromstring(text.encode()).find("testsuite")  # noqa: S314 - our own
    assert suite is not None
    return suite


@pytest.mark.parametrize("worse_on", ["", "iron"])
def test_junit_counts_what_the_verdict_counts(worse_on: str) -> None:
    verdict = samples.judged(800, worse_on=worse_on)
    suite = suite_of(verdict)
    cases = suite.findall("testcase")
    assert suite.attrib["tests"] == str(len(cases)) == str(len(verdict.checks))
    blocking = [check.reason.value for check in verdict.checks if check.blocks]
    assert [found.attrib["type"] for found in suite.iter("failure")] == blocking
    assert suite.attrib["failures"] == str(len(blocking))
    assert (
        suite.attrib["skipped"]
        == str(len(verdict.warnings))
        == str(len(list(suite.iter("skipped"))))
    )
    assert all(case.findtext("system-out") for case in cases)
    assert bool(blocking) == (not verdict.passed)


def test_a_rejection_for_no_rule_is_a_case_of_its_own() -> None:
    verdict = Verdict(
        reason=Reason.BASELINE_UNREACHABLE,
        detail="service s: may not look",
        checks=(),
        baseline=Baseline(label="service s", unreachable="may not look"),
    )
    suite = suite_of(verdict)
    assert (suite.attrib["tests"], suite.attrib["failures"]) == ("1", "1")
    failure = suite.find("testcase/failure")
    assert failure is not None
    assert failure.attrib["type"] == "BASELINE_UNREACHABLE"


@pytest.mark.parametrize("reason", Reason)
def test_every_reason_and_any_text_has_every_face(reason: Reason) -> None:
    text = samples.HOSTILE + "\ud800"
    verdict = samples.made(reason, text=text)
    suite = suite_of(verdict, title=text)
    assert suite.attrib["failures"] == ("0" if reason is Reason.PASSED else "1")
    raw = verdict_json.gate(verdict, title=text, facts={text: text}, build=BUILD, links={})
    found = json.loads(raw.encode())
    assert found["reason"] == found["checks"][0]["reason"] == reason.value
    card = model_card.gate(verdict, title=text, facts={text: text}, description=text)
    card.encode()
    assert "<script" not in card.replace("\\<", "")
    assert "no predictions of single rows" in card


def test_the_json_is_the_contract_with_the_tab() -> None:
    verdict = samples.judged(800, worse_on="iron")
    check = replace(verdict.checks[0], baseline=math.nan, low=-math.inf)
    verdict = replace(verdict, checks=(check, *verdict.checks[1:]))
    raw = verdict_json.gate(
        verdict, title=samples.TITLE, facts=samples.FACTS, build=BUILD, links={}
    )
    found = json.loads(raw, parse_constant=pytest.fail)
    assert found["schema"] == 1
    assert found["verdict"] == "rejected"
    assert found["build"] == BUILD
    assert found["baseline"] == {
        "label": samples.LABEL,
        "model": "compliance-classifier",
        "version": "6",
    }
    assert found["facts"] == samples.FACTS
    first = found["checks"][0]
    assert set(first) == {
        *("metric", "scope", "direction", "severity", "asked", "candidate", "baseline", "gain"),
        *("low", "high", "p_value", "detectable", "rows", "inputs", "method", "reason"),
        *("detail", "passed", "value_low", "value_high", "line", "against", "tested"),
    }
    assert (first["baseline"], first["low"], first["high"]) == (None, None, check.high)


def test_every_face_has_the_p_of_the_decision_and_what_it_is_of() -> None:
    verdict = samples.judged(800, worse_on="iron")
    told = [markdown.test_of(check) for check in verdict.checks]
    assert any(each and "if a gain of" in each for each in told)
    lines = [each for each in told if each]
    raw = verdict_json.gate(verdict, title=samples.TITLE, facts={}, build=BUILD, links={})
    assert sum(bool(check["tested"]) for check in json.loads(raw)["checks"]) == len(lines)
    printed = "".join(suite_of(verdict).itertext())
    assert printed.count("\np ") == len(lines)
    page = html.gate(verdict, title=samples.TITLE, facts={})
    assert page.count(' <span class="small">if a ') == len(lines)
    for text in (
        markdown.gate(verdict, title=samples.TITLE, facts={}),
        model_card.gate(verdict, title=samples.TITLE, facts={}, description=""),
    ):
        assert all(markdown.cell(each) in text for each in lines)


def test_summary_and_tests_tell_what_the_page_does() -> None:
    """The headline, the value that a limit holds with its bounds and rows, and earlier looks."""
    verdict = replace(samples.judged(), anchor=Baseline(label="the anchor m:2"))
    check = next(c for c in verdict.checks if c.scope == "all rows" and "at least" in c.asked)
    value = findings.value(check)
    assert "4,000 rows" in value
    suite = suite_of(verdict)
    told = suite.findtext("system-out") or ""
    assert all(sentence in told for sentence in findings.headline(verdict))
    (case,) = (e for e in suite.iter("testcase") if check.asked in e.get("name", ""))
    assert f"value {value}" in (case.findtext("system-out") or "")
    summary = markdown.gate(verdict, title="m", facts={})
    assert f"| {markdown.cell(value)} |" in summary
    assert "Total loss held to: the anchor m:2. Earlier looks at these rows: 11." in summary


def test_a_model_card_tells_the_data_the_numbers_and_the_limits() -> None:
    verdict = samples.judged(800, worse_on="iron")
    card = model_card.gate(
        verdict, title=samples.TITLE, facts=samples.FACTS, description="Says if a part complies."
    )
    assert [line for line in card.splitlines() if line.startswith("#")] == [
        "# Model card: compliance-classifier",
        "## Model details",
        "## Intended use",
        "## Evaluation data",
        "## Quantitative analyses",
        "## Caveats and recommendations",
    ]
    assert "800 rows with 800 distinct inputs" in card
    assert "0.0% of the rows have an input that was trained on" in card
    assert "Slices are known by material" in card
    assert card.count("\n| accuracy |") == sum(c.metric == "accuracy" for c in verdict.checks)
    assert "- The gate rejected it" in card
