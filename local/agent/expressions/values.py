"""Values of the expression language and how they are converted and compared.

Source: MicrosoftDocs/azure-devops-docs docs/pipelines/process/expressions.md, "Type casting"
(commit 0003e520c1dfb2272516290355e7d2d7b14b2790); booleans become 'True' and 'False' as in the
page's current version.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal, InvalidOperation

from local.agent.errors import AgentError

_NUMBER = re.compile(r"\s*[+-]?(\d[\d,]*(\.\d*)?|\.\d+)\s*")
_VERSION = re.compile(r"\d+(\.\d+){1,3}")


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
    """Convert; lists and mappings become the empty text, as ``join`` and ``format`` do."""
    if isinstance(value, bool):
        return "True" if value else "False"
    if value is None:
        return ""
    if isinstance(value, Decimal):
        return format(value.normalize(), "f")
    if isinstance(value, (str, Version)):
        return str(value)
    if isinstance(value, datetime):
        return value.strftime("%m/%d/%Y %H:%M:%S")
    return ""


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
            raise ExpressionError(f"cannot compare the version {left} with '{to_string(right)}'")
        return (left > version) - (left < version)
    number, other_number = to_number(left), to_number(right)
    if number is None or other_number is None:
        raise ExpressionError(f"cannot compare '{to_string(left)}' with '{to_string(right)}'")
    return (number > other_number) - (number < other_number)


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
