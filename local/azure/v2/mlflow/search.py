"""MLflow's search language: filters and orders over runs, experiments and registered models.

Grammar: mlflow.org/docs, "Search Runs". Clauses `key comparator value` joined by AND; keys are
metrics.x, params.x, tags.x and attributes (with or without `attributes.` before them).
"""

from __future__ import annotations

import functools
import operator
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from local.azure.kernel.http import ServiceError

R = TypeVar("R")
# What a record has under an entity ("metrics", "params", "tags", "attributes") and a name.
Lookup = Callable[[R, str, str], Any]

_ENTITIES = {
    **dict.fromkeys(("metric", "metrics"), "metrics"),
    **dict.fromkeys(("param", "params", "parameter", "parameters"), "params"),
    **dict.fromkeys(("tag", "tags"), "tags"),
    **dict.fromkeys(("attribute", "attributes", "attr", "run"), "attributes"),
}
_TOKEN = re.compile(
    r"""\s*(?:
        (?P<text>'(?:[^']|'')*'|"[^"]*")
      | (?P<number>-?\d+(?:\.\d*)?(?:[eE][-+]?\d+)?)(?![\w.])
      | (?P<sign><=|>=|!=|<>|==|=|<|>)
      | (?P<mark>[(),])
      | (?P<word>(?:`[^`]+`|[\w./\-]|(?<=\.)"[^"]+")+)
    )""",
    re.VERBOSE,
)
_COMPARE: dict[str, Callable[[Any, Any], bool]] = {
    "=": operator.eq,
    "==": operator.eq,
    "!=": operator.ne,
    "<>": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


@dataclass(frozen=True, kw_only=True)
class _Clause:
    entity: str
    name: str
    sign: str
    value: Any

    def holds(self, found: Any) -> bool:
        """Whether a value fits; one that is not there fits only IS NULL."""
        if self.sign in ("IS NULL", "IS NOT NULL"):
            return (found is None) == (self.sign == "IS NULL")
        if found is None:
            return False
        if self.sign in ("IN", "NOT IN"):
            return (found in self.value) == (self.sign == "IN")
        if self.sign in ("LIKE", "ILIKE"):
            return _like(str(self.value), self.sign).fullmatch(str(found)) is not None
        if isinstance(found, (int, float)) != isinstance(self.value, (int, float)):
            found, wanted = str(found), str(self.value)
            return _COMPARE[self.sign](found, wanted)
        return _COMPARE[self.sign](found, self.value)


@functools.lru_cache
def _like(text: str, sign: str) -> re.Pattern[str]:
    flags = re.DOTALL | (re.IGNORECASE if sign == "ILIKE" else 0)
    return re.compile(re.escape(text).replace("%", ".*").replace("_", "."), flags)


def matcher(text: str | None, lookup: Lookup[R]) -> Callable[[R], bool]:
    """Whether a record fits a filter. Raises ServiceError 400 for what is no filter."""
    clauses = _parse(text or "")
    return lambda record: all(
        clause.holds(lookup(record, clause.entity, clause.name)) for clause in clauses
    )


def equalities(text: str | None) -> list[tuple[str, str, str]]:
    """Entity, name and value of the clauses `key = 'text'`, all of which each record fits."""
    return [
        (clause.entity, clause.name, clause.value)
        for clause in _parse(text or "")
        if clause.sign in ("=", "==") and isinstance(clause.value, str)
    ]


def ordered(records: Sequence[R], orders: Sequence[str], lookup: Lookup[R]) -> list[R]:
    """The records by the orders, of which the first weighs most; without a value they come last."""
    found = list(records)
    for order in reversed(orders):
        words = order.strip().rsplit(None, 1)
        descending = len(words) == 2 and words[1].upper() == "DESC"
        key = words[0] if len(words) == 2 and words[1].upper() in ("ASC", "DESC") else order
        entity, name = _key(key.strip())
        valued = [(lookup(one, entity, name), one) for one in found]
        there = [pair for pair in valued if pair[0] is not None]
        there.sort(key=operator.itemgetter(0), reverse=descending)
        found = [one for _, one in there] + [one for value, one in valued if value is None]
    return found


def _parse(text: str) -> list[_Clause]:
    tokens = _tokens(text)
    clauses = []
    while tokens:
        clauses.append(_clause(tokens, text))
        if not tokens:
            break
        if tokens.pop(0)[1].upper() != "AND":
            raise _invalid(text, "only AND joins clauses")
        if not tokens:
            raise _invalid(text, "it ends with AND")
    return clauses


def _tokens(text: str) -> list[tuple[str, str]]:
    tokens = []
    position = 0
    end = len(text.rstrip())
    while position < end:
        found = _TOKEN.match(text, position)
        if not found:
            raise _invalid(text, f"nothing begins with {text[position:].strip()[:10]!r}")
        tokens.append((str(found.lastgroup), found[0].strip()))
        position = found.end()
    return tokens


def _clause(tokens: list[tuple[str, str]], text: str) -> _Clause:
    def take(*kinds: str) -> str:
        if not tokens or tokens[0][0] not in kinds:
            raise _invalid(text, "a clause is `key comparator value`")
        return tokens.pop(0)[1]

    entity, name = _key(take("word"))
    sign = take("sign", "word").upper()
    if sign in ("IS", "NOT"):
        sign += f" {take('word').upper()}"
        if sign == "IS NOT":
            sign += f" {take('word').upper()}"
    if sign in ("IS NULL", "IS NOT NULL"):
        return _Clause(entity=entity, name=name, sign=sign, value=None)
    if sign in ("IN", "NOT IN"):
        values = []
        mark, before = take("mark"), "("
        while mark == before:
            values.append(_value(take("text", "number")))
            mark, before = take("mark"), ","
        if mark != ")" or not values:
            raise _invalid(text, f"{sign} needs a list such as ('a', 'b')")
        return _Clause(entity=entity, name=name, sign=sign, value=values)
    if sign not in (*_COMPARE, "LIKE", "ILIKE"):
        raise _invalid(text, f"there is no comparator {sign}")
    return _Clause(entity=entity, name=name, sign=sign, value=_value(take("text", "number")))


def _key(text: str) -> tuple[str, str]:
    first, dot, rest = text.partition(".")
    if dot and first.lower() in _ENTITIES:
        return _ENTITIES[first.lower()], rest.strip('`"')
    if dot:
        raise _invalid(text, f"there is no entity '{first}'")
    return "attributes", text.strip('`"')


def _value(token: str) -> Any:
    if token[0] in "'\"":
        return token[1:-1]
    return float(token) if re.search(r"[.eE]", token) else int(token)


def _invalid(text: str, why: str) -> ServiceError:
    return ServiceError(400, "INVALID_PARAMETER_VALUE", f"Invalid filter or order '{text}': {why}.")
