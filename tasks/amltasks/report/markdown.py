"""Markdown for the run's summary tab, and plain tables for the log."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from amltasks.report import findings
from amltasks.report.text import is_link, plain, shortened

if TYPE_CHECKING:  # numpy is in the gate's environment only, and other tasks make tables, too
    from amltasks.gate.verdict import Check, Verdict


def cell(value: object) -> str:
    """A value for a markdown table: shown as it is, never as markup."""
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return "-"
    if isinstance(value, float):
        return f"{value:.6g}"
    text = " ".join(str(value).split())
    for sign in "\\`*_[]<>|#&~$":
        text = text.replace(sign, "\\" + sign)
    return text


def table(head: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """A markdown table."""
    lines = ["| " + " | ".join(head) + " |", "|" + " --- |" * len(head)]
    lines += ["| " + " | ".join(cell(value) for value in row) + " |" for row in rows]
    return "\n".join(lines) + "\n"


def plain_table(head: Sequence[str], rows: Sequence[Sequence[object]]) -> list[str]:
    """The lines of a table for the log, columns aligned."""
    shown = [list(head)] + [["" if v is None else str(v) for v in row] for row in rows]
    widths = [max(len(row[column]) for row in shown) for column in range(len(head))]
    return [
        "  ".join(text.ljust(width) for text, width in zip(row, widths, strict=True)).rstrip()
        for row in shown
    ]


MOST_BYTES = 100_000
"""A summary stays below that; the portal's own limit is not documented."""
_MOST_CHARACTERS = 500
_MOST_FACTS = 50


def gate(verdict: Verdict, *, title: str, facts: Mapping[str, str]) -> str:
    """The gate's summary, below :data:`MOST_BYTES`; it says what it leaves to the report.

    Args:
        verdict: what was decided.
        title: the model's name.
        facts: what else to list, name -> text.
    """
    mark = "passed" if verdict.passed else "rejected"
    head = (
        f"## Gate: {_cut(title)} {mark} ({cell(verdict.reason.value)})\n\n"
        f"{_cut(verdict.detail)}. Compared with: {_cut(verdict.baseline.label)}."
    )
    if verdict.anchor is not None:
        head += f" Total loss held to: {_cut(verdict.anchor.label)}."
    if verdict.looks is not None:
        head += f" Earlier looks at these rows: {verdict.looks}."
    head += "\n\n"
    head += "".join(f"**Note:** {_cut(note)}.\n\n" for note in verdict.notes)
    head += "".join(f"{_cut(sentence)}.\n\n" for sentence in findings.headline(verdict))
    kept = [(name, _fact(value)) for name, value in facts.items()][:_MOST_FACTS]
    tail = "\n| fact | value |\n| --- | --- |\n"
    tail += "".join(f"| {_cut(name)} | {value} |\n" for name, value in kept)
    # What does not hold comes first, so that a cut costs what matters least.
    checks = findings.ordered(verdict.checks)
    lines = [f"| {' | '.join(_row(check))} |\n" for check in checks]
    columns = ["metric", "rows", "asked", "candidate", "baseline", "gain", "bounds", "p", "result"]
    text = head + table(columns, [])
    room = MOST_BYTES - 200 - len((text + tail).encode())
    shown = 0
    for line in lines:
        room -= len(line.encode())
        if room < 0:
            break
        text += line
        shown += 1
    if shown < len(lines):
        text += f"\n{len(lines) - shown} more checks stand in the report.\n"
    if len(facts) > len(kept):
        tail += f"\n{len(facts) - len(kept)} more facts stand in the report.\n"
    return plain(text + tail)


def _fact(value: str) -> str:
    return f"<{value}>" if is_link(value) and len(value) <= _MOST_CHARACTERS else _cut(value)


def _cut(value: object) -> str:
    return cell(shortened(value, _MOST_CHARACTERS) if isinstance(value, str) else value)


def bounds(check: Check) -> str | None:
    """The bounds of a gain, in words short enough for a table."""
    if not check.bounded:
        return None
    return f"{check.low:+.4g} to {check.high:+.4g}"


def test_of(check: Check) -> str | None:
    """The p-value of the test that decided, and its null hypothesis; None where none did."""
    if not check.tested:
        return None
    value = "< 0.0001" if check.p_value < 0.0001 else f"{check.p_value:.3g}"
    return f"{value} (if {check.tested})"


def _value(check: Check) -> str | float | None:
    """The candidate's value; with its bounds and the number of rows where a limit is asked for."""
    if check.candidate is None or not math.isfinite(check.value_low):
        return check.candidate
    return findings.value(check)


def _row(check: Check) -> list[str]:
    result = "pass" if check.passed else check.reason.value
    values = [
        check.metric,
        check.scope,
        check.asked,
        _value(check),
        check.baseline,
        f"{check.gain:+.4g}" if math.isfinite(check.gain) else None,
        bounds(check),
        test_of(check),
        {"fail": "", "warn": "warning: ", "note": "passed over: "}[check.severity] + result
        if not check.passed
        else result,
    ]
    return [_cut(value) for value in values]
