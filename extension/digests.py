"""Digests of what each task ships, by which a change is told from none."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

# Members of task.json that follow a change and are none.
_NOT_CONTENT = ("version", "releaseNotes")


def digest(folder: Path) -> str:
    """A digest of what a staged task ships, but for its version and its release notes."""
    told = hashlib.sha256()
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            name = path.relative_to(folder).as_posix()
            content = hashlib.sha256(_content(path)).hexdigest()
            told.update(f"{name} {content}\n".encode())
    return told.hexdigest()


def _content(path: Path) -> bytes:
    if path.name not in ("task.json", "task.loc.json"):
        return path.read_bytes()
    task = json.loads(path.read_text(encoding="utf-8"))
    kept = {name: value for name, value in task.items() if name not in _NOT_CONTENT}
    return json.dumps(kept, sort_keys=True).encode()


def digests(staged: Path) -> dict[str, str]:
    """The digests of all tasks in a staged extension, by folder."""
    return {folder.name: digest(folder) for folder in sorted((staged / "tasks").iterdir())}
