"""A folder of wheels with which the launcher makes its environments without a network.

`python3 dev.py package --offline DIR` fills it by pip, hash by hash from the locks that the tasks
ship. Name the agent's system and Python where they are not this machine's.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from extension.sources import ROOT, PackagingError

LOCKS = {
    "v2": ("v2-rest.txt", "v2.txt", "v2-gate.txt", "uv.txt"),
    "v1": ("v1.txt", "v1-gate.txt", "uv.txt"),
}


def commands(
    folder: Path, sdks: Sequence[str], platforms: Sequence[str], python: str
) -> Iterator[list[str]]:
    """The calls of pip, one for each lock.

    sdks: v1, v2 or both. platforms: as pip names them (`manylinux_2_28_x86_64`, `win_amd64`), the
    most wanted first; none for this machine's. python: such as `3.11`, '' for this one.
    """
    for lock in dict.fromkeys(name for sdk in sdks for name in LOCKS[sdk]):
        command = [sys.executable, "-m", "pip", "download", "--quiet"]
        command += ["--disable-pip-version-check", "--require-hashes", "--no-deps"]
        command += ["--only-binary=:all:", "--requirement", str(ROOT / "requirements" / lock)]
        for platform in platforms:
            command += ["--platform", platform]
        if python:
            command += ["--python-version", python]
        yield [*command, "--dest", str(folder)]


def fill(folder: Path, sdks: Sequence[str], platforms: Sequence[str] = (), python: str = "") -> str:
    """Fill a folder; returns its size in a sentence.

    Raises:
        PackagingError: pip could not get a wheel.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for command in commands(folder, sdks, platforms, python):
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            said = "\n".join(line for line in done.stderr.splitlines() if "WARNING" not in line)
            raise PackagingError(
                f"the wheels were not all downloaded:\n{said}\n"
                "Next: check the package index and --platform and --python-version."
            )
    files = [path for path in folder.iterdir() if path.suffix == ".whl"]
    size = sum(path.stat().st_size for path in files)
    return f"{folder}: {size / 1e6:,.0f} MB in {len(files)} wheels"
