"""Registered models."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Model:
    """A registered model version. ``run_id`` is empty when it came from no run."""

    name: str
    version: int
    run_id: str
    description: str
    tags: Mapping[str, str]


class Models(ABC):
    """The workspace's model registry."""

    @abstractmethod
    def get(self, name: str, version: int) -> Model:
        """One version. Raises ``MODEL_NOT_FOUND``."""

    @abstractmethod
    def versions(self, name: str) -> tuple[Model, ...]:
        """All versions of that name, the newest first; empty when there is none."""

    @abstractmethod
    def register(
        self, *, run_id: str, path: str, name: str, tags: Mapping[str, str], description: str
    ) -> Model:
        """Register the artifacts at or under ``path`` of a run as the next version."""

    @abstractmethod
    def tag(self, model: Model, tags: Mapping[str, str]) -> Model:
        """Add tags to a version; tags of the same name are replaced."""
