"""Registered models, and their copies in another place: a registry, or another workspace."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Model:
    """A registered model version. ``run_id`` is empty when it came from no run.

    ``mlflow`` says that it is registered as an MLflow model, which needs no script. ``address`` is
    that of a version in a registry, empty in the workspace.
    """

    name: str
    version: int
    run_id: str
    description: str
    tags: Mapping[str, str]
    mlflow: bool = False
    address: str = ""


@dataclass(frozen=True, kw_only=True)
class RegistryPlace:
    """An Azure Machine Learning registry."""

    name: str

    def __str__(self) -> str:
        """In words, for a message."""
        return f"the registry '{self.name}'"


@dataclass(frozen=True, kw_only=True)
class WorkspacePlace:
    """Another workspace. ``subscription_id`` is empty for that of the service connection."""

    subscription_id: str
    resource_group: str
    name: str

    def __str__(self) -> str:
        """In words, for a message."""
        return f"the workspace '{self.name}'"


Place = RegistryPlace | WorkspacePlace


class Elsewhere(ABC):
    """A place that versions of this workspace's models are copied to."""

    @abstractmethod
    def find(self, model: Model) -> str:
        """The id of the copy of this very version, empty when there is none."""

    @abstractmethod
    def start(self, model: Model) -> str:
        """Begin to copy a version with its files, tags and description.

        Returns what `ended` follows it by, empty where nothing is left to follow. Of two that begin
        at once, one copy remains.
        """

    @abstractmethod
    def ended(self, operation: str) -> bool:
        """Whether a copying that began has ended. Raises what made it fail."""


class Models(ABC):
    """The workspace's model registry."""

    @abstractmethod
    def get(self, name: str, version: int) -> Model:
        """One version. Raises ``MODEL_NOT_FOUND``."""

    @abstractmethod
    def versions(self, name: str) -> tuple[Model, ...]:
        """All versions of that name, the newest first; empty when there is none."""

    @abstractmethod
    def shared(self, registry: str, name: str) -> tuple[Model, ...]:
        """All versions of that name in a registry, the newest first; empty when there is none.

        Raises:
            TaskError: ``REGISTRY_NOT_FOUND``
            ValueError: with v1, which knows no registries
        """

    @abstractmethod
    def register(
        self, *, run_id: str, path: str, name: str, tags: Mapping[str, str], description: str
    ) -> Model:
        """Register the artifacts at or under ``path`` of a run as the next version.

        A folder with a file ``MLmodel`` becomes an MLflow model, where the SDK knows such.
        """

    @abstractmethod
    def tag(self, model: Model, tags: Mapping[str, str]) -> Model:
        """Add tags to a version; tags of the same name are replaced."""

    @abstractmethod
    def elsewhere(self, place: Place) -> Elsewhere:
        """Open another place for copies. Raises ``REGISTRY_NOT_FOUND``, ``WORKSPACE_NOT_FOUND``.

        v2 copies to registries only, and v1 to workspaces only (``COPY_UNSUPPORTED``).
        """
