"""The sources a job checks out, and what git knows about them."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, kw_only=True)
class Sources:
    """The repository that holds the pipeline file, or the file's folder where there is none.

    Attributes:
        branch: full name, empty when no branch is checked out.
    """

    root: Path
    is_git: bool
    version: str = ""
    branch: str = ""
    author: str = ""
    message: str = ""
    uri: str = ""


def _git(folder: Path, *arguments: str) -> str | None:
    try:
        result = subprocess.run(
            ["git", "-C", str(folder), *arguments],
            capture_output=True,
            text=True,
            encoding="utf-8",
            errors="surrogateescape",
            check=False,
        )
    except OSError:
        return None
    return result.stdout if result.returncode == 0 else None


def find_sources(pipeline: Path) -> Sources:
    """Return the sources that belong to a pipeline file."""
    folder = pipeline.resolve().parent
    top = _git(folder, "rev-parse", "--show-toplevel")
    if top is None:
        return Sources(root=folder, is_git=False)
    root = Path(top.rstrip("\n"))
    log = (_git(root, "log", "-1", "--format=%H%n%an%n%s") or "\n\n\n").split("\n")
    branch = (_git(root, "symbolic-ref", "--quiet", "HEAD") or "").strip()
    uri = (_git(root, "config", "--get", "remote.origin.url") or "").strip()
    return Sources(
        root=root,
        is_git=True,
        version=log[0],
        author=log[1],
        message=log[2],
        branch=branch,
        # A password in the address is nobody's business.
        uri=re.sub(r"(?<=//)[^/@]*@", "", uri) or root.as_uri(),
    )


def copy_sources(sources: Sources, destination: Path, *, without: Path) -> int:
    """Copy tracked and untracked-not-ignored files, or without git all files.

    Args:
        sources: what to copy.
        destination: an empty or absent folder.
        without: a folder that is left out, the one with the runs.

    Returns:
        The number of files copied.
    """
    destination.mkdir(parents=True, exist_ok=True)
    listed = None
    if sources.is_git:
        listed = _git(
            sources.root,
            "ls-files",
            "-z",
            "--cached",
            "--others",
            "--exclude-standard",
            "--deduplicate",
        )
    names = listed.split("\0") if listed is not None else _walk(sources.root, without)
    copied = 0
    for name in names:
        file = sources.root / name
        if file.is_relative_to(without):
            continue
        # A tracked file may be deleted, a submodule is a folder.
        if not name or not os.path.lexists(file) or (file.is_dir() and not file.is_symlink()):
            continue
        target = destination / name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(file, target, follow_symlinks=False)
        copied += 1
    return copied


def _walk(root: Path, without: Path) -> list[str]:
    names = []
    for folder, folders, files in os.walk(root):
        folders[:] = [name for name in folders if Path(folder) / name != without]
        names += [str((Path(folder) / name).relative_to(root)) for name in files]
    return names
