"""The sources that a job checks out, and what git knows about them.

A job gets a clone, as from the real agent, with the files as they are on disk put over it: what is
not committed yet is tried, too, and `git log` works.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from local.agent.errors import AgentError


@dataclass(frozen=True, kw_only=True)
class Sources:
    """The repository that holds the pipeline file, or the file's folder where there is none.

    Attributes:
        branch: full name, empty when no branch is checked out.
        message: the first line of the commit's message, cut as the service cuts it.
    """

    root: Path
    is_git: bool
    version: str = ""
    branch: str = ""
    author: str = ""
    message: str = ""
    uri: str = ""


# A git hook that starts the agent has these set, to its own repository.
_REDIRECTIONS = ("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE")
_MESSAGE_LENGTH = 200


def _git(folder: Path, *arguments: str) -> str | None:
    try:
        result = subprocess.run(
            ["git", "-C", str(folder), *arguments],
            env={name: text for name, text in os.environ.items() if name not in _REDIRECTIONS},
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
    log = (_git(root, "log", "-1", "--format=%H%n%an%n%B") or "\n\n\n").split("\n")
    branch = (_git(root, "symbolic-ref", "--quiet", "HEAD") or "").strip()
    uri = (_git(root, "config", "--get", "remote.origin.url") or "").strip()
    return Sources(
        root=root,
        is_git=True,
        version=log[0],
        author=log[1],
        message=log[2][:_MESSAGE_LENGTH],
        branch=branch,
        # Never show a password that is part of the address.
        uri=re.sub(r"(?<=//)[^/@]*@", "", uri) or root.as_uri(),
    )


def check_out(sources: Sources, destination: Path, *, depth: int, tags: bool) -> None:
    """Clone the repository without its files, with no branch checked out, as the real agent does.

    Args:
        sources: what to clone; without git or without a commit nothing is done.
        destination: an empty or absent folder, or one that has the clone.
        depth: how many commits of history, 0 for all.
        tags: whether tags come along.

    Raises:
        AgentError: git cannot clone.
    """
    if not sources.version or (destination / ".git").exists():
        return
    options = ["--quiet", "--no-checkout"]
    if depth:
        options.append(f"--depth={depth}")
    if not tags:
        options.append("--no-tags")
    origin = sources.root.as_uri() if depth else str(sources.root)
    destination.mkdir(parents=True, exist_ok=True)
    steps = [
        ["clone", *options, "--", origin, str(destination)],
        ["update-ref", "--no-deref", "HEAD", sources.version],
        ["reset", "--quiet"],
        ["remote", "set-url", "origin", sources.uri],
    ]
    if sources.branch:
        steps.append(["branch", "--quiet", "-D", sources.branch.removeprefix("refs/heads/")])
    for step in steps:
        if _git(destination, *step) is None:
            raise AgentError(
                f"checkout: git could not clone {sources.root} (git {step[0]} failed); try "
                f"'git clone {sources.root}' to see why"
            )


def copy_sources(sources: Sources, destination: Path, *, without: Path) -> int:
    """Copy tracked and untracked, not ignored files, or without git all files.

    Args:
        sources: what to copy.
        destination: an absent folder, or one without these files.
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
