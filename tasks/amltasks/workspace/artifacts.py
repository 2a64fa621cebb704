"""Names of a run's files: which of them a path means, and where each goes on this machine."""

from __future__ import annotations

from pathlib import Path, PurePosixPath

from amltasks import errors


def holds(path: str, name: str) -> bool:
    """Whether ``path`` means the artifact ``name``: it is that file or a folder above it."""
    wanted, parts = PurePosixPath(path).parts, PurePosixPath(name).parts
    return bool(wanted) and parts[: len(wanted)] == wanted


def inside(folder: Path, name: str) -> Path:
    """Where an artifact goes under ``folder``.

    Raises:
        TaskError: ``REFUSED`` when the name would lead out of ``folder``.
    """
    target = (folder / name).resolve()
    if not target.is_relative_to(folder.resolve()):
        raise errors.REFUSED.error(doing="downloading", detail=f"the path '{name}' leads outside")
    return target
