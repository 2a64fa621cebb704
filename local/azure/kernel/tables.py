"""Typed access to the store: each kind of document belongs to one module, which makes its table."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Generic, TypeVar, cast

from local.azure.kernel.cloud import Cloud

T = TypeVar("T")
# `list` is a method's name below.
Items = list[tuple[str, T]]


class Table(Generic[T]):
    """The documents of one kind; `T` is their TypedDict. Each method is one transaction."""

    def __init__(self, kind: str) -> None:
        """`kind`: its name in the store."""
        self._kind = kind

    @property
    def kind(self) -> str:
        """The name of the kind, as errors name it."""
        return self._kind

    def get(self, cloud: Cloud, key: str | int) -> T | None:
        """The document, or None."""
        return cast("T | None", cloud.store.get(self._kind, _key(key)))

    def look_up(self, cloud: Cloud, key: str | int) -> T | None:
        """The document, or None: from memory and shared with all who ask, so to read only."""
        return cast("T | None", cloud.store.look_up(self._kind, _key(key)))

    def items(self, cloud: Cloud) -> Items[T]:
        """Key and document of each, oldest first."""
        return cast("Items[T]", cloud.store.items(self._kind))

    def put(self, cloud: Cloud, key: str | int, document: T) -> None:
        """Create or replace a document."""
        cloud.store.put(self._kind, _key(key), cast("dict[str, Any]", document))

    def insert(self, cloud: Cloud, key: str | int, document: T) -> None:
        """Create a document. Raises store.AlreadyExists."""
        cloud.store.insert(self._kind, _key(key), cast("dict[str, Any]", document))

    def update(self, cloud: Cloud, key: str | int, change: Callable[[T], None]) -> T:
        """Let `change` edit the document in place, atomically; returns it. Raises KeyError."""
        edit = cast("Callable[[dict[str, Any]], None]", change)
        return cast("T", cloud.store.update(self._kind, _key(key), edit))

    def delete(self, cloud: Cloud, key: str | int) -> bool:
        """Remove a document; whether it was there."""
        return cloud.store.delete(self._kind, _key(key))

    def list(self, cloud: Cloud, prefix: str = "") -> list[T]:
        """The documents whose key starts with `prefix`, oldest first."""
        return cast("list[T]", cloud.store.list(self._kind, prefix))

    def find(self, cloud: Cloud, wanted: Mapping[str, str | None] | None = None) -> Sequence[T]:
        """The documents with these values by path (see store.find), oldest first: to read only."""
        return cast("Sequence[T]", cloud.store.find(self._kind, wanted))

    def next_number(self, cloud: Cloud, of: object = "") -> int:
        """1, 2, 3, …; a number is never given twice. `of`: counts apart from the rest."""
        return cloud.store.next_number(f"{self._kind}-{of}" if of else self._kind)


def _key(key: str | int) -> str:
    """Keys that are numbers sort by them."""
    return f"{key:010}" if isinstance(key, int) else key
