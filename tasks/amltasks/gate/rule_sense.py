"""What a rule can mean: rules that hold or fail whatever the models do are refused."""

from __future__ import annotations

import difflib
import math
import re
from collections.abc import Container, Iterable, Iterator, Mapping

from amltasks.gate.measures import ALIASES, MEASURES, find
from amltasks.gate.model_types import BINARY
from amltasks.gate.rule_model import HYGIENE, LOWER, Amount, Evaluation, Rule, Rules

LEAST_CONFIDENCE, MOST_CONFIDENCE = 0.8, 0.9999
LEAST_RESAMPLES, MOST_RESAMPLES = 100, 1_000_000
MOST_EXAMPLES = 100
LEAST_IN_TAIL = 5
"""Resamples beyond a bound: with fewer, the bound is a matter of chance."""

Problem = tuple[str, str]
"""The key that is wrong, empty for the rule as a whole, and what is wrong with it."""


_FROM_0 = (0.0, math.inf)
_RANGES: Mapping[str, tuple[float, float]] = {
    **dict.fromkeys(("log_loss", "mae", "mse", "rmse", "mape", "bias", "pinball@"), _FROM_0),
    "r2": (-math.inf, 1.0),
    "mean:": (-math.inf, math.inf),
}
"""The measures, by their name without a parameter, that are no share from 0 to 1."""


def direction(metric: str) -> str:
    """Return the metric's own direction, ``higher`` or ``lower``; empty when it is not known."""
    measure = find(metric)
    if measure is not None:
        return measure.direction
    if metric in LOWER or metric.endswith("_loss"):
        return "lower"
    return "higher" if metric in HYGIENE else ""


def value_range(metric: str) -> tuple[float, float]:
    """Return the smallest and the greatest value that a metric can have; infinite if unknown."""
    measure = find(metric)
    if measure is not None and measure.base in _RANGES:
        return _RANGES[measure.base]
    if measure is not None:
        return 0.0, 1.0
    if metric == "distinct_predictions":
        return 1.0, math.inf
    return (0.0, 1.0) if metric in HYGIENE else (-math.inf, math.inf)


def nearest(metric: str, others: Iterable[str] = ()) -> str:
    """Return the known metric, or one of ``others``, that is written most alike, else nothing."""
    known = sorted({*MEASURES, *ALIASES, *HYGIENE, *others} - {metric})
    return next(iter(difflib.get_close_matches(metric, known, n=1, cutoff=0.7)), "")


def problems(rule: Rule, given: Container[str]) -> Iterator[Problem]:
    """Yield what is wrong with a rule; ``given`` are the keys that were written."""
    name = rule.metric
    limits = ("floor", "ceiling", "min_gain", "max_loss", "max_gap")
    if all(getattr(rule, each) is None for each in limits):
        listed = "floor, ceiling, min_gain, max_loss or max_gap"
        yield "", f"the rule for '{name}' has no {listed}, so it checks nothing"
    if rule.min_gain is not None and rule.max_loss is not None:
        yield "", f"the rule for '{name}' has both min_gain and max_loss; they exclude another"
    if rule.max_gap is not None and not rule.slices:
        yield "", f"the rule for '{name}' has max_gap but no slices to compare"
    if "seeds" in given and len(rule.seeds) < 2:
        yield "seeds", "'seeds' needs the values of two trainings or more"
    own = direction(name)
    if own and rule.direction != own:
        yield "direction", f"'direction' is '{rule.direction}', but '{name}' is better when {own}"
    if rule.max_total_loss is not None and rule.max_loss is None:
        yield "max_total_loss", "'max_total_loss' needs 'max_loss' beside it"
    yield from _outside(rule)
    yield from _never(rule)


def _outside(rule: Rule) -> Iterator[Problem]:
    """Limits that no value of the metric can be near."""
    least, most = value_range(rule.metric)
    reach = f"from {least:g} on" if math.isinf(most) else f"from {least:g} to {most:g}"
    for key, value in (("floor", rule.floor), ("ceiling", rule.ceiling)):
        if value is not None and not least <= value <= most:
            yield key, f"'{key}' is {value:g}, but '{rule.metric}' is {reach}"
    if rule.floor is not None and rule.ceiling is not None and rule.floor > rule.ceiling:
        yield "floor", f"'floor' is {rule.floor:g}, above the ceiling {rule.ceiling:g}"


