"""The checks of a judgement: each rule applied to each of its scopes."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping

from amltasks.gate import decision_rules, gaps, lacks, limits, rule_sense, tested
from amltasks.gate.comparison import Comparison
from amltasks.gate.decision_rules import Decision, gain
from amltasks.gate.gain import Gain
from amltasks.gate.measured import Measured, logged
from amltasks.gate.paired import Wanted, compare_many
from amltasks.gate.rows import ALL_ROWS, Pair, paired
from amltasks.gate.rules import Rule, Rules
from amltasks.gate.slices import Scope, missing, scopes
from amltasks.gate.verdict import Baseline, Check, Reason


class Checks:
    """The checks of one judgement; comparisons are made once, for all rules together."""

    def __init__(self, candidate: Measured, against: Baseline, rules: Rules) -> None:
        """Compare what the rules ask to compare."""
        self._new = candidate
        self._old = Measured(metrics=against.metrics or {}, rows=against.rows)
        self._against = against
        self._rules = rules
        self.pair: Pair | str | None = None
        if candidate.rows is not None and against.rows is not None:
            self.pair = paired(candidate.rows, against.rows)
        self._evidence = lacks.Evidence(candidate=candidate.rows, baseline=against, pair=self.pair)
        self._scopes = {rule: list(scopes(rule, candidate.rows)) for rule in rules.rules}
        self._compared = self._compare(self.pair, _relative)
        rows = candidate.rows
        perfect = None if rows is None else limits.against_perfection(rows)
        self._alone = self._compare(perfect, _absolute)

    def _compare(
        self, pair: Pair | str | None, of: Callable[[Rule], bool]
    ) -> dict[tuple[str, str], Comparison]:
        """Every comparison that the rules ask for and rows can answer, by (metric, scope)."""
        if not isinstance(pair, Pair):
            return {}
        wanted = {
            (rule.metric, scope.name): Wanted(
                scope=scope.name,
                chosen=scope.chosen,
                measure=rule.metric,
                direction=rule.direction,
            )
            for rule in self._rules.rules
            if of(rule) and self._new.by_rows(rule.metric)
            for scope in self._scopes[rule]
        }
        found = compare_many(
            pair,
            list(wanted.values()),
            confidence=self._rules.confidence,
            resamples=self._rules.resamples,
        )
        return dict(zip(wanted, found, strict=True))

    def all(self) -> Iterator[Check]:
        """The checks of the evaluation set, then those of each rule."""
        yield from self._evidence.pinned(self._rules.evaluation)
        for rule in self._rules.rules:
            yield from missing(rule, self._new.rows)
            yield from self._checks(rule)

    def contradictions(self) -> Iterator[str]:
        """What either model logged and its own rows contradict."""
        names = self._rules.metrics
        for who, measured in (("candidate", self._new), ("baseline", self._old)):
            for name, said, true in measured.contradictions(names):
                yield (
                    f"The {who} logged {name} as {said:.6g}, and its own rows give {true:.6g}: "
                    "the rows count"
                )

    def taken_on_trust(self) -> Iterator[str]:
        """What a limit was held to although no rows tell it."""
        names = dict.fromkeys(
            rule.metric
            for rule in self._rules.rules
            if _absolute(rule) and self._unmeasured(rule)[1] in ("pass", "warn")
        )
        if names:
            yield (
                f"No rows tell {', '.join(names)} of the candidate: limits were held to the number "
                "that it logged"
            )

    def _checks(self, rule: Rule) -> Iterator[Check]:
        """The checks of one rule: one a scope, and one a column for the gap."""
        found = self._scopes[rule]
        values = {scope.name: self._value(rule, scope) for scope in found}
        if _relative(rule) or rule.floor is not None or rule.ceiling is not None:
            of_slices = {name: value for name, value in values.items() if rule.slices and value}
            sure = {n: v for n, v in of_slices.items() if math.isfinite(v.value)}
            together = limits.tested(rule, sure) if len(found) > 1 else {}
            for scope in found:
                yield self._check(rule, scope, values, together)
        if rule.max_gap is not None:
            for column in dict.fromkeys(each.partition("=")[0] for each in rule.slices):
                of = {n: v for n, v in values.items() if n.startswith(column + "=")}
                if of:
                    metric = rule.metric
                    undefined = [
                        n for n, v in of.items() if v and self._new.undefined(metric, v.value)
                    ]
                    yield gaps.check(rule, self._rules, column, of, undefined)

    def _value(self, rule: Rule, scope: Scope) -> limits.Value | None:
        """The candidate's value, None where there is none."""
        value = self._new.value(rule.metric, scope.chosen)
        if value is None:
            return None
        return limits.Value(
            value=value,
            higher=rule.direction == "higher",
            found=self._alone.get((rule.metric, scope.name)),
        )

    def _check(
        self,
        rule: Rule,
        scope: Scope,
        values: Mapping[str, limits.Value | None],
        together: Mapping[str, limits.OfLimits],
    ) -> Check:
        value = values[scope.name]
        gained = self._gained(rule, scope, value) if _relative(rule) else Gain()
        reason, detail = self._absolute_reason(rule, scope, value, together)
        test = self._test_of_limit(rule, scope, value, together)
        severity = self._severity(rule, scope, reason)
        if reason is Reason.PASSED and _relative(rule) and value is not None:
            severity, (reason, detail) = self._relative_reason(rule, scope, value.value, gained)
            test = self._test_of_gain(rule, scope, reason)
        elif reason is Reason.PASSED:
            severity, (reason, detail) = self._by_logged_number(rule, (reason, detail))
        low, high = math.nan, math.nan
        if value is not None and _absolute(rule):
            error = (1 - self._rules.confidence) / (len(values) if rule.slices else 1)
            low, high = _within(value, value.bounds(1 - error), rule.metric)
        found = gained if _relative(rule) or value is None else _counted(value)
        return Check(
            **{**vars(found), "p_value": test.p_value},
            tested=test.hypothesis,
            metric=rule.metric,
            scope=scope.name,
            direction=rule.direction,
            severity=severity,
            asked=decision_rules.asked(rule),
            candidate=None if value is None else value.value,
            value_low=low,
            value_high=high,
            line=self._line(rule, gained),
            reason=reason,
            detail=detail if scope.name == ALL_ROWS else f"{scope.name}: {detail}",
        )

    def _line(self, rule: Rule, gained: Gain) -> float:
        if not _relative(rule) or not math.isfinite(gained.baseline):
            return math.nan
        return decision_rules.line(rule, gained.baseline, self._rules.confidence)

    def _gained(self, rule: Rule, scope: Scope, value: limits.Value | None) -> Gain:
        """The gain by rows; by single numbers where they cannot tell."""
        found = self._compared.get((rule.metric, scope.name))
        if found is not None and self._evidence.lack(rule) is None:
            return Gain(**{name: getattr(found, name) for name in Gain.__dataclass_fields__})
        old = self._old.value(rule.metric, None) if scope.chosen is None else None
        if value is None or old is None:
            return Gain()
        if not (math.isfinite(value.value) and math.isfinite(old)):
            return Gain(baseline=old)
        return Gain(
            baseline=old,
            gain=gain(rule.direction, value.value, old),
            method="single numbers: there are no predictions of both models on the same rows, so "
            "the effect of chance is not known",
        )

    def _absolute_reason(
        self,
        rule: Rule,
        scope: Scope,
        found: limits.Value | None,
        together: Mapping[str, limits.OfLimits],
    ) -> Decision:
        """Whether the candidate has the metric, and it is within its floor and ceiling."""
        name = rule.metric
        lack, says = self._unmeasured(rule)
        if lack is not None and (says == "fail" or found is None):
            return lack
        if found is None:
            return lacks.metric_missing(name, sorted(self._new.metrics))
        value = found.value
        if not math.isfinite(value):
            if self._new.undefined(name, value):
                return Reason.UNDEFINED, f"'{name}' is not defined on these rows"
            lacking = self._new.lacking(name) or f"it is {value}"
            return Reason.METRIC_NOT_FINITE, f"'{name}' of the candidate is no number: {lacking}"
        limit = _beyond(rule, value)
        if not limit:
            return Reason.PASSED, f"'{name}' is {value:.6g}"
        above = limit == "ceiling"
        side = f"above the ceiling {rule.ceiling:g}" if above else f"below the floor {rule.floor:g}"
        told = f"'{name}' is {value:.6g}, {side}"
        sure = together.get(scope.name)
        if sure is not None and not sure.shows(1 - self._rules.confidence):
            return Reason.TOO_FEW_ROWS, (
                f"{told}, but {found.rows:,} rows are too few to tell that from chance in "
                "one of so many slices"
            )
        return Reason.ABOVE_CEILING if above else Reason.BELOW_FLOOR, told

    def _unmeasured(self, rule: Rule) -> tuple[Decision | None, str]:
        """Why the candidate's rows do not tell the metric, and what the rules say of its number.

        None where they tell it. Also where rows of its kind are not there, and either nothing was
        logged or the rule has no limit that its number could be held to.
        """
        name = rule.metric
        lack = self._evidence.unmeasured(name)
        held = _absolute(rule) and logged(self._new.metrics, name) is not None
        if lack is None or (lack[0] is not Reason.SCORES_MISSING and not held):
            return None, ""
        return lack, lacks.single_numbers(rule, self._rules, lack[0])

    def _test_of_limit(
        self,
        rule: Rule,
        scope: Scope,
        value: limits.Value | None,
        together: Mapping[str, limits.OfLimits],
    ) -> tested.Tested:
        limit = "" if value is None else _beyond(rule, value.value)
        return tested.of_limit(rule, limit, together, scope.name)

    def _test_of_gain(self, rule: Rule, scope: Scope, reason: Reason) -> tested.Tested:
        found = self._compared.get((rule.metric, scope.name))
        if found is None or self._evidence.lack(rule) is not None:
            return tested.NOTHING
        return tested.of_gain(reason, found, self._line(rule, found), self._rules.min_inputs)

    def _by_logged_number(self, rule: Rule, decision: Decision) -> tuple[str, Decision]:
        """The severity and the decision, of a limit that may hold by the candidate's word only."""
        lack, says = self._unmeasured(rule)
        if lack is None or says == "pass":
            return rule.severity, decision
        return "warn", (lack[0], f"{lack[1]}; by the logged number, {decision[1]}")

    def _severity(self, rule: Rule, scope: Scope, reason: Reason) -> str:
        if reason is Reason.TOO_FEW_ROWS and rule.few(self._rules) == "warn":
            return "warn"
        if reason is Reason.UNDEFINED:
            sliced = scope.chosen is not None
            nobody = sliced and not self._new.attainable(rule.metric, scope.chosen)
            says = rule.undefined or ("pass" if nobody else "fail")
            return "note" if says == "pass" else rule.severity
        return rule.severity

    def _relative_reason(
        self, rule: Rule, scope: Scope, value: float, gained: Gain
    ) -> tuple[str, Decision]:
        """The severity, and whether the gain is what the rule asks."""
        decision = self._without_baseline(rule, value)
        if decision is not None:
            return rule.severity, decision
        lack = self._evidence.lack(rule)
        says = "" if lack is None else lacks.single_numbers(rule, self._rules, lack[0])
        if lack is not None and (says == "fail" or scope.chosen is not None):
            return rule.severity, lack
        decision = self._of_baseline(rule, scope, gained) or decision_rules.decide(
            rule, gained, self._rules, candidate=value, against=self._against.label
        )
        if lack is not None and says == "warn" and decision[0] is Reason.PASSED:
            return "warn", (lack[0], f"{lack[1]}; by single numbers, {decision[1]}")
        return self._severity(rule, scope, decision[0]), decision

    def _without_baseline(self, rule: Rule, value: float) -> Decision | None:
        against = self._against
        if against.unreachable:
            return Reason.BASELINE_UNREACHABLE, f"{against.label}: {against.unreachable}"
        if against.metrics is not None:
            return None
        if self._rules.no_incumbent == "pass":
            return Reason.PASSED, (
                f"'{rule.metric}' is {value:.6g}; there is no incumbent to compare with"
            )
        return Reason.NO_INCUMBENT, f"there is no incumbent ({against.label})"

    def _of_baseline(self, rule: Rule, scope: Scope, gained: Gain) -> Decision | None:
        """What is wrong with the baseline's value; None when it is a finite number."""
        name, label, old = rule.metric, self._against.label, gained.baseline
        if math.isfinite(old):
            return None
        logged_value = logged(self._against.metrics or {}, name)
        if gained.rows == 0 and logged_value is None and self._old.rows is None:
            return Reason.METRIC_MISSING, f"the baseline ({label}) has no metric '{name}'"
        if gained.rows and self._old.undefined(name, old):
            return Reason.UNDEFINED, (
                f"'{name}' of the baseline ({label}) is not defined on {scope.name}"
            )
        lacking = self._old.lacking(name) or f"it is {old}"
        return Reason.METRIC_NOT_FINITE, (
            f"'{name}' of the baseline ({label}) is no number: {lacking}"
        )


def _beyond(rule: Rule, value: float) -> str:
    """Which limit a value is beyond: ``floor``, ``ceiling``, or empty."""
    if rule.ceiling is not None and value > rule.ceiling:
        return "ceiling"
    return "floor" if rule.floor is not None and value < rule.floor else ""


def _within(value: limits.Value, bounds: tuple[float, float], metric: str) -> tuple[float, float]:
    """Bounds within the metric's range, on either side of the value."""
    least, most = rule_sense.value_range(metric)
    low, high = bounds
    return min(max(low, least), value.value), max(min(high, most), value.value)


def _counted(value: limits.Value) -> Gain:
    """The counts of a value that is compared with nothing."""
    return Gain(rows=value.rows, inputs=value.inputs)


def _relative(rule: Rule) -> bool:
    """Whether the rule compares with the baseline."""
    return rule.min_gain is not None or rule.max_loss is not None


def _absolute(rule: Rule) -> bool:
    """Whether the rule holds the candidate's own value to a limit."""
    return any(each is not None for each in (rule.floor, rule.ceiling, rule.max_gap))
