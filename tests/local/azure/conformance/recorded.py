"""Compares an answer with the typed tree of a recorded one. README.md tells the form of the trees.

Everything here is a pure function: `differences` takes what was recorded and what was answered, and
gives each difference as a `Difference`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

Tree = Any
Variables = Mapping[str, str]

ABSENT = object()

_GUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
_SECONDS = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d"
_PATTERNS = {
    "guid": _GUID,
    "hex16": re.compile(r"[0-9a-f]{16}"),
    "hex32": re.compile(r"[0-9a-f]{32}"),
    "time": re.compile(_SECONDS + r"(\.\d{1,7})?\+00:00"),
    "timeZ": re.compile(_SECONDS + r"(\.\d{1,7})?Z"),
    "time3": re.compile(_SECONDS + r"\.\d{3}(Z|\+00:00)"),
    "duration": re.compile(r"P(?=.)(\d+D)?(T(?=.)(\d+H)?(\d+M)?(\d+(\.\d+)?S)?)?"),
    "timespan": re.compile(r"(\d+\.)?\d\d:\d\d:\d\d(\.\d{7})?"),
    "httpdate": re.compile(r"[A-Z][a-z]{2}, \d\d [A-Z][a-z]{2} \d{4} \d\d:\d\d:\d\d GMT"),
}
_TYPES: Mapping[str, Callable[[Any], bool]] = {
    "any": lambda _value: True,
    "present": lambda _value: True,
    "str": lambda value: isinstance(value, str),
    "int": lambda value: isinstance(value, int) and not isinstance(value, bool),
    "num": lambda value: isinstance(value, (int, float)) and not isinstance(value, bool),
    "bool": lambda value: isinstance(value, bool),
    "null": lambda value: value is None,
    "obj": lambda value: isinstance(value, dict),
    "list": lambda value: isinstance(value, list),
    "emptylist": lambda value: value == [] and isinstance(value, list),
    "emptyobj": lambda value: value == {} and isinstance(value, dict),
}


@dataclass(frozen=True, order=True)
class Difference:
    """Where an answer is otherwise (`status`, `header NAME`, `body.a.b[]`), and how."""

    where: str
    how: str


def filled(tree: Tree, variables: Variables) -> Tree:
    """The tree with `{name}` replaced in all texts and keys; unknown names stay."""
    if isinstance(tree, str):
        return re.sub(r"\{(\w+)\}", lambda found: variables.get(found[1], found[0]), tree)
    if isinstance(tree, list):
        return [filled(one, variables) for one in tree]
    if isinstance(tree, dict):
        return {filled(key, variables): filled(one, variables) for key, one in tree.items()}
    return tree


def compare(tree: Tree, value: Any, where: str, scope: str) -> Iterator[Difference]:
    """The differences between a tree, already filled, and a value. scope: the workspace's id."""
    if isinstance(tree, dict):
        yield from _compare_object(tree, value, where, scope)
    elif isinstance(tree, list):
        yield from _compare_list(tree, value, where, scope)
    elif not fits(tree, value, scope):
        yield Difference(where, f"is {_shown(value)}, recorded {tree}")


def _compare_object(
    tree: Mapping[str, Tree], value: Any, where: str, scope: str
) -> Iterator[Difference]:
    if not isinstance(value, dict):
        yield Difference(where, f"is {_shown(value)}, recorded an object")
        return
    named = {key.removesuffix("?"): key for key in tree if key != "*"}
    for name, key in named.items():
        optional = key.endswith("?")
        if name in value:
            yield from compare(tree[key], value[name], f"{where}.{name}", scope)
        elif not optional and not fits(tree[key], ABSENT, scope):
            yield Difference(f"{where}.{name}", f"is missing, recorded {_shown(tree[key])}")
    for name in value:
        if name not in named:
            if "*" in tree:
                yield from compare(tree["*"], value[name], f"{where}.{name}", scope)
            else:
                yield Difference(f"{where}.{name}", f"is {_shown(value[name])}, never recorded")


