"""The filter and order expressions of run history: OData-like, written by azureml-core's `_odata`.

Unlike OData, values other than `"quoted text"` and `null` stand bare (`RunId eq abc`), and keys of
tags and properties may hold blanks and dots: `(Tags/build number eq "7")`. A comparison with a tag
or property that is not there is false, also `ne`: that is how the SDK asks whether a key exists.
"""

from __future__ import annotations

import functools
import operator
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import Any, TypeVar

from local.azure.kernel.http import ServiceError

D = TypeVar("D", bound=Mapping[str, Any])
Predicate = Callable[[Mapping[str, Any]], bool]
# Field, operator and value of a comparison; "null" is None.
Comparison = tuple[str, str, str | None]

_COMPARISON = re.compile(r"\s*(.+?)\s+(eq|ne|ge|gt|le|lt)\s+")
_END = r"(?=\s*\)|\s+(?:and|or)\s|\s*$)"
_QUOTED = re.compile(r'"(.*?)"' + _END, re.DOTALL)
_BARE = re.compile(r"(.*?)" + _END, re.DOTALL)
_MISSING = object()
_EQUAL = ("eq", "ne")
_SIGNS: Mapping[str, Callable[[datetime, datetime], bool]] = {
    "ge": operator.ge,
    "gt": operator.gt,
    "le": operator.le,
    "lt": operator.lt,
}


@dataclass(frozen=True, kw_only=True)
class _Part:
    """A part of an expression, and the comparisons that hold of each document that it matches."""

    matches: Predicate
    needed: tuple[Comparison, ...]


def parse_filter(expression: str | None) -> Predicate:
    """A function that tells whether a document matches. Raises ServiceError 400."""
    return _parsed(expression).matches


def equalities(expression: str | None, names: Iterable[str]) -> dict[str, str | None]:
    """The values that each document has that an expression matches, by path, for an index.

    names: the members that an index may have. Raises ServiceError 400.
    """
    known = {name.lower(): name for name in names}
    found = {}
    for field, sign, value in _parsed(expression).needed:
        name, slash, key = field.partition("/")
        if sign == "eq" and name.lower() in known:
            found[known[name.lower()] + slash + key] = value
    return found


def _parsed(expression: str | None) -> _Part:
    if not expression or not expression.strip():
        return _Part(matches=lambda _: True, needed=())
    try:
        part, rest = _any_of(expression)
    except RecursionError:
        raise _bad(expression) from None
    if rest.strip():
        raise _bad(expression)
    return part


def sort_by(documents: Iterable[D], order: str | None) -> list[D]:
    """Documents in the order of `Field [asc|desc], ...`; those without a value count as least."""
    result = list(documents)
    for term in reversed((order or "").split(",")):
        name, _, direction = term.strip().partition(" ")
        if name:
            result.sort(key=lambda one: _sort_key(one, name), reverse=direction == "desc")
    return result


def _sort_key(document: Mapping[str, Any], name: str) -> tuple[bool, float, str]:
    value = _lookup(document, name)
    if value is None or value is _MISSING:
        return False, 0.0, ""
    if isinstance(value, int | float):
        return True, float(value), ""
    # Times do not sort as text: clients write fractions of a second in as few digits as they need.
    time = moment(str(value)) if name.lower().endswith("utc") else None
    return True, time.timestamp() if time else 0.0, str(value)


def _any_of(text: str) -> tuple[_Part, str]:
    part, text = _all_of(text)
    choices = [part]
    while found := re.match(r"\s*or\s", text):
        part, text = _all_of(text[found.end() :])
        choices.append(part)
    if len(choices) == 1:
        return part, text
    tests = [choice.matches for choice in choices]
    return _Part(matches=lambda document: any(test(document) for test in tests), needed=()), text


def _all_of(text: str) -> tuple[_Part, str]:
    part, text = _term(text)
    parts = [part]
    while found := re.match(r"\s*and\s", text):
        part, text = _term(text[found.end() :])
        parts.append(part)
    if len(parts) == 1:
        return part, text
    tests = [each.matches for each in parts]
    needed = tuple(comparison for each in parts for comparison in each.needed)
    return _Part(
        matches=lambda document: all(test(document) for test in tests), needed=needed
    ), text


def _term(text: str) -> tuple[_Part, str]:
    opened = re.match(r"\s*\(", text)
    if opened:
        part, rest = _any_of(text[opened.end() :])
        closed = re.match(r"\s*\)", rest)
        if not closed:
            raise _bad(text)
        return part, rest[closed.end() :]
    comparison = _COMPARISON.match(text)
    if not comparison:
        raise _bad(text)
    field, sign = comparison[1], comparison[2]
    rest = text[comparison.end() :]
    quoted = _QUOTED.match(rest)
    value = quoted or _BARE.match(rest)
    if value is None:
        raise _bad(text)
    wanted = None if not quoted and value[1] == "null" else value[1]
    matches = _equals(field, sign, wanted) if sign in _EQUAL else _in_time(field, sign, wanted)
    part = _Part(matches=matches, needed=((field, sign, wanted),))
    return part, rest[value.end() :]


def _lookup(document: Mapping[str, Any], field: str) -> Any:
    name, _, key = field.partition("/")
    found = document.get(name[:1].lower() + name[1:], _MISSING)  # as nearly everyone writes it
    if found is _MISSING:
        lower = name.lower()
        found = next((value for known, value in document.items() if known.lower() == lower), found)
    if not key or found is _MISSING:
        return found
    if name.lower() in ("tags", "properties"):
        return (found or {}).get(key, _MISSING)
    if not isinstance(found, Mapping):
        return _MISSING
    parent, _, item = key.partition("/")
    inner = _lookup(found, parent)
    if not item or inner is _MISSING:
        return inner
    return item if item in (inner or ()) else _MISSING


def _equals(field: str, sign: str, wanted: str | None) -> Predicate:
    expected = sign == "eq"

    def matches(document: Mapping[str, Any]) -> bool:
        value = _lookup(document, field)
        if value is _MISSING:
            return False
        same = value is None if wanted is None else value is not None and str(value) == wanted
        return same == expected

    return matches


def _in_time(field: str, sign: str, wanted: str | None) -> Predicate:
    compare = _SIGNS[sign]
    bound = None if wanted is None else moment(wanted)

    def matches(document: Mapping[str, Any]) -> bool:
        value = _lookup(document, field)
        if value is _MISSING or value is None or wanted is None:
            return False
        time = moment(str(value))
        if time is None or bound is None:
            raise ServiceError(
                400, "UserError", f"'{wanted}' is not a time that {field} compares to."
            )
        return compare(time, bound)

    return matches


@functools.lru_cache(maxsize=65536)
def moment(text: str) -> datetime | None:
    """The time that a text stands for (ISO 8601; UTC unless it says otherwise), or None."""
    # Python 3.10 reads neither a trailing Z nor fractions of other than 3 or 6 digits.
    text = re.sub(r"\.(\d{1,6})\d*", lambda found: "." + found[1].ljust(6, "0"), text.strip())
    try:
        time = datetime.fromisoformat(re.sub(r"[Zz]$", "+00:00", text))
    except ValueError:
        return None
    return time if time.tzinfo else time.replace(tzinfo=timezone.utc)


def _bad(expression: str) -> ServiceError:
    return ServiceError(400, "UserError", f"The filter expression '{expression}' is not valid.")
