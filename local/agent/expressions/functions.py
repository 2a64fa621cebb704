"""The built-in functions of the expression language.

Source: MicrosoftDocs/azure-devops-docs docs/pipelines/process/expressions.md, "Functions"
(commit 0003e520c1dfb2272516290355e7d2d7b14b2790).
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal

from local.agent.expressions.values import (
    ExpressionError,
    Value,
    compare,
    equal,
    to_boolean,
    to_number,
    to_string,
)

_MANY = 999
_PLACEHOLDER = re.compile(r"\{\{|\}\}|\{(\d+)(?::([^}]*))?\}|[{}]")
# .NET's custom date specifiers that run numbers and counters use.
_DATE_SPECIFIER = re.compile(r"yyyy|yy|MM|M|dd|d|HH|H|mm|m|ss|s")


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
        if match[2] and isinstance(value, datetime):
            return format_date(value, match[2])
        return to_string(value)

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
        return to_string(separator).join(to_string(item) for item in items)
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


FUNCTIONS: Mapping[str, tuple[int, int, Callable[[Sequence[Value]], Value]]] = {
    "and": (2, _MANY, lambda a: all(map(to_boolean, a))),
    "coalesce": (2, _MANY, lambda a: next((v for v in a if v is not None and v != ""), None)),
    "contains": (2, 2, lambda a: _text(a, 1) in _text(a, 0)),
    "containsvalue": (2, 2, _contains_value),
    "converttojson": (1, 1, lambda a: json.dumps(_plain(a[0]), indent=2)),
    "endswith": (2, 2, lambda a: _text(a, 0).endswith(_text(a, 1))),
    "eq": (2, 2, lambda a: equal(a[0], a[1])),
    "format": (1, _MANY, _format),
    "ge": (2, 2, lambda a: compare(a[0], a[1]) >= 0),
    "gt": (2, 2, lambda a: compare(a[0], a[1]) > 0),
    "iif": (3, 3, lambda a: a[1] if to_boolean(a[0]) else a[2]),
    "in": (1, _MANY, _any_equal),
    "join": (2, 2, _join),
    "le": (2, 2, lambda a: compare(a[0], a[1]) <= 0),
    "length": (1, 1, _length),
    "lower": (1, 1, lambda a: to_string(a[0]).lower()),
    "lt": (2, 2, lambda a: compare(a[0], a[1]) < 0),
    "ne": (2, 2, lambda a: not equal(a[0], a[1])),
    "not": (1, 1, lambda a: not to_boolean(a[0])),
    "notin": (1, _MANY, lambda a: not _any_equal(a)),
    "or": (2, _MANY, lambda a: any(map(to_boolean, a))),
    "replace": (3, 3, lambda a: to_string(a[0]).replace(to_string(a[1]), to_string(a[2]))),
    "split": (2, 2, _split),
    "startswith": (2, 2, lambda a: _text(a, 0).startswith(_text(a, 1))),
    "trim": (1, 1, lambda a: to_string(a[0]).strip()),
    "upper": (1, 1, lambda a: to_string(a[0]).upper()),
    "xor": (2, 2, lambda a: to_boolean(a[0]) != to_boolean(a[1])),
}
