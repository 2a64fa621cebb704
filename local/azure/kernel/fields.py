"""Readers of request bodies: a field of the right shape, or an answer 400 that names it.

As the services do, a number or truth value is taken where text is expected.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from local.azure.kernel.http import ServiceError, required


def text(body: Mapping[str, Any], name: str) -> str:
    """Text that must be there."""
    return _text(required(body, name), name)


def optional_text(body: Mapping[str, Any], name: str) -> str | None:
    """Text, or None."""
    value = body.get(name)
    return None if value is None else _text(value, name)


def mapping(body: Mapping[str, Any], name: str) -> dict[str, Any]:
    """An object; an empty one when it is absent."""
    value = body.get(name)
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise _wrong(name, "an object")
    return value


def texts(body: Mapping[str, Any], name: str) -> dict[str, str | None]:
    """An object of texts such as tags; an empty one when it is absent."""
    pairs = mapping(body, name)
    return {key: None if value is None else _text(value, name) for key, value in pairs.items()}


def objects(body: Mapping[str, Any], name: str) -> list[dict[str, Any]]:
    """A list of objects; an empty one when it is absent."""
    value = body.get(name)
    if value is None:
        return []
    if not isinstance(value, list) or not all(isinstance(one, dict) for one in value):
        raise _wrong(name, "a list of objects")
    return value


def names(body: Mapping[str, Any], name: str) -> list[str]:
    """A list of texts; an empty one when it is absent."""
    value = body.get(name)
    if value is None:
        return []
    if not isinstance(value, list):
        raise _wrong(name, "a list")
    return [_text(one, name) for one in value]


def _text(value: Any, name: str) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if not isinstance(value, str | int | float):
        raise _wrong(name, "text")
    return str(value)


def _wrong(name: str, kind: str) -> ServiceError:
    return ServiceError(400, "ValidationError", f"The field '{name}' must be {kind}.")
