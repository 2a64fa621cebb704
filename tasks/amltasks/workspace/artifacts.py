"""Names of a run's files: which belong to a path, and where they go on this machine."""

from __future__ import annotations

from pathlib import Path, PurePosixPath

from amltasks import errors


def holds(path: str, name: str) -> bool:
    """Whether the artifact ``name`` is ``path`` or lies under it."""
    wanted, parts = PurePosixPath(path).parts, PurePosixPath(name).parts
    return bool(wanted) and parts[: len(wanted)] == wanted


def inside(folder: Path, name: str) -> Path:
    """Where an artifact goes under ``folder``.

    Raises:
        TaskError: ``REFUSED`` when its name would lead outside, as no honest artifact's does.
    """
    target = (folder / name).resolve()
    if not target.is_relative_to(folder.resolve()):
        raise errors.REFUSED.error(doing="downloading", detail=f"the path '{name}' leads outside")
    return target
