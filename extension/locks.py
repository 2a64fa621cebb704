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
_SYSTEM = re.compile(
    r"(manylinux|musllinux|linux|macosx|win)\w*?_(x86_64|aarch64|amd64|arm64|universal2|intel)"
)
_PROCESSORS = {"universal2": ("arm64", "x86_64"), "intel": ("x86_64",)}
_PYTHON = re.compile(r"python_full_version (<|>=) '3\.(\d+)'")
_HASH = re.compile(r"--hash=sha256:([0-9a-f]{64})")


def installable(file_name: str, pythons: tuple[str, ...] = PYTHONS) -> bool:
    """Whether a wheel fits one of these Pythons and one of the supported platforms."""
    python, abi, platforms = file_name.removesuffix(".whl").rsplit("-", 3)[1:]
    if not any(PLATFORM.fullmatch(platform) for platform in platforms.split(".")):
        return False
    return any(_fits(tag, abi, pythons) for tag in python.split("."))


def _fits(tag: str, abi: str, pythons: tuple[str, ...]) -> bool:
    if tag in ("py3", *(f"py{version}" for version in pythons)):
        return True
    if abi == "abi3":  # for this Python and every later one
        least = tag.removeprefix("cp3")
        return least.isdigit() and any(int(least) <= int(version[1:]) for version in pythons)
    return tag in {f"cp{version}" for version in pythons}


def pythons_of(marker: str) -> tuple[str, ...]:
    """The supported Pythons that a package with this marker is for; in doubt all."""
    if " or " in marker:
        return PYTHONS
    found: tuple[str, ...] = PYTHONS
    for sign, minor in _PYTHON.findall(marker):
        least = sign == ">="
        found = tuple(one for one in found if (int(one[1:]) >= int(minor)) == least)
    return found


def systems(file_name: str) -> set[str]:
    """The operating systems with processor that a wheel is for, empty for one that is for all.

    glibc and musl are two systems: a wheel for the one is none for the other.
    """
    found = set()
    for platform in file_name.removesuffix(".whl").rsplit("-", 1)[1].split("."):
        if match := _SYSTEM.fullmatch(platform):
            kind = "manylinux" if match[1] == "linux" else match[1]
            for processor in _PROCESSORS.get(match[2], (match[2],)):
                found.add(f"{kind} {processor}")
    return found


def reachable(packages: list[dict[str, Any]]) -> set[str] | None:
    """The systems on which a whole lock can be installed; None: all.

    A package that every agent needs, and that is there as wheels only, leaves out the systems that
    it has no wheel for. No other package's files for those systems are of any use.
    """
    found: set[str] | None = None
    for package in packages:
        if "marker" in package or "sdist" in package:
            continue
        wheels = [_name(wheel) for wheel in package.get("wheels", [])]
        if not wheels or any(name.endswith("-any.whl") for name in wheels):
            continue
        here = set().union(*(systems(name) for name in wheels if installable(name)))
        found = here if found is None else found & here
    return found


def useless(package: dict[str, Any], within: set[str] | None = None) -> Iterator[str]:
    """The SHA-256 of each file of a package that no supported agent installs.

    within: the systems that the lock is for, None for all.
    """
    wheels = package.get("wheels", [])
    pythons = pythons_of(package.get("marker", ""))
    useful = [
        wheel
        for wheel in wheels
        if installable(_name(wheel), pythons) and _within(systems(_name(wheel)), within)
    ]
    if not useful and "sdist" not in package:
        return  # For no agent, and yet a lock must have a hash for each line.
    for wheel in wheels:
        if wheel not in useful:
            yield wheel["hashes"]["sha256"]
    # Where no wheel fits, an agent builds the package from its sources.
    everywhere = any(_name(wheel).endswith("-none-any.whl") for wheel in useful)
    if everywhere and "sdist" in package:
        yield package["sdist"]["hashes"]["sha256"]


def _within(found: set[str], within: set[str] | None) -> bool:
    return not found or within is None or bool(found & within)


def _name(wheel: dict[str, Any]) -> str:
    return str(wheel.get("name") or wheel["url"].rsplit("/", 1)[1])


def narrowed(lock: str, pylock: dict[str, Any]) -> str:
    """The lock without the hashes of useless files; each requirement keeps at least one."""
    within = reachable(pylock["packages"])
    dropped = {digest for package in pylock["packages"] for digest in useless(package, within)}
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
