"""The built-in functions of the expression language.

Source: MicrosoftDocs/azure-devops-docs docs/pipelines/process/expressions.md, "Functions"
(commit 0003e520c1dfb2272516290355e7d2d7b14b2790); ``format`` as in actions/runner,
src/Sdk/DTExpressions/Expressions/FormatNode.cs (commit 18b598757f23080af8b005b80242bdb014083413).
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import NamedTuple

from local.agent.expressions.values import (
    ExpressionError,
    Value,
    compare,
    equal,
    offset_text,
    to_boolean,
    to_number,
    to_string,
)

# More arguments than anybody writes.
MANY = 999
_PLACEHOLDER = re.compile(r"\{\{|\}\}|\{(\d+)(?::((?:\}\}|[^}])*))?\}|[{}]")
# .NET's custom date specifiers that run numbers and counters use.
_DATE_SPECIFIER = re.compile(r"yyyy|yy|MM|M|dd|d|HH|H|mm|m|ss|s")
# What follows the colon in ``format('{0:yyyyMMdd}', time)``: an escaped character, or a run of one.
_FORMAT_SPECIFIER = re.compile(r"\\(.)|(.)\2*", re.DOTALL)
_DATE_PARTS = frozenset(("yyyy", "yy", "MM", "M", "dd", "d", "HH", "H", "mm", "m", "ss", "s"))


class Function(NamedTuple):
    """A function: how many arguments it takes, and what it does with them."""

    least: int
    most: int
    call: Callable[[Sequence[Value]], Value]


def format_date(moment: datetime, pattern: str) -> str:
    """Format with .NET's custom specifiers ``yyyy yy MM M dd d HH H mm m ss s``."""
    values = {
        "yyyy": f"{moment.year:04}",
        "yy": f"{moment.year % 100:02}",
        "MM": f"{moment.month:02}",
        "M": str(moment.month),
        "dd": f"{moment.day:02}",
        "d": str(moment.day),
        "HH": f"{moment.hour:02}",
        "H": str(moment.hour),
        "mm": f"{moment.minute:02}",
        "m": str(moment.minute),
        "ss": f"{moment.second:02}",
        "s": str(moment.second),
    }
    return _DATE_SPECIFIER.sub(lambda match: values[match[0]], pattern)


def _format_time(moment: datetime, specifiers: str) -> str:
    """Format as ``format`` does, which knows fewer specifiers than .NET and no bare punctuation."""

    def fill(match: re.Match[str]) -> str:
        if match[1]:
            return match[1]
        run = match[0]
        if run in _DATE_PARTS:
            return format_date(moment, run)
        if run.strip("f") == "" and len(run) <= 7:
            return f"{moment.microsecond:06}0"[: len(run)]
        if run in ("zzz", "K"):
            return offset_text(moment)
        if run.strip(" ") == "":
            return run
        raise ExpressionError(
            f"format: '{specifiers}' is not valid for a time, because of '{run}'; write what is no "
            "part of a time between placeholders, as in {0:yyyy}-{0:MM}"
        )

    return _FORMAT_SPECIFIER.sub(fill, specifiers)


def _format(arguments: Sequence[Value]) -> Value:
    def fill(match: re.Match[str]) -> str:
        if match[0] in ("{{", "}}"):
            return match[0][0]
        if match[1] is None:
            raise ExpressionError(f"format: '{pattern}' has a single brace; write it twice")
        index = int(match[1]) + 1
        if index >= len(arguments):
            raise ExpressionError(f"format: '{pattern}' asks for argument {match[1]}, not given")
        value = arguments[index]
        if not match[2]:
            return to_string(value)
        specifiers = match[2].replace("}}", "}")
        if not isinstance(value, datetime):
            raise ExpressionError(
                f"format: '{specifiers}' is for times; argument {match[1]} is none"
            )
        return _format_time(value, specifiers)

    pattern = to_string(arguments[0])
    return _PLACEHOLDER.sub(fill, pattern)


