"""The verdict as JUnit, so that the Tests tab has one case for each rule and scope.

A rule that rejects is a failure. One that only warns is a skipped case with its message: a failed
case would fail runs whose settings count tests, and a passed one would hide it.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from xml.etree import ElementTree

from amltasks.gate.verdict import Check, Verdict
from amltasks.report import findings
from amltasks.report.markdown import test_of
from amltasks.report.text import plain

_GATE = "the gate as a whole"


def gate(verdict: Verdict, *, title: str, facts: Mapping[str, str]) -> str:
    """The document, as text.

    Args:
        verdict: what was decided. Where it rejects for none of its rules (the baseline could not be
            looked at, another build was first), that is a case of its own.
        title: the model's name.
        facts: lineage, which become properties of the suite.
    """
    whole = not verdict.passed and not any(check.blocks for check in verdict.checks)
    failures = sum(check.blocks for check in verdict.checks) + whole
    suite = ElementTree.Element(
        "testsuite",
        name=plain(f"Gate of {title}"),
        tests=str(len(verdict.checks) + whole),
        failures=str(failures),
        errors="0",
        skipped=str(sum(not check.passed and not check.blocks for check in verdict.checks)),
    )
    properties = ElementTree.SubElement(suite, "properties")
    for number, note in enumerate(verdict.notes, 1):
        ElementTree.SubElement(properties, "property", name=f"note {number}", value=plain(note))
    for name, value in facts.items():
        ElementTree.SubElement(properties, "property", name=plain(name), value=plain(value))
    for check in verdict.checks:
        _case(suite, title, check)
    if whole:
        case = ElementTree.SubElement(
            suite, "testcase", classname=plain(title), name=_GATE, time="0"
        )
        _failure(case, verdict.reason.value, verdict.detail)
    told = [*verdict.notes, *findings.headline(verdict)]
    if told:
        ElementTree.SubElement(suite, "system-out").text = plain("\n".join(told))
    root = ElementTree.Element("testsuites")
    root.append(suite)
    ElementTree.indent(root)
    text = ElementTree.tostring(root, encoding="unicode")
    return f'<?xml version="1.0" encoding="utf-8"?>\n{text}\n'


def _case(suite: ElementTree.Element, title: str, check: Check) -> None:
    name = f"{check.metric} ({check.scope}): {check.asked}"
    case = ElementTree.SubElement(
        suite, "testcase", classname=plain(title), name=plain(name), time="0"
    )
    if check.blocks:
        _failure(case, check.reason.value, check.detail)
    elif not check.passed:
        kind = "passed over" if check.severity == "note" else "warning"
        message = plain(f"{kind} {check.reason.value}: {check.detail}")
        ElementTree.SubElement(case, "skipped", message=message)
    told = [check.detail, check.method]
    if math.isfinite(check.value_low):
        told.append(f"value {findings.value(check)}")
    test = test_of(check)
    if test:
        told.append(f"p {test}")
    ElementTree.SubElement(case, "system-out").text = plain("\n".join(told))


def _failure(case: ElementTree.Element, reason: str, detail: str) -> None:
    failure = ElementTree.SubElement(case, "failure", type=reason, message=plain(detail))
    failure.text = plain(f"{reason}: {detail}")
