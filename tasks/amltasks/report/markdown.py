"""Markdown for the run's summary tab, and plain tables for the log."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from amltasks.verdict import Check, Verdict


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


def gate(verdict: Verdict, *, title: str, facts: Mapping[str, str]) -> str:
    """The gate's summary.

    Args:
        verdict: what was decided.
        title: the model's name.
        facts: what else to list, name -> text.
    """
    mark = "passed" if verdict.passed else "rejected"
    parts = [
        f"## Gate: {cell(title)} {mark} ({cell(verdict.reason.value)})\n",
        f"{cell(verdict.detail)}. Compared with: {cell(verdict.baseline.label)}.\n",
        table(
            ["metric", "better", "candidate", "baseline", "gain", "floor", "min gain", "result"],
            [_row(check) for check in verdict.checks],
        ),
        table(["fact", "value"], facts.items()),
    ]
    return "\n".join(parts)


def _row(check: Check) -> list[object]:
    return [
        check.metric,
        check.direction,
        check.candidate,
        check.baseline,
        check.gain,
        check.floor,
        check.min_gain,
        "pass" if check.passed else check.reason.value,
    ]
