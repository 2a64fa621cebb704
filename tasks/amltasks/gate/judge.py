"""The judgement: rules applied to a candidate and its baseline. It fails closed."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal

from amltasks.gate import decision_rules, hygiene
from amltasks.gate.comparison import Comparison
from amltasks.gate.decision_rules import Gained
from amltasks.gate.measures import ALIASES, find, point
from amltasks.gate.paired import Wanted, compare_many
from amltasks.gate.rows import ALL_ROWS, Array, Pair, Rows, paired
from amltasks.gate.rules import HYGIENE, Rule, Rules
from amltasks.gate.verdict import Baseline, Check, Reason, Verdict

MOST_SLICES = 200
"""A column of more values is no slice: each would be judged, and none by enough rows."""


@dataclass(frozen=True, kw_only=True)
class Candidate:
    """What is judged: the metrics it logged, and its predictions where there are any."""

    metrics: Mapping[str, float]
    rows: Rows | None = None


@dataclass(frozen=True, kw_only=True)
class _Scope:
    """The rows a rule applies to: a name, and which they are (None: all, or none at hand)."""

    name: str
    chosen: Array | None = None


def judge(candidate: Candidate, baseline: Baseline | None, rules: Rules) -> Verdict:
    """Apply the rules.

    Args:
        candidate: what is judged.
        baseline: what it is compared with; None when the user asked for no baseline, and then only
            rules with ``min_gain`` or ``max_loss`` need one.
        rules: the rules.

    Returns:
        The verdict. It passes only when every rule with severity ``fail`` was applied and holds,
        except where the rules say otherwise in writing.
    """
    against = baseline or Baseline(label="no baseline")
    judgement = _Judgement(candidate, against, rules)
    checks = tuple(check for rule in rules.rules for check in judgement.checks(rule))
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
        confidence=rules.confidence,
        candidate_rows=candidate.rows,
        pair=judgement.pair if isinstance(judgement.pair, Pair) else None,
    )


def gain(direction: str, candidate: float, baseline: float) -> float:
    """How much better the candidate is, in the metric's unit.

    Decimal, because 0.9 - 0.8 >= 0.1 is false in binary floating point, and a rule is meant as it
    is written.
    """
    new, old = Decimal(repr(candidate)), Decimal(repr(baseline))
    return float(new - old if direction == "higher" else old - new)


def _praise(checks: tuple[Check, ...]) -> str:
    warned = sum(not check.passed for check in checks)
    text = f"all {len(checks)} checks hold" if len(checks) > 1 else "the check holds"
    return f"no check rejects it, {warned} warn" if warned else text


class _Judgement:
    """The checks of one judgement; comparisons are made once, for all rules together."""

    def __init__(self, candidate: Candidate, against: Baseline, rules: Rules) -> None:
        self._candidate = candidate
        self._against = against
        self._rules = rules
        self.pair: Pair | str | None = None
        if candidate.rows is not None and against.rows is not None:
            self.pair = paired(candidate.rows, against.rows)
        self._compared = self._compare()

    def _compare(self) -> dict[tuple[str, str], Comparison]:
        """Every comparison the rules ask for that rows can answer, by (metric, scope)."""
        if not isinstance(self.pair, Pair):
            return {}
        wanted = {
            (rule.metric, scope.name): Wanted(
                scope=scope.name, chosen=scope.chosen, measure=rule.metric
            )
            for rule in self._rules.rules
            if _relative(rule) and self._by_rows(rule.metric)
            for scope in self._scopes(rule)
            if scope.chosen is None or scope.chosen.any()
        }
        found = compare_many(
            self.pair,
            list(wanted.values()),
            confidence=self._rules.confidence,
            resamples=self._rules.resamples,
        )
        return dict(zip(wanted, found, strict=True))

    def _by_rows(self, metric: str) -> bool:
        """Whether the candidate's rows tell this metric."""
        rows, measure = self._candidate.rows, find(metric)
        return (
            rows is not None
            and measure is not None
            and rows.model_type in measure.model_types
            and not (measure.needs_scores and rows.scores is None)
        )

    def _scopes(self, rule: Rule) -> Iterator[_Scope]:
        if not rule.slices:
            yield _Scope(name=ALL_ROWS)
            return
        slices = self._candidate.rows.slices if self._candidate.rows is not None else {}
        for asked in rule.slices:
            column, equals, value = asked.partition("=")
            if column not in slices:
                continue
            values = [value] if equals else sorted(set(slices[column]))
            if len(values) > MOST_SLICES:
                continue
            for each in values:
                yield _Scope(name=f"{column}={each}", chosen=slices[column] == each)

    def checks(self, rule: Rule) -> Iterator[Check]:
        """The checks of one rule: one a scope, and one a column for the gap."""
        if rule.slices:
            yield from self._missing(rule)
        scopes = list(self._scopes(rule))
        if any(each is not None for each in (rule.floor, rule.ceiling)) or _relative(rule):
            for scope in scopes:
                yield self._check(rule, scope)
        if rule.max_gap is not None:
            for column in dict.fromkeys(each.partition("=")[0] for each in rule.slices):
                of = [s for s in scopes if s.name.startswith(column + "=")]
                if len(of) > 1:
                    yield self._gap(rule, column, of)
                elif of:
                    detail = f"there is no gap to look at: {of[0].name} is the only slice"
                    yield _made(
                        rule, column, Reason.SLICE_MISSING, detail, decision_rules.asked(rule)
                    )

    def _missing(self, rule: Rule) -> Iterator[Check]:
        """A check that fails for every slice that cannot be looked at."""
        rows = self._candidate.rows
        for asked in rule.slices:
            column, equals, value = asked.partition("=")
            if rows is None:
                detail = f"there are no predictions at hand to look at the slices of '{column}'"
            elif column not in rows.slices:
                detail = f"the predictions have no column '{column}'"
            elif equals and not (rows.slices[column] == value).any():
                detail = f"no row has {column}={value}"
            elif not equals and (many := len(set(rows.slices[column]))) > MOST_SLICES:
                detail = f"the column '{column}' has {many} values, more than {MOST_SLICES}"
            else:
                continue
            yield _made(rule, asked, Reason.SLICE_MISSING, detail, decision_rules.asked(rule))

    def _value(self, metric: str, scope: _Scope) -> float | None:
        rows = self._candidate.rows
        if metric in HYGIENE:
            found = hygiene.value(metric, rows, scope.chosen, self._candidate.metrics)
            if found is not None:
                return found
        elif rows is not None and self._by_rows(metric):
            part = rows if scope.chosen is None else rows.where(scope.chosen)
            return point(metric, part.truth, part.side)
        # What was logged is of all rows: it says nothing of a slice.
        return _logged(self._candidate.metrics, metric) if scope.chosen is None else None

    def _check(self, rule: Rule, scope: _Scope) -> Check:
        value = self._value(rule.metric, scope)
        gained = self._gained(rule, scope, value) if _relative(rule) else Gained()
        reason, detail = self._reason(rule, scope, value, gained)
        few = reason is Reason.TOO_FEW_ROWS and self._rules.too_few_rows == "warn"
        return Check(
            metric=rule.metric,
            scope=scope.name,
            direction=rule.direction,
            severity="warn" if few else rule.severity,
            asked=decision_rules.asked(rule),
            candidate=value,
            baseline=gained.baseline,
            gain=gained.gain,
            low=gained.low,
            high=gained.high,
            p_value=gained.p_value,
            detectable=gained.detectable,
            rows=gained.rows,
            inputs=gained.inputs,
            method=gained.method,
            reason=reason,
            detail=detail if scope.name == ALL_ROWS else f"{scope.name}: {detail}",
        )

    def _gained(self, rule: Rule, scope: _Scope, value: float | None) -> Gained:
        found = self._compared.get((rule.metric, scope.name))
        if found is not None:
            return Gained.of(found)
        logged = self._against.metrics or {}
        old = _logged(logged, rule.metric) if scope.name == ALL_ROWS else None
        if value is None or old is None or not (math.isfinite(value) and math.isfinite(old)):
            return Gained(baseline=old)
        return Gained(
            baseline=old,
            gain=gain(rule.direction, value, old),
            method="single numbers: no predictions of both models on the same rows are at hand, "
            "so how far chance goes is not known",
        )

    def _reason(
        self, rule: Rule, scope: _Scope, value: float | None, gained: Gained
    ) -> tuple[Reason, str]:
        name = rule.metric
        if value is None:
            return Reason.METRIC_MISSING, f"the candidate has no metric '{name}'"
        if not math.isfinite(value):
            return Reason.METRIC_NOT_FINITE, f"'{name}' of the candidate is {value}"
        if rule.floor is not None and value < rule.floor:
            return Reason.BELOW_FLOOR, f"'{name}' is {value:.6g}, below the floor {rule.floor:g}"
        if rule.ceiling is not None and value > rule.ceiling:
            return Reason.ABOVE_CEILING, (
                f"'{name}' is {value:.6g}, above the ceiling {rule.ceiling:g}"
            )
        if not _relative(rule):
            return Reason.PASSED, f"'{name}' is {value:.6g}"
        return self._compared_reason(rule, scope, value, gained)

    def _compared_reason(
        self, rule: Rule, scope: _Scope, value: float, gained: Gained
    ) -> tuple[Reason, str]:
        name, against = rule.metric, self._against
        if against.unreachable:
            return Reason.BASELINE_UNREACHABLE, f"{against.label}: {against.unreachable}"
        if against.metrics is None:
            if self._rules.no_incumbent == "pass":
                return Reason.PASSED, (
                    f"'{name}' is {value:.6g}; there is no incumbent to compare with"
                )
            return Reason.NO_INCUMBENT, f"there is no incumbent ({against.label})"
        if isinstance(self.pair, str) and self._rules.different_rows == "fail":
            return Reason.DIFFERENT_ROWS, (
                f"the two models were not measured on the same rows: {self.pair}"
            )
        if gained.baseline is None:
            where = f" on {scope.name}" if scope.name != ALL_ROWS else ""
            return Reason.METRIC_MISSING, (
                f"the baseline ({against.label}) has no metric '{name}'{where}"
            )
        if not math.isfinite(gained.baseline):
            return Reason.METRIC_NOT_FINITE, (
                f"'{name}' of the baseline ({against.label}) is {gained.baseline}"
            )
        return decision_rules.decide(
            rule, gained, self._rules, candidate=value, against=against.label
        )

    def _gap(self, rule: Rule, column: str, scopes: list[_Scope]) -> Check:
        values = {scope.name: self._value(rule.metric, scope) for scope in scopes}
        finite = {n: v for n, v in values.items() if v is not None and math.isfinite(v)}
        if len(finite) < len(values):
            wrong = next(name for name in values if name not in finite)
            reason, detail = Reason.METRIC_NOT_FINITE, f"'{rule.metric}' of {wrong} is no number"
        else:
            best, worst = max(finite, key=finite.__getitem__), min(finite, key=finite.__getitem__)
            wide = gain("higher", finite[best], finite[worst])
            held = rule.max_gap is not None and wide <= rule.max_gap
            reason = Reason.PASSED if held else Reason.SLICE_GAP
            detail = (
                f"'{rule.metric}' goes from {finite[worst]:.6g} ({worst}) to {finite[best]:.6g} "
                f"({best}), a gap of {wide:.6g} where {rule.max_gap:g} is allowed"
            )
        return _made(
            rule, column, reason, detail, f"no more than {rule.max_gap:g} between its slices"
        )


def _logged(metrics: Mapping[str, float], metric: str) -> float | None:
    """A metric by its name, or else by another name that means the same."""
    names = (metric, *(alias for alias, name in ALIASES.items() if name == metric))
    return next((metrics[name] for name in names if name in metrics), None)


def _relative(rule: Rule) -> bool:
    """Whether the rule compares with the baseline."""
    return rule.min_gain is not None or rule.max_loss is not None


def _made(rule: Rule, scope: str, reason: Reason, detail: str, asked: str) -> Check:
    return Check(
        metric=rule.metric,
        scope=scope,
        direction=rule.direction,
        severity=rule.severity,
        asked=asked,
        reason=reason,
        detail=detail,
    )