def _never(rule: Rule) -> Iterator[Problem]:
    """Differences that no two values of the metric have."""
    least, most = value_range(rule.metric)
    width = most - least
    if rule.max_gap is not None and not 0 <= rule.max_gap < width:
        yield "max_gap", _cannot("max_gap", f"{rule.max_gap:g}", rule.metric, width)
    for key in ("min_gain", "max_loss", "max_total_loss"):
        amount: Amount | None = getattr(rule, key)
        if amount is None:
            continue
        # A gain of a metric that is better when lower, or a loss of one that is better when
        # higher, is at most the whole of the baseline's value where none is below 0.
        to_zero = least == 0 and (rule.direction == "lower") == (key == "min_gain")
        most_of_it = 1.0 if amount.relative and to_zero else math.inf
        if amount.value >= (most_of_it if amount.relative else width):
            yield key, _cannot(key, str(amount), rule.metric, width)


def _cannot(key: str, value: str, metric: str, width: float) -> str:
    if value.startswith("-"):
        return f"'{key}' is {value}, and a difference is never negative"
    whole = "" if math.isinf(width) else f", whose values differ by {width:g} at most"
    outcome = "never hold" if key == "min_gain" else "never fail"
    return f"'{key}' is {value}: the rule can {outcome} for '{metric}'{whole}"


def problems_of_file(rules: Rules) -> Iterator[Problem]:
    """Yield what is wrong with the keys of the file."""
    yield from _of_bounds(rules.confidence, rules.resamples)
    if not 0 <= rules.examples <= MOST_EXAMPLES:
        yield "examples", f"'examples' must be 0 to {MOST_EXAMPLES}"
    if rules.min_inputs < 1:
        yield "min_inputs", "'min_inputs' must be 1 or more"
    if isinstance(rules.anchor, int) and rules.anchor < 1:
        yield "anchor", "'anchor' must be a version from 1 on, or 'best', 'first' or 'none'"
    for metric, directions in _directions(rules).items():
        if len(directions) > 1:
            yield "rules", f"the rules for '{metric}' have both directions, and only one is better"
    if rules.evaluation is not None:
        yield from _of_evaluation(rules.evaluation)
    yield from _of_model_type(rules)


def _of_bounds(confidence: float, resamples: int) -> Iterator[Problem]:
    if not LEAST_CONFIDENCE <= confidence <= MOST_CONFIDENCE:
        yield (
            "confidence",
            f"'confidence' is {confidence:g}, not {LEAST_CONFIDENCE:g} to {MOST_CONFIDENCE:g}",
        )
    if not LEAST_RESAMPLES <= resamples <= MOST_RESAMPLES:
        yield (
            "resamples",
            f"'resamples' must be {LEAST_RESAMPLES} or more, at most {MOST_RESAMPLES:,}",
        )
    if resamples * (1 - confidence) < LEAST_IN_TAIL - 1e-9:
        needed = math.ceil(LEAST_IN_TAIL / (1 - confidence) - 1e-6)
        yield (
            "resamples",
            f"{resamples} resamples cannot show a bound at a confidence of {confidence:g}; "
            f"give {needed:,} or more",
        )


def _of_model_type(rules: Rules) -> Iterator[Problem]:
    if rules.positive_label is not None and rules.model_type not in ("auto", BINARY):
        yield (
            "positive_label",
            f"'positive_label' is for two labels, not for 'model_type: {rules.model_type}'",
        )
    elif not rules.model_types:
        names = dict.fromkeys(rule.metric for rule in rules.rules if find(rule.metric))
        why = " and 'positive_label'" if rules.positive_label is not None else ""
        yield (
            "rules",
            f"no one kind of model has all of {', '.join(names)}{why}; write 'model_type' to say "
            "what the predictions are of, and the other metrics are those that the run logged",
        )


def _directions(rules: Rules) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for rule in rules.rules:
        found.setdefault(rule.metric, set()).add(rule.direction)
    return found


def _of_evaluation(pinned: Evaluation) -> Iterator[Problem]:
    if pinned.sha256 is not None and not re.fullmatch("[0-9a-f]{64}", pinned.sha256):
        yield "evaluation", "'sha256' is not 64 hexadecimal digits in lower case"
    if pinned.min_rows < 1 or pinned.min_inputs < 1:
        yield "evaluation", "'min_rows' and 'min_inputs' must be 1 or more"
