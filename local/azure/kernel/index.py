"""The documents of one kind in memory, with an index for each member that somebody asks by."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

# Paths with an index. Who asks by ever other tags builds the oldest index again.
_MOST_PATHS = 64
_ABSENT = object()


@dataclass(frozen=True, kw_only=True)
class _Entry:
    sequence: int
    document: dict[str, Any]


class Index:
    """Documents by key, oldest first, and by the values of their members.

    Not thread-safe: the store holds its lock. The documents are shared with all who ask.
    """

    def __init__(self, rows: Iterable[tuple[int, str, dict[str, Any]]]) -> None:
        """`rows`: sequence, key and document, oldest first."""
        self._entries = {
            key: _Entry(sequence=sequence, document=document) for sequence, key, document in rows
        }
        self._by_path: dict[str, dict[Any, dict[str, _Entry]]] = {}

    def put(self, sequence: int, key: str, document: dict[str, Any]) -> None:
        """Add or replace a document."""
        self.remove(key, forget=False)
        entry = self._entries[key] = _Entry(sequence=sequence, document=document)
        for path, values in self._by_path.items():
            _add(values, path, key, entry)

    def remove(self, key: str, *, forget: bool = True) -> None:
        """Take a document out of the indexes; `forget`: and out of the list."""
        entry = self._entries.get(key)
        if entry is None:
            return
        for path, values in self._by_path.items():
            value = _value(entry.document, path)
            if value is not _ABSENT:
                bucket = values[value]
                del bucket[key]
                if not bucket:
                    del values[value]
        if forget:
            del self._entries[key]

    def get(self, key: str) -> dict[str, Any] | None:
        """The document of that key, or None."""
        entry = self._entries.get(key)
        return None if entry is None else entry.document

    def find(self, wanted: Mapping[str, str | None]) -> list[dict[str, Any]]:
        """The documents with all of these values by path, oldest first."""
        buckets = sorted((self._bucket(*term) for term in wanted.items()), key=len)
        if not buckets:
            return [entry.document for entry in self._entries.values()]
        fewest, *others = buckets
        found = [entry for key, entry in fewest.items() if all(key in other for other in others)]
        found.sort(key=lambda entry: entry.sequence)
        return [entry.document for entry in found]

    def _bucket(self, path: str, value: str | None) -> dict[str, _Entry]:
        values = self._by_path.pop(path, None)
        if values is None:
            if len(self._by_path) >= _MOST_PATHS:
                del self._by_path[next(iter(self._by_path))]
            values = {}
            for key, entry in self._entries.items():
                _add(values, path, key, entry)
        self._by_path[path] = values  # last: the one that was not asked for longest goes first
        return values.get(value, {})


def _add(values: dict[Any, dict[str, _Entry]], path: str, key: str, entry: _Entry) -> None:
    value = _value(entry.document, path)
    if value is not _ABSENT:
        values.setdefault(value, {})[key] = entry


def _value(document: dict[str, Any], path: str) -> Any:
    """What a document has at a path, as text; nothing for objects and lists."""
    name, inner, key = path.partition("/")
    found = document.get(name, _ABSENT)
    if inner:
        found = found.get(key, _ABSENT) if isinstance(found, dict) else _ABSENT
    if found is None or found is _ABSENT:
        return found
    return _ABSENT if isinstance(found, dict | list) else str(found)
