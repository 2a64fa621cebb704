"""The filter and order expressions of run history: OData-like, written by azureml-core's `_odata`.

Unlike OData, values other than `"quoted text"` and `null` stand bare (`RunId eq abc`), and keys of
tags and properties may hold blanks and dots: `(Tags/build number eq "7")`. A comparison with a tag
or property that is not there is false, also `ne`: that is how the SDK asks whether a key exists.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timezone
from typing import Any

from local.azure.kernel.http import ServiceError

Predicate = Callable[[Mapping[str, Any]], bool]

_COMPARISON = re.compile(r"\s*(.+?)\s+(eq|ne|ge|gt|le|lt)\s+")
_END = r"(?=\s*\)|\s+(?:and|or)\s|\s*$)"
_QUOTED = re.compile(r'"(.*?)"' + _END, re.DOTALL)
_BARE = re.compile(r"(.*?)" + _END, re.DOTALL)
_MISSING = object()


def parse_filter(expression: str | None) -> Predicate:
    """A function that tells whether a document matches. Raises ServiceError 400."""
    if not expression or not expression.strip():
        return lambda _: True
    predicate, rest = _any_of(expression)
    if rest.strip():
        raise _bad(expression)
    return predicate


def sort_by(documents: Sequence[dict[str, Any]], order: str | None) -> list[dict[str, Any]]:
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


def _any_of(text: str) -> tuple[Predicate, str]:
    predicate, text = _all_of(text)
    choices = [predicate]
    while found := re.match(r"\s*or\s", text):
        predicate, text = _all_of(text[found.end() :])
        choices.append(predicate)
    return (lambda document: any(choice(document) for choice in choices)), text


def _all_of(text: str) -> tuple[Predicate, str]:
    predicate, text = _term(text)
    needed = [predicate]
    while found := re.match(r"\s*and\s", text):
        predicate, text = _term(text[found.end() :])
        needed.append(predicate)
    return (lambda document: all(need(document) for need in needed)), text


def _term(text: str) -> tuple[Predicate, str]:
    opened = re.match(r"\s*\(", text)
    if opened:
        predicate, rest = _any_of(text[opened.end() :])
        closed = re.match(r"\s*\)", rest)
        if not closed:
            raise _bad(text)
        return predicate, rest[closed.end() :]
    comparison = _COMPARISON.match(text)
    if not comparison:
        raise _bad(text)
    field, operator = comparison[1], comparison[2]
    rest = text[comparison.end() :]
    quoted = _QUOTED.match(rest)
    value = quoted or _BARE.match(rest)
    if value is None:
        raise _bad(text)
    wanted = None if not quoted and value[1] == "null" else value[1]
    return (lambda document: _compare(document, field, operator, wanted)), rest[value.end() :]


def _lookup(document: Mapping[str, Any], field: str) -> Any:
    name, _, key = field.partition("/")
    found = {known.lower(): value for known, value in document.items()}.get(name.lower(), _MISSING)
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


def _compare(document: Mapping[str, Any], field: str, operator: str, wanted: str | None) -> bool:
    value = _lookup(document, field)
    if value is _MISSING:
        return False
    if operator in ("eq", "ne"):
        same = value is None if wanted is None else value is not None and str(value) == wanted
        return same == (operator == "eq")
    if value is None or wanted is None:
        return False
    left, right = moment(str(value)), moment(wanted)
    if left is None or right is None:
        raise ServiceError(400, "UserError", f"'{wanted}' is not a time that {field} compares to.")
    return {
        "ge": left >= right,
        "gt": left > right,
        "le": left <= right,
        "lt": left < right,
    }[operator]


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
