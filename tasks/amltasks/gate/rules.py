"""The rules of the gate, read from YAML."""

from __future__ import annotations

import dataclasses
import difflib
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from amltasks import core_yaml, errors
from amltasks.gate import crossing, measures, roles, rule_sense
from amltasks.gate.options import options_of
from amltasks.gate.rule_model import ANCHORS, HYGIENE, Amount, Evaluation, Rule, Rules

__all__ = ["DEFAULT", "HYGIENE", "Amount", "Evaluation", "Rule", "Rules", "read"]

_PERCENT = re.compile(r"^([0-9]+(?:\.[0-9]+)?|\.[0-9]+)\s*%$")

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
        read = {name: self._of_file(name, item) for name, item in given.items()}
        found = Rules(rules=rules, **read)
        for key, problem in rule_sense.problems_of_file(found):
            raise self._wrong((key,), problem)
        return found

    def _of_file(self, name: str, value: Any) -> Any:
        if name == "evaluation":
            given = self._mapping(Evaluation, value, (name,))
            if not given:
                raise self._wrong((name,), "'evaluation' is empty, so it pins nothing")
            at = [(each, (name, each)) for each in given]
            return Evaluation(
                **{key: self._plain(Evaluation, key, given[key], path) for key, path in at}
            )
        if name == "anchor":
            return self._anchor(value)
        return self._plain(Rules, name, value, (name,))

    def _anchor(self, value: Any) -> str | int:
        if value in ANCHORS or (isinstance(value, int) and not isinstance(value, bool)):
            found: str | int = value
            return found
        raise self._wrong(
            ("anchor",), f"'anchor' is {_shown(value)}, not {_either(ANCHORS)} or a version"
        )

    def _rule(self, item: Any, at: tuple[str | int, ...]) -> Rule:
        given = self._mapping(Rule, item, at)
        read = {name: self._field(name, value, (*at, name)) for name, value in given.items()}
        metric = read["metric"] = self._metric(read["metric"], at)
        read["direction"] = read.get("direction") or self._direction(metric, at)
        rule = Rule(**read)
        for key, problem in rule_sense.problems(rule, given):
            raise self._wrong((*at, key) if key else at, problem)
        return rule

    def _metric(self, name: str, at: tuple[str | int, ...]) -> str:
        """The name that a measure is known by, any other metric's as it is written."""
        problem = measures.problem(name)
        if problem:
            raise self._wrong((*at, "metric"), f"'{name}' {problem}")
        measure = measures.find(name)
        return name if measure is None else measure.name

    def _direction(self, metric: str, at: tuple[str | int, ...]) -> str:
        known = rule_sense.direction(metric)
        if known:
            return known
        near = rule_sense.nearest(metric)
        hint = f"; did you mean '{near}'?" if near else ""
        raise self._wrong(
            at, f"the rule for '{metric}' needs 'direction: higher' or 'direction: lower'{hint}"
        )

    def _field(self, name: str, value: Any, at: tuple[str | int, ...]) -> Any:
        if name in ("min_gain", "max_loss", "max_total_loss"):
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
            if not isinstance(value, str) or value not in options:
                raise self._wrong(at, f"'{name}' is {_shown(value)}, not {_either(options)}")
            return value
        if name in ("metric", "sha256"):
            if not isinstance(value, str) or not value.strip():
                raise self._wrong(at, f"'{name}' is no {'name' if name == 'metric' else 'text'}")
            return value.strip()
        if name in ("columns", "positive_label"):
            try:
                return roles.columns(value) if name == "columns" else roles.label(value)
            except roles.WrongValueError as wrong:
                raise self._wrong((*at, *wrong.at), str(wrong)) from None
        number = self._number(name, value, at)
        if name in ("min_inputs", "min_rows", "resamples", "examples"):
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
            raise self._wrong(at, f"'{name}' is {_shown(value)}, not a number")
        return float(value)

    def _texts(self, name: str, value: Any, at: tuple[str | int, ...]) -> tuple[str, ...]:
        listed = value if isinstance(value, list) else [value]
        if not all(isinstance(each, str) and each.strip() for each in listed) or not listed:
            raise self._wrong(at, f"'{name}' is no list of column names")
        return tuple(crossing.crossed(each) for each in listed)

    def _mapping(self, kind: type[Any], value: Any, at: tuple[str | int, ...]) -> dict[str, Any]:
        fields = dataclasses.fields(kind)
        names = [each.name for each in fields]
        if not isinstance(value, dict):
            what = "a rule is"
            if len(at) < 2:
                what = f"'{at[0]}' is" if at else "the document is"
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


def _shown(value: Any) -> str:
    """A value for a message: a list or a mapping could be long."""
    if isinstance(value, (list, dict)):
        return "a list" if isinstance(value, list) else "a mapping"
    return f"'{core_yaml.shortened(str(value))}'"


def _either(options: tuple[str, ...] | list[str]) -> str:
    return " or ".join(f"'{each}'" for each in options)
