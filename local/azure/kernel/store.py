"""Documents in SQLite: what the local Azure remembers, by kind and key, across restarts.

One process at a time has the file. So what is listed by `find` is kept in memory as well, with an
index for each member that is asked for.
"""

from __future__ import annotations

import json
import sqlite3
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from local.azure.kernel.index import Index

_SCHEMA = """
CREATE TABLE IF NOT EXISTS documents (
    sequence INTEGER PRIMARY KEY AUTOINCREMENT,
    kind TEXT NOT NULL,
    key TEXT NOT NULL,
    value TEXT NOT NULL,
    UNIQUE (kind, key)
);
CREATE TABLE IF NOT EXISTS numbers (kind TEXT PRIMARY KEY, last INTEGER NOT NULL);
"""


# `list` is a method's name below.
Found = list[dict[str, Any]]
Items = list[tuple[str, dict[str, Any]]]


class AlreadyExists(Exception):  # noqa: N818 -- named for what the service answers
    """A document of this kind and key is already there."""


class Store:
    """A thread-safe map of (kind, key) to a JSON object. Each method is one transaction."""

    def __init__(self, path: Path) -> None:
        """Open or create the database file at `path`."""
        self._lock = threading.RLock()
        self._database = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
        self._database.execute("PRAGMA journal_mode=WAL")
        # A process that dies loses nothing; only a power cut could lose the last transactions.
        self._database.execute("PRAGMA synchronous=NORMAL")
        self._database.executescript(_SCHEMA)
        self._indexes: dict[str, Index] = {}

    def close(self) -> None:
        """Close the database; the store is of no use afterwards."""
        with self._lock:
            self._database.close()

    def get(self, kind: str, key: str) -> dict[str, Any] | None:
        """The document, or None."""
        with self._lock:
            row = self._database.execute(
                "SELECT value FROM documents WHERE kind = ? AND key = ?", (kind, key)
            ).fetchone()
        return None if row is None else _parsed(row[0])

    def put(self, kind: str, key: str, value: dict[str, Any]) -> None:
        """Create or replace a document; a replaced one keeps its place in `list`."""
        text = json.dumps(value)
        with self._lock:
            row = self._database.execute(
                "INSERT INTO documents (kind, key, value) VALUES (?, ?, ?)"
                " ON CONFLICT (kind, key) DO UPDATE SET value = excluded.value RETURNING sequence",
                (kind, key, text),
            ).fetchone()
            self._keep(kind, key, int(row[0]), text)

    def insert(self, kind: str, key: str, value: dict[str, Any]) -> None:
        """Create a document. Raises AlreadyExists."""
        text = json.dumps(value)
        with self._lock:
            try:
                cursor = self._database.execute(
                    "INSERT INTO documents (kind, key, value) VALUES (?, ?, ?)", (kind, key, text)
                )
            except sqlite3.IntegrityError:
                raise AlreadyExists(f"{kind} '{key}' already exists") from None
            self._keep(kind, key, int(cursor.lastrowid or 0), text)

    def update(
        self, kind: str, key: str, change: Callable[[dict[str, Any]], None]
    ) -> dict[str, Any]:
        """Let `change` edit the document in place, atomically; returns it. Raises KeyError."""
        with self._lock:
            value = self.get(kind, key)
            if value is None:
                raise KeyError(key)
            change(value)
            self.put(kind, key, value)
            return value

    def delete(self, kind: str, key: str) -> bool:
        """Remove a document; whether it was there."""
        with self._lock:
            cursor = self._database.execute(
                "DELETE FROM documents WHERE kind = ? AND key = ?", (kind, key)
            )
            if kind in self._indexes:
                self._indexes[kind].remove(key)
            return cursor.rowcount > 0

    def find(self, kind: str, wanted: Mapping[str, str | None] | None = None) -> Found:
        """Documents with all of the values wanted, oldest first; all of the kind by default.

        wanted: by path, which is a member's name, or `name/key` for the value in a map; numbers
        and truth values as `str` writes them. A path is indexed from the first time that it is
        asked for. The documents are shared: read them, never change them.
        """
        with self._lock:
            return self._index(kind).find(wanted or {})

    def look_up(self, kind: str, key: str) -> dict[str, Any] | None:
        """The document, or None. It is shared as those of `find`: read it, never change it."""
        with self._lock:
            return self._index(kind).get(key)

    def _index(self, kind: str) -> Index:
        index = self._indexes.get(kind)
        if index is None:
            rows = self._database.execute(
                "SELECT sequence, key, value FROM documents WHERE kind = ? ORDER BY sequence",
                (kind,),
            )
            index = Index((sequence, key, _parsed(text)) for sequence, key, text in rows)
            self._indexes[kind] = index
        return index

    def _keep(self, kind: str, key: str, sequence: int, text: str) -> None:
        """Follow a change in memory, with a copy that nobody else has."""
        if kind in self._indexes:
            self._indexes[kind].put(sequence, key, _parsed(text))

    def list(self, kind: str, prefix: str = "") -> list[dict[str, Any]]:
        """Documents whose key starts with `prefix`, oldest first; the caller's own copies."""
        with self._lock:
            rows = self._database.execute(
                "SELECT value FROM documents WHERE kind = ? AND key >= ? AND key < ?"
                " ORDER BY sequence",
                (kind, prefix, prefix + "\U0010ffff"),
            ).fetchall()
        return [_parsed(row[0]) for row in rows]

    def items(self, kind: str) -> Items:
        """All documents of a kind with their keys, oldest first; the caller's own copies."""
        with self._lock:
            rows = self._database.execute(
                "SELECT key, value FROM documents WHERE kind = ? ORDER BY sequence", (kind,)
            ).fetchall()
        return [(key, _parsed(text)) for key, text in rows]

    def next_number(self, kind: str) -> int:
        """1, 2, 3, ... for each kind; a number is never given twice."""
        with self._lock:
            row = self._database.execute(
                "INSERT INTO numbers (kind, last) VALUES (?, 1)"
                " ON CONFLICT (kind) DO UPDATE SET last = last + 1 RETURNING last",
                (kind,),
            ).fetchone()
        return int(row[0])

    def raise_number(self, kind: str, least: int) -> None:
        """See to it that `next_number` gives no number up to `least` any more."""
        with self._lock:
            self._database.execute(
                "INSERT INTO numbers (kind, last) VALUES (?, ?)"
                " ON CONFLICT (kind) DO UPDATE SET last = max(last, excluded.last)",
                (kind, least),
            )


def _parsed(text: str) -> dict[str, Any]:
    value: dict[str, Any] = json.loads(text)
    return value
