"""The .vsix in build/, built when anything that goes into it changed."""

from __future__ import annotations

import contextlib
import json
from pathlib import Path

from devtools.environments import node_modules, python
from devtools.places import ROOT, digest
from devtools.steps import step

SHIPPED = (
    *("extension", "tasks", "requirements", "CHANGELOG.md", "LICENSE", "vss-extension.json"),
    *("package-lock.json", "docs/security.md", "docs/troubleshooting.md"),
)


def build_vsix() -> Path:
    """Return the .vsix in ``build/``, built again when anything that goes into it changed."""
    stamp, built = shipped(), ROOT / "build" / ".vsix.json"
    with contextlib.suppress(OSError, ValueError, KeyError):
        found = json.loads(built.read_text(encoding="utf-8"))
        path = Path(found["path"])
        if found["stamp"] == stamp and digest(path.read_bytes()) == found["digest"]:
            return path
    environment = python()
    node_modules()
    output = step(
        "building the extension",
        [environment, "-m", "extension.package", "--out", "build"],
        following="mend what the lines above name",
    )
    path = Path(output.strip().splitlines()[-1])
    told = {"stamp": stamp, "path": str(path), "digest": digest(path.read_bytes())}
    built.write_text(json.dumps(told), encoding="utf-8")
    return path


def shipped() -> str:
    """Return a digest of all sources of the extension."""
    named = [ROOT / name for name in SHIPPED]
    files = [file for path in named for file in (path.rglob("*") if path.is_dir() else [path])]
    sources = sorted(f for f in files if f.is_file() and "__pycache__" not in f.parts)
    told = [f"{f.relative_to(ROOT).as_posix()} {digest(f.read_bytes())}" for f in sources]
    return digest("\n".join(told).encode())
