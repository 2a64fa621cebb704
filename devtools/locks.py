"""The locks, compiled from requirements/*.in."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from devtools.environments import uv
from devtools.steps import step

# The oldest Python that each lock must serve: agents may have 3.10, our own tools need not.
LOCKS = {
    "uv": "3.10",
    "admin": "3.11",
    "v1": "3.10",
    "v1-gate": "3.10",
    "v2": "3.10",
    "v2-rest": "3.10",
    "v2-gate": "3.10",
    "local": "3.11",
    "dev": "3.11",
}
# Compiled from another file than requirements/<name>.in.
LOCK_SOURCES = {"local": "pyproject.toml"}
# These ship in the tasks, so they hold no hash that no supported agent needs.
SHIPPED_LOCKS = ("uv", "v1", "v1-gate", "v2", "v2-rest", "v2-gate")


def lock(rest: list[str]) -> None:
    """Compile ``requirements/*.in`` to hash-pinned files that name no index."""
    for name, oldest in LOCKS.items():
        source = LOCK_SOURCES.get(name, f"requirements/{name}.in")
        target = f"requirements/{name}.txt"
        command = [
            *(uv(), "pip", "compile", "--quiet", "--universal", "--generate-hashes"),
            *("--no-header", "--no-emit-index-url", "--python-version", oldest, *rest, source),
        ]
        step(f"compiling {target}", [*command, "--output-file", target])
        if name in SHIPPED_LOCKS:
            with tempfile.TemporaryDirectory() as folder:
                files = str(Path(folder, f"pylock.{name}.toml"))
                pins = ["--constraint", target, "--format", "pylock.toml", "--output-file", files]
                step(f"asking which files {target} names", [*command, *pins])
                step(
                    f"narrowing {target} to what agents can install",
                    [sys.executable, "-m", "extension.locks", target, files],
                )
