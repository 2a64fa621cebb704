"""The names of the registry's tables in the store, each declared once."""

from __future__ import annotations

MODELS = "model"


def versions_of(name: str) -> str:
    """The counter of a model's versions."""
    return f"model {name}"
