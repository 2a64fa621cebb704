"""Secret values: kept for the jobs that use them, never shown.

A variable is `{"value": …, "isSecret": …}` wherever it stands: in definitions, releases and their
stages, variable groups and timeline records. The service answers `"value": null` for a secret one
(Azure/azure-devops-cli-extension, recording test_pipeline_create_and_variables_test), and reads a
null that comes back as "unchanged".
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

Variables = Mapping[str, Mapping[str, Any]]


def hidden(value: Any) -> Any:
    """A copy of a JSON value in which every secret variable has the value null."""
    if isinstance(value, Mapping):
        shown = {name: hidden(one) for name, one in value.items()}
        return {**shown, "value": None} if _is_secret(value) else shown
    if isinstance(value, list):
        return [hidden(one) for one in value]
    return value


def kept(present: Variables, given: Variables) -> dict[str, dict[str, Any]]:
    """The variables of an update: a secret that comes back without a value keeps the present one.

    A variable that is secret no longer loses its value, or changing `isSecret` would reveal it.
    """
    found = {name.lower(): one for name, one in present.items()}
    result = {}
    for name, one in given.items():
        before = found.get(name.lower(), {})
        merged = dict(one)
        if one.get("value") is None and _is_secret(one) and _is_secret(before):
            merged["value"] = before.get("value")
        result[name] = merged
    return result


def _is_secret(variable: Mapping[str, Any]) -> bool:
    return variable.get("isSecret") is True
