"""What an approver reads first: the largest gain, the worst slice, and what does not hold."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # numpy is in the gate's environment only, and other tasks make tables, too
    from amltasks.gate.verdict import Check, Reason, Verdict

_SEVERITY = {"fail": 0, "warn": 1, "note": 2}
MOST_OF_GROUP = 30
"""More checks of a group are left to the table of all rules."""


@dataclass(frozen=True, kw_only=True)
class Group:
    """Checks of one rule that do not hold for one reason; the worst ones first."""

    checks: tuple[Check, ...]

    @property
    def first(self) -> Check:
        """The worst one."""
        return self.checks[0]

    @property
    def shown(self) -> tuple[Check, ...]:
        """Those that a page shows."""
        return self.checks[:MOST_OF_GROUP]

    @property
    def left(self) -> int:
        """How many are left out of `shown`."""
        return len(self.checks) - len(self.shown)


def ordered(checks: Sequence[Check]) -> list[Check]:
    """Return the checks in the order of what matters: those that reject, the gravest first."""
    return sorted(
        checks,
        key=lambda check: (check.passed, _SEVERITY[check.severity], _gravity(check.reason)),
    )


def _gravity(reason: Reason) -> int:
    return list(type(reason)).index(reason)


def groups(checks: Sequence[Check]) -> list[Group]:
    """Return what does not hold, gravest first: one group for each rule and reason."""
    found: dict[tuple[str, str, str, Reason], list[Check]] = {}
    for check in ordered(checks):
        if not check.passed:
            key = (check.severity, check.metric, check.asked, check.reason)
            found.setdefault(key, []).append(check)
    return [Group(checks=tuple(sorted(each, key=_badness))) for each in found.values()]


def _badness(check: Check) -> float:
    """The smaller, the worse: the gain, or else the value on its better side."""
    if math.isfinite(check.gain):
        return check.gain
    if check.candidate is None or not math.isfinite(check.candidate):
        return -math.inf
    return check.candidate if check.direction == "higher" else -check.candidate


def headline(verdict: Verdict) -> Iterator[str]:
    """Yield the largest gain and the worst slice, with their bounds; also where all rules hold."""
    compared = [c for c in verdict.checks if c.bounded and not c.of_anchor]
    whole = [check for check in compared if not check.sliced]
    if whole:
        best = max(whole, key=_certainty)
        title = "Largest gain" if best.gain > 0 else "No gain, the smallest loss"
        yield f"{title}: {_gain(best)}"
    sliced = [check for check in compared if check.sliced]
    if sliced:
        yield f"Worst slice: {_gain(min(sliced, key=_certainty))}"
        return
    valued = [c for c in verdict.checks if c.sliced and math.isfinite(c.value_low)]
    if valued:
        worst = min(valued, key=_badness)
        yield f"Worst slice: {worst.metric} of {worst.scope} is {value(worst)}"


def value(check: Check) -> str:
    """The candidate's value with its bounds, in words short enough for a table."""
    told = "not known" if check.candidate is None else f"{check.candidate:.4g}"
    if math.isfinite(check.value_low) and math.isfinite(check.value_high):
        told += f" [{check.value_low:.4g}, {check.value_high:.4g}]"
    return told + (f", {check.rows:,} rows" if check.rows else "")


def _certainty(check: Check) -> float:
    """A gain in units of its uncertainty, so that metrics in other units compare."""
    return check.gain / max((check.high - check.low) / 2, 1e-12)


def _gain(check: Check) -> str:
    return (
        f"{check.metric} {check.gain:+.4g} [{check.low:+.4g}, {check.high:+.4g}] on {check.scope}"
    )
