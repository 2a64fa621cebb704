"""Secret values are never shown: every JSON answer passes `hidden`.

A variable is `{"value": …, "isSecret": …}` wherever it stands: in definitions, releases and their
stages, variable groups and timeline records. The service answers `"value": null` for a secret one
(Azure/azure-devops-cli-extension, recording test_pipeline_create_and_variables_test), and reads a
null that comes back as "unchanged" (see `variables`).
"""

from __future__ import annotations

from typing import Any


def hidden(value: Any) -> Any:
    """A copy of a JSON value in which every secret variable has the value null.

    What passes through unread may write `IsSecret` or "true": the service reads them alike.
    """
    if isinstance(value, list):
        return [hidden(one) for one in value]
    if not isinstance(value, dict):
        return value
    shown = {
        name: hidden(one) if isinstance(one, dict | list) else one for name, one in value.items()
    }
    if not _is_secret(value):
        return shown
    return {**{name: one for name, one in shown.items() if name.lower() != "value"}, "value": None}


def _is_secret(variable: dict[str, Any]) -> bool:
    return any(
        name.lower() == "issecret" and str(value).lower() == "true"
        for name, value in variable.items()
        if len(name) == len("issecret")  # nearly all others are told by that alone
    )
