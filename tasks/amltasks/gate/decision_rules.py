"""The decision rules: superiority and non-inferiority, by bounds or by single numbers."""

from __future__ import annotations

import math
from dataclasses import dataclass
from decimal import Decimal

from amltasks.gate.gain import Gain
from amltasks.gate.paired import noise
from amltasks.gate.rules import Rule, Rules
from amltasks.gate.verdict import Reason

Decision = tuple[Reason, str]
"""What becomes of a rule, and why in a sentence without its full stop."""


def gain(direction: str, candidate: float, baseline: float) -> float:
    """How much better the candidate is, in the metric's unit.

    Decimal, because 0.9 - 0.8 >= 0.1 is false in binary floating point, and a rule is meant as it
    is written.
    """
    new, old = Decimal(repr(candidate)), Decimal(repr(baseline))
    return float(new - old if direction == "higher" else old - new)


def asked(rule: Rule) -> str:
    """What the rule asks, in words."""
    parts = []
    if rule.floor is not None:
        parts.append(f"at least {rule.floor:g}")
    if rule.ceiling is not None:
        parts.append(f"at most {rule.ceiling:g}")
    if rule.min_gain is not None:
        more = f" by more than {rule.min_gain}" if rule.min_gain.value else ""
        parts.append(f"better than the baseline{more} (superiority)")
    if rule.max_loss is not None:
        loss = rule.max_loss
        less = f"worse than the baseline by less than {loss}" if loss.value else "not worse"
        parts.append(f"{less} (non-inferiority)")
    if rule.seeds and parts:
        parts.append("retrain noise allowed for")
    return ", ".join(parts)


def line(rule: Rule, baseline: float, confidence: float) -> float:
    """Return what the gain must be shown to exceed: ``min_gain``, or minus ``max_loss``.

    An allowance for retrain noise raises the first and lowers the second.
    """
    allowed = _noise(rule, confidence)
    if rule.min_gain is not None:
        return rule.min_gain.of(baseline) + allowed
    assert rule.max_loss is not None  # noqa: S101 - one of the two is given
    return -(rule.max_loss.of(baseline) + allowed)


def decide(rule: Rule, gained: Gain, rules: Rules, *, candidate: float, against: str) -> Decision:
    """Return whether a gain is what the rule asks; its numbers are there and finite.

    Both rules hold when the gain's lower bound is above their `line`: with a confidence of 0.95, a
    candidate that does not deserve it passes at most one time in twenty. Single numbers decide by
    the gain itself. What is certain is said: a candidate whose upper bound is below 0 is worse,
    even where the rows are too few to tell by how much.
    """
    case = _Case(
        rule=rule,
        gained=gained,
        rules=rules,
        line=line(rule, gained.baseline, rules.confidence),
        values=f"'{rule.metric}' is {candidate:.6g} against {gained.baseline:.6g} of {against}",
    )
    if gained.rows == 0:
        return case.by_numbers()
    doubt = case.doubt()
    if doubt:
        return case.in_doubt(doubt)
    return case.by_bounds()


@dataclass(frozen=True, kw_only=True)
class _Case:
    """One gain before its rule. ``line`` is as in `line`, ``values`` names both models' values."""

    rule: Rule
    gained: Gain
    rules: Rules
    line: float
    values: str

    def by_numbers(self) -> Decision:
        """By the gain of two single numbers; exactly the line is enough."""
        if self._tie():
            return self._of_a_tie()
        told = f"{self.values}: a gain of {self.gained.gain:+.4g}{self._noise_told()}"
        if self.gained.gain >= self.line:
            return Reason.PASSED, told
        return self._wanting(), f"{told}, {self._wanted()}"

    def by_bounds(self) -> Decision:
        """By the bounds of the gain."""
        if self._tie():
            return self._of_a_tie()
        gained, told = self.gained, self._told()
        if gained.low > self.line:
            return Reason.PASSED, told
        told = f"{told}, {self._wanted()}"
        if self.rule.min_gain is not None:
            chance = ": the gain may be chance" if gained.gain > self.line else ""
            return Reason.NOT_BETTER, told + chance
        if gained.gain <= self.line:
            return Reason.WORSE, told
        if gained.high < 0:
            return Reason.WORSE, f"{told}: it is worse for certain{self._at_most()}"
        least = f"; this many inputs show only {gained.detectable:.4g} or more"
        shown = least if math.isfinite(gained.detectable) else ""
        return Reason.TOO_FEW_ROWS, f"{told}: they are too few to tell{shown}"

    def in_doubt(self, doubt: str) -> Decision:
        """Where the rows cannot show a gain: what they say against a candidate counts all the same.

        Otherwise ``too_few_rows: warn`` would let it pass.
        """
        gained = self.gained
        if gained.gain < self.line:
            return self._wanting(), f"{self.values}: a gain of {gained.gain:+.4g}, and {doubt}"
        if self.rule.max_loss is not None and gained.high < 0:
            certain = f"it is worse for certain{self._at_most()}"
            return Reason.WORSE, f"{self.values}: {certain}, although {doubt}"
        return Reason.TOO_FEW_ROWS, f"{self.values}, but {doubt}"

    def doubt(self) -> str:
        """Why the rows cannot show anything; empty when they can."""
        if self.gained.inputs < self.rules.min_inputs:
            return f"{self.gained.inputs} distinct inputs are fewer than {self.rules.min_inputs}"
        if not self.gained.bounded:
            return f"the rows give no bounds ({self.gained.method})"
        return ""

    def _tie(self) -> bool:
        return self.rule.min_gain is not None and self.gained.gain == 0 == self.line

    def _of_a_tie(self) -> Decision:
        if self.rules.tie == "pass":
            return Reason.PASSED, f"{self.values}: a tie, which the rules let pass"
        return Reason.TIE, f"{self.values}: a tie, where better is asked"

    def _wanting(self) -> Reason:
        return Reason.WORSE if self.rule.min_gain is None else Reason.NOT_BETTER

    def _told(self) -> str:
        sure = f"at {self.rules.confidence * 100:g}%"
        return (
            f"{self.values}: a gain of {self.gained.gain:+.4g} "
            f"({sure} at least {self.gained.low:+.4g}){self._noise_told()}"
        )

    def _at_most(self) -> str:
        sure = f"at {self.rules.confidence * 100:g}%"
        return f" (its gain is {sure} at most {self.gained.high:+.4g})"

    def _noise_told(self) -> str:
        allowed = _noise(self.rule, self.rules.confidence)
        return f", retrain noise of {allowed:.4g} allowed for" if allowed else ""

    def _wanted(self) -> str:
        if self.rule.min_gain is not None:
            return f"where more than {self.line:.4g} is asked"
        return f"where a loss of less than {-self.line:.4g} is allowed"


def _noise(rule: Rule, confidence: float) -> float:
    return noise(rule.seeds, confidence) if rule.seeds else 0.0
