"""What a rule needs as evidence, and what is missing. Less evidence is never a lighter test."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from amltasks.gate import decision_rules, rule_sense
from amltasks.gate.measures import find
from amltasks.gate.rows import ALL_ROWS, Pair, Rows
from amltasks.gate.rule_model import Evaluation
from amltasks.gate.rules import Rule, Rules
from amltasks.gate.verdict import Baseline, Check, Reason


@dataclass(frozen=True, kw_only=True)
class Evidence:
    """The rows of a judgement: the candidate's, the baseline's, and both on the same inputs.

    ``pair`` says in words what differs where the rows are not the same, and is None where either
    model has none.
    """

    candidate: Rows | None
    baseline: Baseline
    pair: Pair | str | None

    def lack(self, rule: Rule) -> decision_rules.Decision | None:
        """Why the rows of both models cannot be compared in a rule's metric; None if they can."""
        metric, label, measure = rule.metric, self.baseline.label, find(rule.metric)
        if self.baseline.rescoring:
            return Reason.RESCORING_FAILED, self.baseline.rescoring
        if measure is None:
            return Reason.SINGLE_NUMBERS, (
                f"the gate cannot measure '{metric}' from predictions: there is only one number of "
                "each model, and chance cannot be ruled out"
            )
        if self.candidate is None:
            return Reason.NO_PREDICTIONS, (
                f"the candidate left no predictions, so '{metric}' cannot be compared row by row"
            )
        if self.baseline.rows is None:
            return Reason.NO_BASELINE_PREDICTIONS, (
                f"the baseline ({label}) left no predictions, so '{metric}' cannot be compared row "
                "by row"
            )
        if isinstance(self.pair, str):
            return Reason.DIFFERENT_ROWS, (
                f"the two models were not measured on the same rows: {self.pair}"
            )
        for name, rows in (("candidate", self.candidate), ("baseline", self.baseline.rows)):
            if rows.model_type not in measure.model_types:
                return Reason.SINGLE_NUMBERS, (
                    f"the gate does not measure '{metric}' from predictions of a "
                    f"{rows.model_type} model, so chance cannot be looked at"
                )
            if measure.needs_scores and rows.scores is None:
                return scores_missing(name, metric)
        return None

    def unmeasured(self, metric: str) -> decision_rules.Decision | None:
        """Why the candidate's rows do not tell a metric that rows can tell; else None."""
        measure = find(metric)
        if measure is None:
            return None
        if self.candidate is None:
            return Reason.NO_PREDICTIONS, (
                f"the candidate left no predictions, so '{metric}' is only the number that it "
                "logged"
            )
        if self.candidate.model_type not in measure.model_types:
            return Reason.SINGLE_NUMBERS, (
                f"the gate does not measure '{metric}' from predictions of a "
                f"{self.candidate.model_type} model, so it is only the number that the candidate "
                "logged"
            )
        if measure.needs_scores and self.candidate.scores is None:
            return scores_missing("candidate", metric)
        return None

    def pinned(self, pinned: Evaluation | None) -> Iterator[Check]:
        """Yield the checks that hold the candidate to its evaluation set."""
        if pinned is None:
            return
        rows, parts = self.candidate, []
        if pinned.sha256 is not None:
            parts.append(f"sha256 {pinned.sha256[:12]}…")
        parts += [f"at least {pinned.min_rows:,} rows, {pinned.min_inputs:,} distinct inputs"]
        reason, detail = Reason.PASSED, "the candidate was measured on the evaluation set"
        if rows is None:
            reason = Reason.NO_PREDICTIONS
            detail = "the rules pin the evaluation set, and the candidate left no predictions"
        else:
            inputs = len(np.unique(rows.inputs))
            if len(rows) < pinned.min_rows or inputs < pinned.min_inputs:
                reason = Reason.ROWS_MISSING
                detail = (
                    f"the candidate's predictions have {len(rows):,} rows and {inputs:,} distinct "
                    f"inputs; the rules ask for {pinned.min_rows:,} and {pinned.min_inputs:,}"
                )
            elif pinned.sha256 is not None and rows.digest != pinned.sha256:
                reason = Reason.EVALUATION_CHANGED
                detail = (
                    f"the candidate was measured on other rows, labels, inputs or weights (sha256 "
                    f"{rows.digest}) than the rules pin ({pinned.sha256})"
                )
        yield Check(
            metric="evaluation set",
            scope=ALL_ROWS,
            direction="higher",
            severity="fail",
            asked=", ".join(parts),
            rows=0 if rows is None else len(rows),
            reason=reason,
            detail=detail,
        )


def scores_missing(model: str, metric: str) -> decision_rules.Decision:
    """The decision where predictions have no scores."""
    return Reason.SCORES_MISSING, (
        f"the {model}'s predictions have no column 'score', which '{metric}' is measured from"
    )


def metric_missing(metric: str, logged: list[str]) -> decision_rules.Decision:
    """The decision where the candidate has no such metric."""
    near = rule_sense.nearest(metric, logged)
    hint = f"; did you mean '{near}'?" if near and find(metric) is None else ""
    return Reason.METRIC_MISSING, f"the candidate has no metric '{metric}'{hint}"


def single_numbers(rule: Rule, rules: Rules, lack: Reason) -> str:
    """Return ``fail``, ``warn`` or ``pass``: what the rules say of single numbers."""
    if lack is Reason.DIFFERENT_ROWS and rules.different_rows == "points":
        return "pass"
    return rule.single_numbers or rules.single_numbers
