"""Markdown for the run's summary tab, and plain tables for the log."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # numpy is in the gate's environment only, and other tasks make tables, too
    from amltasks.gate.verdict import Check, Verdict


def cell(value: object) -> str:
    """A value for a markdown table: shown as it is, never as markup."""
    if value is None:
        return "-"
    if isinstance(value, float):
        return f"{value:.6g}"
    text = " ".join(str(value).split())
    for sign in "\\`*_[]<>|#":
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
"""A summary is cut before that; the portal's own limit is not documented."""


def gate(verdict: Verdict, *, title: str, facts: Mapping[str, str]) -> str:
    """The gate's summary.

    Args:
        verdict: what was decided.
        title: the model's name.
        facts: what else to list, name -> text.
    """
    mark = "passed" if verdict.passed else "rejected"
    head = [
        f"## Gate: {cell(title)} {mark} ({cell(verdict.reason.value)})\n",
        f"{cell(verdict.detail)}. Compared with: {cell(verdict.baseline.label)}.\n",
    ]
    # What does not hold comes first, so that a cut costs what matters least.
    checks = sorted(verdict.checks, key=lambda check: (not check.blocks, check.passed))
    rows = [_row(check) for check in checks]
    columns = ["metric", "rows", "asked", "candidate", "baseline", "gain", "bounds", "result"]
    tail = table(["fact", "value"], facts.items())
    shown = len(rows)
    while True:
        left = (
            f"{len(rows) - shown} more checks stand in the report.\n" if shown < len(rows) else ""
        )
        text = "\n".join([*head, table(columns, rows[:shown]), left, tail])
        if len(text.encode()) <= MOST_BYTES or not shown:
            return text
        shown //= 2


def bounds(check: Check) -> str | None:
    """The bounds of a gain, in words short enough for a table."""
    if check.low is None or check.high is None:
        return None
    return f"{check.low:+.4g} to {check.high:+.4g}"


def _row(check: Check) -> list[object]:
    result = "pass" if check.passed else check.reason.value
    return [
        check.metric,
        check.scope,
        check.asked,
        check.candidate,
        check.baseline,
        None if check.gain is None else f"{check.gain:+.4g}",
        bounds(check),
        result if check.passed or check.blocks else f"warning: {result}",
    ]
