"""Specifications of components as the service writes them: made anew, every scalar a text."""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping
from typing import Any, TypedDict, cast


class Spec(TypedDict, total=False):
    """The YAML of a component as JSON: what is read here; the rest is kept as it was sent."""

    name: str
    version: str
    type: str
    description: str
    inputs: dict[str, Mapping[str, object]]
    outputs: dict[str, Mapping[str, object]]
    code: str
    environment: str
    resources: Mapping[str, object]
    command: str
    jobs: dict[str, Mapping[str, object]]


# In the order in which the service writes them; anything else follows.
_ORDER = (
    *("$schema", "name", "version", "display_name", "is_deterministic", "type", "description"),
    *("tags", "inputs", "outputs", "code", "environment", "resources", "command"),
)
_DROPPED = ("_source", "id")
_NAMESPACE = uuid.UUID("0c2a4a0e-3a3f-4d0c-9a0e-6f6a4c0b3b1d")


def written(spec: Spec, *, code: str | None, environment: str | None) -> Spec:
    """A specification as the service gives it back. code, environment: their full ids."""
    kept = {name: value for name, value in spec.items() if name not in _DROPPED}
    if spec.get("type") != "command":
        # Nodes of a pipeline stay as they are.
        return cast("Spec", kept)
    made: dict[str, object] = {
        **_texts(kept),
        "resources": {"instance_count": "1", **_texts(spec.get("resources") or {})},
    }
    if environment:
        made["environment"] = environment
    if code:
        made["code"] = code
    if spec.get("inputs"):
        made["inputs"] = {name: _input(one) for name, one in spec["inputs"].items()}
    ordered = [name for name in _ORDER if name in made]
    return cast("Spec", {name: made[name] for name in [*ordered, *(set(made) - set(ordered))]})


def _input(declared: Mapping[str, object]) -> Mapping[str, object]:
    texts = _texts(declared)
    return {"type": texts.get("type"), "optional": "False", **texts}


def _texts(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _texts(one) for name, one in value.items()}
    if isinstance(value, list):
        return [_texts(one) for one in value]
    return value if value is None or isinstance(value, str) else str(value)


def normal(value: Any) -> Any:
    """What to compare specifications by, whether as a client sent them or the service wrote them.

    Scalars as texts, without what the service fills in.
    """
    if isinstance(value, dict):
        kept = {name: normal(one) for name, one in value.items()}
        return {name: one for name, one in kept.items() if (name, one) != ("optional", "False")}
    return _texts(value) if not isinstance(value, list) else [normal(one) for one in value]


def anonymous_version(spec: Spec) -> str:
    """The version of a component without a name: a guid, the same one for the same content."""
    content = {name: one for name, one in spec.items() if name not in ("version", *_DROPPED)}
    return str(uuid.uuid5(_NAMESPACE, json.dumps(normal(content), sort_keys=True)))
