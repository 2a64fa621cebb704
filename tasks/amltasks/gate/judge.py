"""The judgement: rules applied to a candidate and its baseline. It fails closed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from amltasks.gate import drift
from amltasks.gate.checks import Checks
from amltasks.gate.decision_rules import gain
from amltasks.gate.measured import Measured
from amltasks.gate.rows import Pair, Rows
from amltasks.gate.rules import Rules
from amltasks.gate.verdict import Baseline, Check, Reason, Verdict

__all__ = ["Candidate", "gain", "judge"]


@dataclass(frozen=True, kw_only=True)
class Candidate:
    """What is judged: the metrics it logged, and its predictions where there are any."""

    metrics: Mapping[str, float]
    rows: Rows | None = None


def judge(
    candidate: Candidate,
    baseline: Baseline | None,
    rules: Rules,
    *,
    anchor: Baseline | None = None,
    looks: int | None = None,
) -> Verdict:
    """Apply the rules.

    Args:
        candidate: what is judged.
        baseline: what it is compared with; None when the user asked for no baseline, and then only
            rules with ``min_gain`` or ``max_loss`` need one.
        rules: the rules.
        anchor: the earlier model that the total loss is held to, None for none.
        looks: how often the same rows were judged before, None where that is not known.

    Returns:
        The verdict. It passes only when every rule with severity ``fail`` was applied and holds,
        except where the rules say otherwise in writing.
    """
    against = baseline or Baseline(label="no baseline")
    rules = drift.spent(rules, looks or 0)
    measured = Measured(metrics=candidate.metrics, rows=candidate.rows)
    judgement = Checks(measured, against, rules)
    checks = tuple(judgement.all())
    if anchor is not None:
        checks += tuple(drift.checks(measured, anchor, rules))
    found = {check.reason: check.detail for check in reversed(checks) if check.blocks}
    if against.unreachable:
        found[Reason.BASELINE_UNREACHABLE] = f"{against.label}: {against.unreachable}"
    elif baseline is not None and against.metrics is None and rules.no_incumbent == "fail":
        found[Reason.NO_INCUMBENT] = f"there is no incumbent ({against.label})"
    gravest = next((reason for reason in Reason if reason in found), Reason.PASSED)
    return Verdict(
        reason=gravest,
        detail=found.get(gravest, _praise(checks)),
        checks=checks,
        baseline=against,
        notes=tuple(_notes(checks, judgement)),
        confidence=rules.confidence,
        anchor=anchor,
        looks=looks,
        examples=rules.examples,
        candidate_rows=candidate.rows,
        pair=judgement.pair if isinstance(judgement.pair, Pair) else None,
    )


def _praise(checks: tuple[Check, ...]) -> str:
    warned = sum(not check.passed and check.severity == "warn" for check in checks)
    over = sum(not check.passed and check.severity == "note" for check in checks)
    if not warned and not over:
        return f"all {len(checks)} checks hold" if len(checks) > 1 else "the check holds"
    parts = [f"{warned} warn"] if warned else []
    parts += [f"{over} passed over"] if over else []
    return f"no check rejects it ({', '.join(parts)})"


def _notes(checks: tuple[Check, ...], judgement: Checks) -> Iterator[str]:
    """Sentences that every report begins with."""
    single = dict.fromkeys(check.metric for check in checks if check.single_numbers)
    if single:
        yield (
            f"Chance was not looked at for {', '.join(single)}: only one number of each model "
            "was compared"
        )
    yield from judgement.taken_on_trust()
    yield from judgement.contradictions()
