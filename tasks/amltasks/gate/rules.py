"""The rules of the gate, read from YAML. The dataclasses are also its JSON schema and its docs."""

from __future__ import annotations

import dataclasses
import difflib
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from amltasks import core_yaml, errors
from amltasks.gate import measures
from amltasks.gate.hygiene import TRAINING_SHARE
from amltasks.gate.options import described, options_of

_PERCENT = re.compile(r"^([0-9]+(?:\.[0-9]+)?|\.[0-9]+)\s*%$")

# Better when lower, of what is measured without predictions; the rest says so in MEASURES.
LOWER = frozenset({"loss", "model_size_mb", "scoring_ms", "seen_in_training", "label_shift"})


@dataclass(frozen=True, kw_only=True)
class Amount:
    """A gain or a loss: in the metric's unit, or (``relative``) a share of the baseline's value."""

    value: float
    relative: bool = False

    def of(self, baseline: float) -> float:
        """The amount in the metric's unit."""
        if not self.relative:
            return self.value
        # Decimal: in binary a tenth of 0.8 is a little more than 0.08.
        return float(Decimal(repr(self.value)) * abs(Decimal(repr(baseline))))

    def __str__(self) -> str:
        """As it is written in the rules."""
        return f"{self.value * 100:g} %" if self.relative else f"{self.value:g}"


@dataclass(frozen=True, kw_only=True)
class Rule:
    """What one metric must be, on all rows or on each of some slices."""

    metric: str = described(
        "Name of the metric: one the run logged, or one measured from the predictions.",
        required=True,
    )
    direction: str = described(
        "Which way is better. Known for the usual metrics, to be given for any other.",
        options=("higher", "lower"),
    )
    floor: float | None = described("The least acceptable value.")
    ceiling: float | None = described("The greatest acceptable value.")
    min_gain: Amount | None = described(
        "Superiority: the candidate must be shown to be better than the baseline by more than "
        "this; a number in the metric's unit, or a share of the baseline such as `5%`."
    )
    max_loss: Amount | None = described(
        "Non-inferiority: the candidate must be shown to be worse than the baseline by less than "
        "this; a number in the metric's unit, or a share of the baseline such as `5%`."
    )
    max_gap: float | None = described(
        "The greatest acceptable difference between the candidate's best and worst slice."
    )
    slices: tuple[str, ...] = described(
        "Columns of the predictions: the rule applies to each value of each (`material`), or to "
        "one (`material=iron`). Left out, it applies to all rows.",
        default=(),
    )
    severity: str = described(
        "Whether a rule that does not hold rejects the candidate or only warns.",
        options=("fail", "warn"),
    )
    seeds: tuple[float, ...] = described(
        "The metric's values in two or more trainings that differ by their seed only: gains and "
        "losses within that noise are not counted.",
        default=(),
    )


@dataclass(frozen=True, kw_only=True)
class Rules:
    """All rules, and what happens where they cannot be applied."""

    rules: tuple[Rule, ...] = described("The rules.", required=True)
    no_incumbent: str = described(
        "Whether a candidate passes that there is nothing to compare with.",
        options=("fail", "pass"),
    )
    different_rows: str = described(
        "Where the two models were not measured on the same rows: fail, or compare their metrics "
        "as single numbers.",
        options=("fail", "points"),
    )
    too_few_rows: str = described(
        "Where so few rows cannot tell whether a rule holds.", options=("fail", "warn")
    )
    tie: str = described(
        "Where `min_gain` is 0 and both models are exactly as good.", options=("fail", "pass")
    )
    confidence: float = described(
        "Of each bound on a gain: a rule that does not hold passes at most this seldom (0.95: one "
        "time in twenty).",
        default=0.95,
    )
    min_inputs: int = described(
        "The least number of distinct inputs to judge a gain or a loss by.", default=30
    )
    resamples: int = described("Resamples of a bootstrap.", default=10000)

    @property
    def metrics(self) -> frozenset[str]:
        """The logged metrics that the rules may need."""
        return frozenset(rule.metric for rule in self.rules) | {TRAINING_SHARE}

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns of the predictions that the rules call slices."""
        named = (each.partition("=")[0] for rule in self.rules for each in rule.slices)
        return tuple(dict.fromkeys(named))


DEFAULT = """\
rules:
  - metric: accuracy
    max_loss: 0.01
