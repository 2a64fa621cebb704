"""The rules of the gate, read from the task's YAML list."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from amltasks import errors

_KEYS = {"metric", "direction", "floor", "min_gain"}


@dataclass(frozen=True, kw_only=True)
class Rule:
    """What one metric must be.

    ``direction`` is ``higher`` or ``lower``: which way is better. ``floor`` is the worst acceptable
    value in that direction (so an upper limit when lower is better). ``min_gain`` is the least gain
    over the baseline in that direction; a negative one tolerates a loss. None asks for nothing.
    """

    metric: str
    direction: str
    floor: float | None = None
    min_gain: float | None = None


@dataclass(frozen=True, kw_only=True)
class Rules:
    """All rules, and whether a first model may pass without a baseline."""

    rules: tuple[Rule, ...]
    no_incumbent_passes: bool = False


def read(document: Any) -> Rules:
    """Check a parsed YAML document.

    Args:
        document: a list of rules; one item may be ``no_incumbent: pass`` or ``fail`` (default).

    Raises:
        TaskError: ``RULES_INVALID``, naming the item and the key that is wrong.
    """
    if not isinstance(document, list):
        raise _invalid("they are not a YAML list ('- metric: accuracy' begins an item)")
    rules: list[Rule] = []
    no_incumbent: str | None = None
    for number, item in enumerate(document, start=1):
        if not isinstance(item, dict):
            raise _invalid(f"item {number} is no mapping of keys such as 'metric: accuracy'")
        if "no_incumbent" in item:
            if len(item) > 1 or no_incumbent is not None:
                raise _invalid("'no_incumbent' must be one list item of its own")
            no_incumbent = item["no_incumbent"]
            if no_incumbent not in ("pass", "fail"):
                raise _invalid(f"'no_incumbent' is '{no_incumbent}', not 'pass' or 'fail'")
        else:
            rules.append(_rule(number, item))
    if not rules:
        raise _invalid("there is no rule with a metric, so nothing could ever be rejected")
    return Rules(rules=tuple(rules), no_incumbent_passes=no_incumbent == "pass")


def _rule(number: int, item: dict[Any, Any]) -> Rule:
    unknown = sorted(str(key) for key in item if key not in _KEYS)
    if unknown:
        raise _invalid(f"item {number} has the unknown key '{unknown[0]}'")
    metric, direction = item.get("metric"), item.get("direction")
    if not isinstance(metric, str) or not metric.strip():
        raise _invalid(f"item {number} names no metric")
    if direction not in ("higher", "lower"):
        raise _invalid(f"the rule for '{metric}' needs 'direction: higher' or 'direction: lower'")
    rule = Rule(
        metric=metric.strip(),
        direction=direction,
        floor=_number(metric, "floor", item.get("floor")),
        min_gain=_number(metric, "min_gain", item.get("min_gain")),
    )
    if rule.floor is None and rule.min_gain is None:
        raise _invalid(f"the rule for '{metric}' has neither floor nor min_gain, so checks nothing")
    return rule


def _number(metric: str, key: str, value: object) -> float | None:
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value):
        raise _invalid(f"'{key}' of the rule for '{metric}' is '{value}', not a number")
    return float(value)


def _invalid(detail: str) -> errors.TaskError:
    return errors.RULES_INVALID.error(detail=detail)
