"""Values of the expression language: how they are converted and compared.

Source: MicrosoftDocs/azure-devops-docs docs/pipelines/process/expressions.md, "Type casting"
(commit 0003e520c1dfb2272516290355e7d2d7b14b2790). Forms of numbers and times: the service's own
expression library as published in actions/runner, src/Sdk/DTExpressions/Expressions
(EvaluationResult.cs, commit 18b598757f23080af8b005b80242bdb014083413).
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timezone
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation

from local.agent.errors import AgentError

_NUMBER = re.compile(r"\s*[+-]?(\d[\d,]*(\.\d*)?|\.\d+)\s*")
_VERSION = re.compile(r"\d+(\.\d+){1,3}")
# Date and time of a text, with an offset or ``Z``; without one it is local time.
_TIME = re.compile(
    r"(?P<date>\d{4}[-/]\d{1,2}[-/]\d{1,2})[ T](?P<time>\d{1,2}:\d{1,2}:\d{1,2})"
    r"(?:\.(?P<fraction>\d{1,7}))?(?P<offset>Z|[+-]\d{1,2}:\d{1,2})?"
)
_NUMBER_PLACES = Decimal("0.0000001")


class ExpressionError(AgentError):
    """An expression cannot be parsed or evaluated."""


@dataclass(frozen=True, order=True)
class Version:
    """A version of two to four numbers."""

    parts: tuple[int, ...]

    def __str__(self) -> str:
        """Return it dotted, as it was written."""
        return ".".join(str(part) for part in self.parts)


Value = None | bool | Decimal | str | Version | datetime | Mapping[str, "Value"] | Sequence["Value"]


def parse_version(text: str) -> Version | None:
    """Return the version that ``text`` spells, None when it spells none."""
    if not _VERSION.fullmatch(text):
        return None
    return Version(tuple(int(part) for part in text.split(".")))


def to_boolean(value: Value) -> bool:
    """Convert: null, zero and the empty text are False, all else is True."""
    if isinstance(value, bool):
        return value
    if value is None:
        return False
    if isinstance(value, Decimal):
        return value != 0
    if isinstance(value, str):
        return value != ""
    return True


def to_string(value: Value) -> str:
    """Convert; numbers keep seven decimal places at most.

    Raises:
        ExpressionError: the value is a list or a mapping.
    """
    if isinstance(value, bool):
        return "True" if value else "False"
    if value is None:
        return ""
    if isinstance(value, Decimal):
        return _number_text(value)
    if isinstance(value, (str, Version)):
        return str(value)
    if isinstance(value, datetime):
        return value.strftime("%Y-%m-%d %H:%M:%S") + offset_text(value)
    kind = "a mapping" if isinstance(value, Mapping) else "a list"
    raise ExpressionError(
        f"{kind} cannot be converted to text; name a member, or use convertToJson"
    )


def _number_text(value: Decimal) -> str:
    if value != value.to_integral_value():
        value = value.quantize(_NUMBER_PLACES, rounding=ROUND_HALF_UP)
    return format(value.normalize() + 0, "f")


def offset_text(moment: datetime) -> str:
    """Return a time's offset from UTC, e.g. ``+00:00``; a time without an offset is UTC."""
    offset = moment.utcoffset()
    minutes = 0 if offset is None else round(offset.total_seconds() / 60)
    return f"{'-' if minutes < 0 else '+'}{abs(minutes) // 60:02}:{abs(minutes) % 60:02}"


def to_number(value: Value) -> Decimal | None:
    """Convert, None when it is not convertible."""
    if isinstance(value, bool):
        return Decimal(int(value))
    if value is None or value == "":
        return Decimal(0)
    if isinstance(value, Decimal):
        return value
    if isinstance(value, str) and _NUMBER.fullmatch(value):
        try:
            return Decimal(value.strip().replace(",", ""))
        except InvalidOperation:
            return None
    return None


def to_version(value: Value) -> Version | None:
    """Convert, None when it is not convertible."""
    if isinstance(value, Version):
        return value
    if isinstance(value, Decimal):
        return parse_version(to_string(value)) if value > 0 else None
    if isinstance(value, str):
        return parse_version(value.strip())
    return None


def to_time(value: Value) -> datetime | None:
    """Convert, None when it is not convertible."""
    if isinstance(value, datetime):
        return value if value.tzinfo is not None else value.replace(tzinfo=timezone.utc)
    match = _TIME.fullmatch(value.strip()) if isinstance(value, str) else None
    if match is None:
        return None
    text = f"{match['date'].replace('/', '-')} {match['time']}.{(match['fraction'] or '0')[:6]}"
    try:
        if match["offset"] is None:
            return datetime.strptime(text, "%Y-%m-%d %H:%M:%S.%f").astimezone()
        offset = match["offset"].replace("Z", "+00:00")
        return datetime.strptime(text + offset, "%Y-%m-%d %H:%M:%S.%f%z")
    except ValueError:
        return None


def equal(left: Value, right: Value) -> bool:
    """Compare as ``eq`` does: the right side takes the left side's type; texts ignore case."""
    if isinstance(left, bool):
        return left == to_boolean(right)
    if left is None:
        return right is None or right == ""
    if isinstance(left, Decimal):
        number = to_number(right)
        return number is not None and left == number
    if isinstance(left, str):
        if isinstance(right, (Mapping, list, tuple)):
            return False
        return left.upper() == to_string(right).upper()
    if isinstance(left, Version):
        return left == to_version(right)
    if isinstance(left, datetime):
        return to_time(left) == to_time(right)
    return left is right


def compare(left: Value, right: Value) -> int:
    """Return -1, 0 or 1, as ``lt`` and its kin need.

    Raises:
        ExpressionError: the right side cannot take the left side's type.
    """
    if isinstance(left, bool):
        other = to_boolean(right)
        return (left > other) - (left < other)
    if isinstance(left, str):
        first, second = left.upper(), to_string(right).upper()
        return (first > second) - (first < second)
    if isinstance(left, Version):
        version = to_version(right)
        if version is None:
            raise ExpressionError(f"cannot compare the version {left} with {_shown(right)}")
        return (left > version) - (left < version)
    if isinstance(left, datetime):
        return _compare_times(left, right)
    number, other_number = to_number(left), to_number(right)
    if number is None or other_number is None:
        raise ExpressionError(f"cannot compare {_shown(left)} with {_shown(right)}")
    return (number > other_number) - (number < other_number)


def _compare_times(left: Value, right: Value) -> int:
    first, second = to_time(left), to_time(right)
    if first is None or second is None:
        raise ExpressionError(f"cannot compare {_shown(left)} with {_shown(right)}")
    return (first > second) - (first < second)


def _shown(value: Value) -> str:
    if isinstance(value, Mapping):
        return "a mapping"
    return "a list" if isinstance(value, (list, tuple)) else f"'{to_string(value)}'"


def lookup(container: Value, key: Value) -> Value:
    """Index a mapping (ignoring case) or a list; a miss is null."""
    if isinstance(container, Mapping):
        wanted = to_string(key).upper()
        for name in container:
            if name.upper() == wanted:
                return container[name]
        return None
    if isinstance(container, (list, tuple)):
        number = to_number(key)
        if number is not None and number == int(number) and 0 <= number < len(container):
            found: Value = container[int(number)]
            return found
    return None