def _contains_value(arguments: Sequence[Value]) -> Value:
    container, wanted = arguments
    items = container.values() if isinstance(container, Mapping) else container
    if isinstance(items, (str, type(None), bool, Decimal)):
        return False
    return any(equal(wanted, item) for item in items)  # type: ignore[union-attr]


def _join(arguments: Sequence[Value]) -> Value:
    separator, items = arguments
    if isinstance(items, (list, tuple)):
        return to_string(separator).join(
            "" if isinstance(item, (Mapping, list, tuple)) else to_string(item) for item in items
        )
    return to_string(items)


def _length(arguments: Sequence[Value]) -> Value:
    value = arguments[0]
    if isinstance(value, (Mapping, list, tuple)):
        return Decimal(len(value))
    return Decimal(len(to_string(value)))


def _split(arguments: Sequence[Value]) -> Value:
    separators = to_string(arguments[1])
    text = to_string(arguments[0])
    return list(re.split(f"[{re.escape(separators)}]", text)) if separators else [text]


def _plain(value: Value) -> object:
    if isinstance(value, Mapping):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    if isinstance(value, Decimal):
        number = to_number(value)
        return float(value) if number is not None and number % 1 else int(value)
    return value if isinstance(value, (bool, type(None))) else to_string(value)


def _text(arguments: Sequence[Value], index: int) -> str:
    return to_string(arguments[index]).upper()


def _any_equal(arguments: Sequence[Value]) -> bool:
    return any(equal(arguments[0], other) for other in arguments[1:])


FUNCTIONS: Mapping[str, Function] = {
    "and": Function(2, MANY, lambda a: all(map(to_boolean, a))),
    "coalesce": Function(
        2, MANY, lambda a: next((v for v in a if v is not None and v != ""), None)
    ),
    "contains": Function(2, 2, lambda a: _text(a, 1) in _text(a, 0)),
    "containsvalue": Function(2, 2, _contains_value),
    "converttojson": Function(1, 1, lambda a: json.dumps(_plain(a[0]), indent=2)),
    "endswith": Function(2, 2, lambda a: _text(a, 0).endswith(_text(a, 1))),
    "eq": Function(2, 2, lambda a: equal(a[0], a[1])),
    "format": Function(1, MANY, _format),
    "ge": Function(2, 2, lambda a: compare(a[0], a[1]) >= 0),
    "gt": Function(2, 2, lambda a: compare(a[0], a[1]) > 0),
    "iif": Function(3, 3, lambda a: a[1] if to_boolean(a[0]) else a[2]),
    "in": Function(1, MANY, _any_equal),
    "join": Function(2, 2, _join),
    "le": Function(2, 2, lambda a: compare(a[0], a[1]) <= 0),
    "length": Function(1, 1, _length),
    "lower": Function(1, 1, lambda a: to_string(a[0]).lower()),
    "lt": Function(2, 2, lambda a: compare(a[0], a[1]) < 0),
    "ne": Function(2, 2, lambda a: not equal(a[0], a[1])),
    "not": Function(1, 1, lambda a: not to_boolean(a[0])),
    "notin": Function(1, MANY, lambda a: not _any_equal(a)),
    "or": Function(2, MANY, lambda a: any(map(to_boolean, a))),
    "replace": Function(3, 3, lambda a: to_string(a[0]).replace(to_string(a[1]), to_string(a[2]))),
    "split": Function(2, 2, _split),
    "startswith": Function(2, 2, lambda a: _text(a, 0).startswith(_text(a, 1))),
    "trim": Function(1, 1, lambda a: to_string(a[0]).strip()),
    "upper": Function(1, 1, lambda a: to_string(a[0]).upper()),
    "xor": Function(2, 2, lambda a: to_boolean(a[0]) != to_boolean(a[1])),
}
