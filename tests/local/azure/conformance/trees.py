"""Typed trees of recorded answers, and where a document differs from one.

A tree holds facts and no text. Its leaves are names of types (`string`, `integer`, `boolean`,
`number`, `null`, `guid`, `date`, `url`, `vstfs`) or `enum:WORD`, alternatives joined by `|`. A
member `name?` is not in every recorded item; `[x]` is a list whose items are alike.
"""

from __future__ import annotations

import copy
import re
from collections.abc import Iterator
from typing import Any

_GUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
_DATE = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)?")
_URL = re.compile(r"https?://\S+")


def differences(expected: Any, found: Any, place: str = "") -> Iterator[str]:
    """Where `found` is not of the tree `expected`: `place: what is different`."""
    if isinstance(expected, dict):
        yield from _object(expected, found, place)
    elif isinstance(expected, list):
        if not isinstance(found, list):
            yield f"{place}: no list"
        elif expected:
            for one in found:
                yield from differences(expected[0], one, f"{place}[]")
    elif not any(_is(kind, found) for kind in str(expected).split("|")):
        yield f"{place}: {_kind(found)} instead of {expected}"


def _object(expected: dict[str, Any], found: Any, place: str) -> Iterator[str]:
    if not isinstance(found, dict):
        yield f"{place}: no object"
        return
    known = {name.removesuffix("?"): (name.endswith("?"), one) for name, one in expected.items()}
    for name, (optional, one) in known.items():
        if name in found:
            yield from differences(one, found[name], f"{place}.{name}")
        elif not optional:
            yield f"{place}.{name}: missing"
    for name in sorted(set(found) - set(known)):
        yield f"{place}.{name}: not recorded"


def _is(kind: str, found: Any) -> bool:
    if kind.startswith("enum:"):
        return isinstance(found, str) and found == kind.removeprefix("enum:")
    if kind in ("integer", "number"):
        types = int if kind == "integer" else (int, float)
        return isinstance(found, types) and not isinstance(found, bool)
    if kind == "boolean":
        return isinstance(found, bool)
    if kind == "null":
        return found is None
    return isinstance(found, str) and _is_text(kind, found)


def _is_text(kind: str, found: str) -> bool:
    forms = {"guid": _GUID, "date": _DATE, "url": _URL}
    if kind in forms:
        return forms[kind].fullmatch(found) is not None
    return found.startswith("vstfs:") if kind == "vstfs" else kind in ("string", "text")


def _kind(found: Any) -> str:
    if isinstance(found, str):
        for kind in ("guid", "date", "url", "vstfs"):
            if _is_text(kind, found):
                return kind
        return f"'{found}'" if re.fullmatch(r"[A-Za-z]{1,30}", found) else "string"
    names = {bool: "boolean", int: "integer", float: "number", type(None): "null"}
    return names.get(type(found), type(found).__name__)


def mutants(tree: Any, kinds: tuple[str, str] = ("null", "integer")) -> Iterator[tuple[str, Any]]:
    """Copies of a tree with one leaf changed each, and its place: what a suite must notice.

    `kinds`: what a leaf becomes, and what one becomes that is so already.
    """
    for path in _paths(tree):
        changed = copy.deepcopy(tree)
        holder: Any = {"": changed}
        for step in ("", *path)[:-1]:
            holder = holder[step]
        last = ("", *path)[-1]
        holder[last] = kinds[0] if holder[last] != kinds[0] else kinds[1]
        yield "/".join(str(step) for step in path), changed if path else holder[""]


def has(document: Any, place: str) -> bool:
    """Whether a document has the leaf of a tree at a place that `mutants` named."""
    for step in place.split("/") if place else []:
        if isinstance(document, list):
            if not document:
                return False
            document = document[0]
        elif isinstance(document, dict) and step.removesuffix("?") in document:
            document = document[step.removesuffix("?")]
        else:
            return False
    return True


def _paths(tree: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    if isinstance(tree, dict):
        for name, one in tree.items():
            yield from _paths(one, (*path, name))
    elif isinstance(tree, list):
        for index, one in enumerate(tree):
            yield from _paths(one, (*path, index))
    else:
        yield path
