"""The rows that a rule applies to: all of them, or each of some slices."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from amltasks.gate import decision_rules
from amltasks.gate.rows import ALL_ROWS, Array, Rows
from amltasks.gate.rules import Rule
from amltasks.gate.verdict import Check, Reason

MOST_SLICES = 200
"""A column of more values is no slice: each would be judged, and none by enough rows."""


@dataclass(frozen=True, kw_only=True)
class Scope:
    """A name, and which rows it stands for (bool, n); None for all, or where none are at hand."""

    name: str
    chosen: Array | None = field(default=None, repr=False)


def scopes(rule: Rule, rows: Rows | None) -> Iterator[Scope]:
    """Yield the scopes of a rule that have rows."""
    if not rule.slices:
        yield Scope(name=ALL_ROWS)
        return
    slices = rows.slices if rows is not None else {}
    for asked in dict.fromkeys(rule.slices):
        column, equals, value = asked.partition("=")
        if column not in slices:
            continue
        values = [value] if equals else sorted(set(slices[column]))
        if len(values) > MOST_SLICES:
            continue
        for each in values:
            chosen = slices[column] == each
            if chosen.any():
                yield Scope(name=f"{column}={each}", chosen=chosen)


def missing(rule: Rule, rows: Rows | None) -> Iterator[Check]:
    """Yield a check that fails for every slice of a rule that cannot be looked at."""
    for asked in rule.slices:
        detail = _missing(asked, rows)
        if detail:
            yield Check(
                metric=rule.metric,
                scope=asked,
                direction=rule.direction,
                severity=rule.severity,
                asked=decision_rules.asked(rule),
                reason=Reason.SLICE_MISSING,
                detail=detail,
            )


def _missing(asked: str, rows: Rows | None) -> str:
    """Why a slice cannot be looked at, empty when it can."""
    column, equals, value = asked.partition("=")
    if rows is None:
        return f"there are no predictions to take the slices of '{column}' from"
    if column not in rows.slices:
        return f"the predictions have no column '{column}'"
    if equals and not (rows.slices[column] == value).any():
        some = ", ".join(sorted(set(rows.slices[column]))[:8])
        return f"no row has {column}={value}; its values are {some}"
    many = len(set(rows.slices[column]))
    if not equals and many > MOST_SLICES:
        return f"the column '{column}' has {many} values, more than {MOST_SLICES}"
    return ""
