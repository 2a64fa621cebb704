"""The decision rules: superiority and non-inferiority, by bounds or by single numbers."""

from __future__ import annotations

import math
from dataclasses import dataclass

from amltasks.gate.comparison import Comparison
from amltasks.gate.paired import noise
from amltasks.gate.rules import Rule, Rules
from amltasks.gate.verdict import Reason


@dataclass(frozen=True, kw_only=True)
class Gained:
    """How much better the candidate is; as in :class:`amltasks.gate.verdict.Check`.

    Without ``low`` and ``high`` the gain is that of two single numbers.
    """

    baseline: float | None = None
    gain: float | None = None
    low: float | None = None
    high: float | None = None
    p_value: float | None = None
    detectable: float | None = None
    rows: int | None = None
    inputs: int | None = None
    method: str = ""

    @classmethod
    def of(cls, found: Comparison) -> Gained:
        """What a comparison by rows found."""
        return cls(
            baseline=found.baseline,
            gain=found.gain,
            low=found.low,
            high=found.high,
            p_value=found.p_value,
            detectable=found.detectable,
            rows=found.rows,
            inputs=found.inputs,
            method=found.method,
        )


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


def _doubt(gained: Gained, rules: Rules) -> str:
    """Why the rows cannot tell anything, empty when they can."""
    if gained.inputs is not None and gained.inputs < rules.min_inputs:
        return f"{gained.inputs} distinct inputs are fewer than {rules.min_inputs}"
    if gained.low is not None and not math.isfinite(gained.low):
        return f"the rows give no bounds ({gained.method})"
    return ""


def decide(
    rule: Rule, gained: Gained, rules: Rules, *, candidate: float, against: str
) -> tuple[Reason, str]:
    """Whether a gain is what the rule asks; everything it needs is there and finite.

    Superiority holds when the gain's lower bound is above ``min_gain``, non-inferiority when it is
    above minus ``max_loss``: with a confidence of 0.95, a candidate that does not deserve it passes
    at most one time in twenty. An allowance for retrain noise raises the first and widens the
    second margin. Single numbers decide by the gain itself.
    """
    assert gained.gain is not None and gained.baseline is not None  # noqa: S101
    allowed_noise = noise(rule.seeds, rules.confidence) if rule.seeds else 0.0
    values = f"'{rule.metric}' is {candidate:.6g} against {gained.baseline:.6g} of {against}"
    known = gained.low is not None
    doubt = _doubt(gained, rules)
    if doubt:
        better = rule.min_gain is not None
        amount = rule.min_gain or rule.max_loss
        assert amount is not None  # noqa: S101 - one of the two is
        line = amount.of(gained.baseline) + allowed_noise
        if gained.gain >= (line if better else -line):
            return Reason.TOO_FEW_ROWS, f"{values}, but {doubt}"
        # What few rows say against a candidate counts: `too_few_rows: warn` must not let it pass.
        return (Reason.NOT_BETTER if better else Reason.WORSE), (
            f"{values}: a gain of {gained.gain:+.4g}, and {doubt}"
        )
    shown = gained.gain if gained.low is None else gained.low
    bounds = f" (at {rules.confidence * 100:g}% at least {gained.low:+.4g})" if known else ""
    told = f"{values}: a gain of {gained.gain:+.4g}{bounds}"
    if allowed_noise:
        told += f", retrain noise of {allowed_noise:.4g} allowed for"
    if rule.min_gain is not None:
        wanted = rule.min_gain.of(gained.baseline) + allowed_noise
        if gained.gain == 0 and wanted == 0:
            if rules.tie == "pass":
                return Reason.PASSED, f"{values}: a tie, which the rules let pass"
            return Reason.TIE, f"{values}: a tie, where better is asked"
        if shown > wanted or (not known and shown == wanted):
            return Reason.PASSED, told
        asked_for = f"where more than {wanted:.4g} is asked"
        if gained.gain > wanted:
            return Reason.NOT_BETTER, f"{told}, {asked_for}: the gain may be chance"
        return Reason.NOT_BETTER, f"{told}, {asked_for}"
    assert rule.max_loss is not None  # noqa: S101 - one of the two is
    margin = rule.max_loss.of(gained.baseline) + allowed_noise
    if shown > -margin or (not known and shown == -margin):
        return Reason.PASSED, told
    allowed = f"where a loss of less than {margin:.4g} is allowed"
    if gained.gain <= -margin:
        return Reason.WORSE, f"{told}, {allowed}"
    least = (
        f"; so many inputs show no less than {gained.detectable:.4g}"
        if (gained.detectable is not None)
        else ""
    )
    return Reason.TOO_FEW_ROWS, f"{told}, {allowed}: they are too few to tell{least}"