"""


def read(text: str, *, source: str) -> Rules:
    """Read rules written in YAML.

    Args:
        text: the document; empty for :data:`DEFAULT`.
        source: what to call it in messages, such as the file's name.

    Raises:
        TaskError: ``RULES_INVALID``, naming the line, the key and the nearest valid one.
    """
    try:
        value, lines = core_yaml.located_yaml(text if text.strip() else DEFAULT)
    except core_yaml.YamlError as problem:
        raise errors.RULES_INVALID.error(source=source, detail=str(problem)) from None
    return _Reader(source=source, lines=lines).rules(value)


@dataclass(frozen=True, kw_only=True)
class _Reader:
    source: str
    lines: Mapping[tuple[str | int, ...], int]

    def rules(self, value: Any) -> Rules:
        given = self._mapping(Rules, value, ())
        listed = given.pop("rules")
        if not isinstance(listed, list) or not listed:
            raise self._wrong(("rules",), "'rules' is no list of at least one rule")
        rules = tuple(self._rule(item, ("rules", n)) for n, item in enumerate(listed))
        read = {name: self._plain(Rules, name, item, (name,)) for name, item in given.items()}
        found = Rules(rules=rules, **read)
        if not 0.5 < found.confidence < 1:
            raise self._wrong(("confidence",), f"'confidence' is {found.confidence}, not 0.5 to 1")
        if found.resamples < 100 or found.min_inputs < 1:
            raise self._wrong(
                ("resamples" if found.resamples < 100 else "min_inputs",),
                "'resamples' must be 100 or more and 'min_inputs' 1 or more",
            )
        return found

    def _rule(self, item: Any, at: tuple[str | int, ...]) -> Rule:
        given = self._mapping(Rule, item, at)
        read = {name: self._field(name, value, (*at, name)) for name, value in given.items()}
        metric = read["metric"] = self._metric(read["metric"], at)
        read["direction"] = read.get("direction") or self._direction(metric, at)
        rule = Rule(**read)
        asked = (rule.floor, rule.ceiling, rule.min_gain, rule.max_loss, rule.max_gap)
        if all(each is None for each in asked):
            names = "floor, ceiling, min_gain, max_loss or max_gap"
            raise self._wrong(at, f"the rule for '{metric}' has no {names}, so it checks nothing")
        if rule.min_gain is not None and rule.max_loss is not None:
            raise self._wrong(
                at, f"the rule for '{metric}' has both min_gain and max_loss; they exclude another"
            )
        if rule.max_gap is not None and not rule.slices:
            raise self._wrong(at, f"the rule for '{metric}' has max_gap but no slices to compare")
        if "seeds" in given and len(rule.seeds) < 2:
            raise self._wrong((*at, "seeds"), "'seeds' needs the values of two trainings or more")
        return rule

    def _metric(self, name: str, at: tuple[str | int, ...]) -> str:
        """The name that a measure is known by, any other metric's as it is written."""
        problem = measures.problem(name)
        if problem:
            raise self._wrong((*at, "metric"), f"'{name}' {problem}")
        measure = measures.find(name)
        return name if measure is None else measure.name

    def _direction(self, metric: str, at: tuple[str | int, ...]) -> str:
        measure = measures.find(metric)
        if measure is not None and measure.direction:
            return measure.direction
        if metric in LOWER or metric.endswith("_loss"):
            return "lower"
        if metric in HYGIENE:
            return "higher"
        raise self._wrong(
            at, f"the rule for '{metric}' needs 'direction: higher' or 'direction: lower'"
        )

    def _field(self, name: str, value: Any, at: tuple[str | int, ...]) -> Any:
        if name in ("min_gain", "max_loss"):
            return self._amount(name, value, at)
        if name == "slices":
            return self._texts(name, value, at)
        if name == "seeds":
            listed = value if isinstance(value, list) else [value]
            return tuple(self._number(name, each, at) for each in listed)
        return self._plain(Rule, name, value, at)

    def _plain(self, kind: type[Any], name: str, value: Any, at: tuple[str | int, ...]) -> Any:
        options = options_of(kind, name)
        if options:
            if value not in options:
                raise self._wrong(at, f"'{name}' is '{value}', not {_either(options)}")
            return value
        if name == "metric":
            if not isinstance(value, str) or not value.strip():
                raise self._wrong(at, f"'{name}' is no name")
            return value.strip()
        number = self._number(name, value, at)
        if name in ("min_inputs", "resamples"):
            if number != int(number):
                raise self._wrong(at, f"'{name}' is {value}, not a whole number")
            return int(number)
        return number

    def _amount(self, name: str, value: Any, at: tuple[str | int, ...]) -> Amount:
        share = _PERCENT.match(value) if isinstance(value, str) else None
        number = float(share[1]) / 100 if share else self._number(name, value, at)
        if number < 0:
            other = "max_loss" if name == "min_gain" else "min_gain"
            raise self._wrong(at, f"'{name}' is {value}; it must not be negative (use {other})")
        return Amount(value=number, relative=share is not None)

    def _number(self, name: str, value: Any, at: tuple[str | int, ...]) -> float:
        wrong = isinstance(value, bool) or not isinstance(value, (int, float))
        if wrong or not math.isfinite(value):
            raise self._wrong(at, f"'{name}' is '{value}', not a number")
        return float(value)

    def _texts(self, name: str, value: Any, at: tuple[str | int, ...]) -> tuple[str, ...]:
        listed = value if isinstance(value, list) else [value]
        if not all(isinstance(each, str) and each.strip() for each in listed) or not listed:
            raise self._wrong(at, f"'{name}' is no list of column names")
        return tuple(each.strip() for each in listed)

    def _mapping(self, kind: type[Any], value: Any, at: tuple[str | int, ...]) -> dict[str, Any]:
        fields = dataclasses.fields(kind)
        names = [each.name for each in fields]
        if not isinstance(value, dict):
            what = "a rule is" if at else "the document is"
            raise self._wrong(at, f"{what} no mapping of keys such as {_either(names[:2])}")
        for key in value:
            if key not in names:
                near = difflib.get_close_matches(str(key), names, n=1)
                hint = f"did you mean '{near[0]}'?" if near else f"the keys are {', '.join(names)}"
                raise self._wrong((*at, key), f"there is no key '{key}'; {hint}")
        for each in fields:
            if each.metadata["required"] and value.get(each.name) is None:
                raise self._wrong(at, f"the key '{each.name}' is missing")
        for name, found in value.items():
            if found is None:
                # As if it were left out, a rule would be dropped that someone meant to write.
                raise self._wrong((*at, name), f"'{name}' has no value; give one, or leave it out")
        return dict(value)

    def _wrong(self, at: tuple[str | int, ...], detail: str) -> errors.TaskError:
        while at and at not in self.lines:
            at = at[:-1]
        line = self.lines.get(at)
        where = f"line {line}: " if line else ""
        return errors.RULES_INVALID.error(source=self.source, detail=where + detail)


HYGIENE: Mapping[str, str] = {
    "seen_in_training": "share of the distinct evaluation inputs that were trained on, 0 to 1",
    "label_shift": "difference of the share of label 1 between evaluation and training, 0 to 1",
    "distinct_predictions": "how many different labels the model predicts; 1 is a constant",
    "invalid_scores": "share of the scores that are no probability, 0 to 1",
}
"""What is measured of the evaluation itself, in the words of the docs."""


def _either(options: tuple[str, ...] | list[str]) -> str:
    return " or ".join(f"'{each}'" for each in options)
