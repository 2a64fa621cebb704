"""What is in a .vsix and what it weighs, next to two well-known extensions."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

OTHERS = {
    # From threads in which people met the limits of their servers.
    "JFrog (jfrog/jfrog-azure-devops-extension#454, October 2023)": 29_183_762,
    "Power Platform (microsoft/powerplatform-build-tools#1443, August 2026)": 119_477_122,
}


def report(vsix: Path) -> Iterator[str]:
    """Lines that tell the size of a .vsix in kB, and of its parts as they are compressed."""
    with zipfile.ZipFile(vsix) as archive:
        entries = archive.infolist()
    parts: dict[str, tuple[int, int]] = {}
    for entry in entries:
        name = part_of(PurePosixPath(entry.filename))
        count, size = parts.get(name, (0, 0))
        parts[name] = (count + 1, size + entry.compress_size)
    total = vsix.stat().st_size
    yield f"{vsix.name}: {total / 1000:,.0f} kB, {len(entries)} files"
    for name, (count, size) in sorted(parts.items(), key=lambda part: -part[1][1]):
        yield f"  {size / 1000:8,.0f} kB  {name} ({count})"
    for name, size in OTHERS.items():
        yield f"  {size / total:8,.0f} times as large: {name}"


def part_of(path: PurePosixPath) -> str:
    """Which part of the extension an entry belongs to."""
    if path.parts[0] == "tasks":
        folder = path.parts[2]
        kinds = {
            "python": "the tasks' Python code",
            "requirements": "locks with hashes",
            "Strings": "translations",
            "launcher.js": "launcher",
            "cleanUp.js": "launcher",
        }
        return kinds.get(folder, "task.json, icons and licences of tasks")
    if path.parts[:2] == ("extension", "tab"):
        return "report tab and widget"
    if path.suffix == ".png":
        return "pictures"
    return "manifest, texts and bill of materials"
