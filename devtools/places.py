"""Where things are, and whether they are up to date."""

from __future__ import annotations

import contextlib
import hashlib
import os
import shutil
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
CALLER = Path.cwd()
ENVS = ROOT / ".envs"
WINDOWS = os.name == "nt"


def stamped(folder: Path, stamp: str) -> bool:
    """Tell whether a folder was finished from this very input."""
    with contextlib.suppress(OSError):
        return (folder / ".stamp").read_text() == stamp
    return False


def stamp_folder(folder: Path, stamp: str) -> None:
    """Say that a folder was finished from this input.

    In a new file: the folder may be a copy that shares its files with another one (``cp -al``).
    """
    place = folder / ".stamp"
    place.unlink(missing_ok=True)
    place.write_text(stamp)


def digest(data: bytes) -> str:
    """Return a content digest as hex digits."""
    return hashlib.sha256(data).hexdigest()


def located(command: list[str]) -> list[str]:
    """Return the command with its program resolved, as Windows needs for npm.cmd."""
    return [shutil.which(command[0]) or command[0], *command[1:]]
