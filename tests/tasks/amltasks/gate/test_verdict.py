"""A check blocks or warns; a verdict passes by its reason alone."""

from __future__ import annotations

from typing import Any

import pytest

from amltasks.gate.rule_model import ANCHOR
from amltasks.gate.verdict import Baseline, Check, Reason, Verdict


def check(**more: Any) -> Check:
    given: dict[str, Any] = {
        "metric": "accuracy",
        "scope": "all rows",
        "direction": "higher",
        "severity": "fail",
        "asked": "at least 0.9",
        "reason": Reason.PASSED,
        "detail": "it is",
    }
    return Check(**{**given, **more})


@pytest.mark.parametrize(
    ("reason", "severity", "passed", "blocks"),
    [
        (Reason.PASSED, "fail", True, False),
        (Reason.PASSED, "warn", True, False),
        (Reason.WORSE, "fail", False, True),
        (Reason.WORSE, "warn", False, False),
        (Reason.UNDEFINED, "note", False, False),
        (Reason.METRIC_MISSING, "fail", False, True),
    ],
)
def test_only_a_rule_that_fails_blocks(
    reason: Reason, severity: str, passed: bool, blocks: bool
) -> None:
    found = check(reason=reason, severity=severity)
    assert (found.passed, found.blocks) == (passed, blocks)


def test_every_reason_but_one_is_a_rejection() -> None:
    baseline = Baseline(label="service s")
    passed = [
        reason
        for reason in Reason
        if Verdict(reason=reason, detail="", checks=(), baseline=baseline).passed
    ]
    assert passed == [Reason.PASSED]


def test_missing_evidence_is_graver_than_a_broken_rule() -> None:
    order = list(Reason)
    assert order[0] is Reason.BASELINE_UNREACHABLE
    assert order[-1] is Reason.PASSED
    for missing in (Reason.NO_PREDICTIONS, Reason.METRIC_MISSING, Reason.ROWS_MISSING):
        assert order.index(missing) < order.index(Reason.BELOW_FLOOR) < order.index(Reason.WORSE)


def test_warnings_are_rules_that_do_not_hold_and_only_warn() -> None:
    warns = check(reason=Reason.WORSE, severity="warn")
    verdict = Verdict(
        reason=Reason.PASSED,
        detail="",
        checks=(
            check(severity="warn"),
            warns,
            check(reason=Reason.WORSE),
            check(reason=Reason.UNDEFINED, severity="note"),
        ),
        baseline=Baseline(label="service s"),
    )
    assert verdict.warnings == (warns,)


def test_what_a_check_is_about() -> None:
    assert check(scope="material=iron").sliced
    assert not check().sliced
    assert check(against=ANCHOR).of_anchor
    assert not check().of_anchor


def test_two_numbers_without_rows_are_single_numbers() -> None:
    assert check(gain=0.1).single_numbers
    assert not check(gain=0.1, rows=30).single_numbers
    assert not check().single_numbers
