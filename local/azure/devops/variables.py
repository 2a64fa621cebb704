"""Variables of definitions, releases, stages and groups, with their secret values."""

from __future__ import annotations

from typing import TypedDict


class Variable(TypedDict, total=False):
    """A variable. One without `isSecret` is shown."""

    value: str
    isSecret: bool
    allowOverride: bool
    isReadOnly: bool


Variables = dict[str, Variable]


def kept(present: Variables, given: Variables) -> Variables:
    """The variables of an update: a secret that comes back without a value keeps the present one.

    A variable that is secret no longer loses its value, or changing `isSecret` would reveal it.
    """
    found = {name.lower(): one for name, one in present.items()}
    result: Variables = {}
    for name, one in given.items():
        before = found.get(name.lower(), {})
        merged = one.copy()
        unchanged = "value" not in one and one.get("isSecret") and before.get("isSecret")
        if unchanged and "value" in before:
            merged["value"] = before["value"]
        result[name] = merged
    return result


def shown(variables: Variables) -> Variables:
    """Variables as the service writes them: flags that are false are left out."""
    result: Variables = {}
    for name, one in variables.items():
        document = one.copy()
        if not document.get("isSecret"):
            document.pop("isSecret", None)
        if not document.get("allowOverride"):
            document.pop("allowOverride", None)
        if not document.get("isReadOnly"):
            document.pop("isReadOnly", None)
        result[name] = document
    return result