def _compare_list(tree: list[Tree], value: Any, where: str, scope: str) -> Iterator[Difference]:
    if not isinstance(value, list):
        yield Difference(where, f"is {_shown(value)}, recorded a list")
    elif tree[:1] == ["exactly"]:
        if len(value) != len(tree) - 1:
            yield Difference(where, f"has {len(value)} items, recorded {len(tree) - 1}")
        for index, (one, item) in enumerate(zip(tree[1:], value, strict=False)):
            yield from compare(one, item, f"{where}[{index}]", scope)
    else:
        for item in value:
            yield from compare(tree[0], item, f"{where}[]", scope)


def fits(leaf: Tree, value: Any, scope: str) -> bool:
    """Whether a value is what a leaf says."""
    if not isinstance(leaf, str):
        return value is not ABSENT and not list(compare(leaf, value, "", scope))
    if leaf.startswith("re:"):
        return isinstance(value, str) and re.fullmatch(leaf[3:], value) is not None
    if leaf.startswith("arm:"):
        return isinstance(value, str) and value in _arm_ids(leaf[4:], scope)
    if leaf.startswith("="):
        return value is not ABSENT and _text(value) in leaf[1:].split("|")
    return any(_fits_word(word, value) for word in leaf.split("|"))


def _fits_word(word: str, value: Any) -> bool:
    if word == "absent":
        return value is ABSENT
    if value is ABSENT:
        return False
    if word in _TYPES:
        return _TYPES[word](value)
    if word == "json":
        return isinstance(value, str) and _is_json(value)
    if word in _PATTERNS:
        return isinstance(value, str) and _PATTERNS[word].fullmatch(value) is not None
    raise ValueError(f"'{word}' is no leaf")


def _arm_ids(tails: str, scope: str) -> list[str]:
    """Alternatives are of the last segment: `data/n/versions/1|2`."""
    head, slash, last = tails.rpartition("/")
    if not tails:
        return [scope]
    return [f"{scope}/{head}{slash}{one}" for one in last.split("|")]


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def _is_json(text: str) -> bool:
    try:
        json.loads(text)
    except ValueError:
        return False
    return True


def _shown(value: Any) -> str:
    text = value if isinstance(value, str) else json.dumps(value)
    return text if len(text) < 120 else text[:117] + "..."


def header_differences(
    recorded: Mapping[str, str], answered: Mapping[str, str], readable: frozenset[str]
) -> Iterator[Difference]:
    """Differences in headers. readable: those that a client acts upon, also where none is named."""
    known = {name.lower(): value for name, value in answered.items()}
    named = {name.lower() for name in recorded}
    for name, leaf in recorded.items():
        where = f"header {name.lower()}"
        if name.endswith("*"):
            if not any(one.startswith(name[:-1].lower()) for one in known):
                yield Difference(where, "is missing")
            continue
        value = known.get(name.lower(), ABSENT)
        if leaf.startswith("url:"):
            if value is ABSENT or not _is_url(leaf[4:], str(value)):
                shown = "missing" if value is ABSENT else f"'{value}'"
                yield Difference(where, f"is {shown}, recorded {leaf}")
        elif not fits(leaf, value, ""):
            shown = "missing" if value is ABSENT else f"'{value}'"
            yield Difference(where, f"is {shown}, recorded {leaf}")
    for name in sorted(readable & known.keys() - named):
        yield Difference(f"header {name}", f"is '{known[name]}', never recorded")


def _is_url(path: str, value: str) -> bool:
    expression = re.escape(path)
    for name, pattern in (
        ("guid", _GUID.pattern),
        ("workspaceid", _GUID.pattern),
        ("kind", "[a-z]{2,6}"),
    ):
        expression = expression.replace(re.escape("{" + name + "}"), f"(?:{pattern})")
    return (
        re.fullmatch(
            rf"https://management\.azure\.com{expression}\?(?:.*&)?api-version=[0-9].*", value
        )
        is not None
    )
