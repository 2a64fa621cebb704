"""Leave in a lock only the files that a supported agent can install.

``python -m extension.locks LOCK.txt PYLOCK.toml``: LOCK.txt is what ``uv pip compile
--generate-hashes`` wrote, with the hash of every file of every version; PYLOCK.toml (PEP 751) says
which file each hash belongs to. Most are for other Pythons and processors, and hashes do not
compress.

Wheel names: packaging.python.org/en/latest/specifications/binary-distribution-format.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import tomllib

PYTHONS = ("310", "311", "312")
# What agents run on: Linux (glibc and musl), macOS and Windows, on x86-64 and ARM64.
PLATFORM = re.compile(
    r"any|(many|musl)linux\w*_(x86_64|aarch64)|linux_(x86_64|aarch64)"
    r"|macosx_\w+_(x86_64|arm64|universal2|intel)|win_(amd64|arm64)"
)
_HASH = re.compile(r"--hash=sha256:([0-9a-f]{64})")


def installable(file_name: str) -> bool:
    """Whether a wheel fits one of the supported Pythons and platforms."""
    python, abi, platforms = file_name.removesuffix(".whl").rsplit("-", 3)[1:]
    if not any(PLATFORM.fullmatch(platform) for platform in platforms.split(".")):
        return False
    return any(_fits(tag, abi) for tag in python.split("."))


def _fits(tag: str, abi: str) -> bool:
    if tag in ("py3", *(f"py{version}" for version in PYTHONS)):
        return True
    if abi == "abi3":  # for this Python and every later one
        return tag.startswith("cp3") and int(tag.removeprefix("cp3")) <= int(PYTHONS[-1][1:])
    return tag in {f"cp{version}" for version in PYTHONS}


def useless(package: dict[str, Any]) -> Iterator[str]:
    """The SHA-256 of each file of a package that no supported agent installs."""
    wheels = package.get("wheels", [])
    useful = [wheel for wheel in wheels if installable(_name(wheel))]
    for wheel in wheels:
        if wheel not in useful:
            yield wheel["hashes"]["sha256"]
    # Where no wheel fits, an agent builds the package from its sources.
    everywhere = any(_name(wheel).endswith("-none-any.whl") for wheel in useful)
    if everywhere and "sdist" in package:
        yield package["sdist"]["hashes"]["sha256"]


def _name(wheel: dict[str, Any]) -> str:
    return str(wheel.get("name") or wheel["url"].rsplit("/", 1)[1])


def narrowed(lock: str, pylock: dict[str, Any]) -> str:
    """The lock without the hashes of useless files; each requirement keeps at least one."""
    dropped = {digest for package in pylock["packages"] for digest in useless(package)}
    kept: list[str] = []
    for line in lock.splitlines():
        found = _HASH.search(line)
        if found is None or found[1] not in dropped:
            kept.append(line)
    text = "\n".join(kept) + "\n"
    # The last hash of a requirement has no line that goes on.
    return re.sub(r" \\\n(?! {4}--hash)", "\n", text)


def main() -> None:
    """Narrow a lock in place."""
    lock, pylock = (Path(argument) for argument in sys.argv[1:3])
    found = tomllib.loads(pylock.read_text(encoding="utf-8"))
    lock.write_text(narrowed(lock.read_text(encoding="utf-8"), found), encoding="utf-8")


if __name__ == "__main__":
    main()
