"""Where the file of a blob lies, whatever its name is.

Jobs find most blobs as files of the same path. A file system cannot hold every name that Azure
takes: very long ones, and a blob whose name is a folder of another's. Those lie aside, by a digest.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
from pathlib import Path
from typing import TypedDict

from local.azure.kernel.cloud import Cloud
from local.azure.kernel.http import ServiceError
from local.azure.kernel.tables import Table

CONTAINER_NAME = re.compile(r"\$root|[a-z0-9](?:-?[a-z0-9]){2,62}")
_LONGEST_NAME = 1024  # characters, as the service counts
_LONGEST_PART = 250  # bytes of a file's name
_LONGEST_PATH = 2000  # bytes, of 4096 that Linux takes
_NOT_ON_WINDOWS = re.compile(r'[<>:"|?*\x00-\x1f]|[. ]$')


class _Aside(TypedDict):
    container: str
    name: str


_ASIDE: Table[_Aside] = Table("blob-aside")


def place_of(cloud: Cloud, container: str, name: str) -> Path:
    """The file that holds a blob; it need not exist. Raises ServiceError 400 for a bad name."""
    parts = [part for part in name.split("/") if part]
    illegal = any(part in (".", "..") or "\\" in part or "\0" in part for part in parts)
    if not CONTAINER_NAME.fullmatch(container) or not parts or illegal:
        raise ServiceError(400, "InvalidResourceName", "The resource name is invalid.")
    if len(name) > _LONGEST_NAME:
        raise ServiceError(400, "OutOfRangeInput", "One of the request inputs is out of range.")
    folder = cloud.root / "blobs" / container
    plain = folder.joinpath(*parts)
    aside = _folder_aside(cloud, container) / hashlib.sha256("/".join(parts).encode()).hexdigest()
    if _is_unusual(parts):
        return aside
    if plain.is_file():
        return plain
    parents = list(plain.parents)[: len(parts) - 1]
    taken = plain.is_dir() or any(parent.is_file() for parent in parents)
    return aside if taken or aside.is_file() else plain


def folder_of(cloud: Cloud, container: str, name: str) -> Path | None:
    """The folder of the blobs whose names begin with this one and a slash; None without such."""
    parts = [part for part in name.split("/") if part]
    if _is_unusual(parts):
        return None
    folder = cloud.root.joinpath("blobs", container, *parts)
    return folder if folder.is_dir() else None


def _is_unusual(parts: list[str]) -> bool:
    sizes = [len(os.fsencode(part)) for part in parts]
    if max(sizes) > _LONGEST_PART or sum(sizes) + len(sizes) > _LONGEST_PATH:
        return True
    return os.name == "nt" and any(_NOT_ON_WINDOWS.search(part) for part in parts)


def _folder_aside(cloud: Cloud, container: str) -> Path:
    return cloud.root / "blobs-aside" / container


def note(cloud: Cloud, container: str, name: str, place: Path) -> None:
    """Remember the name of a blob whose file lies aside."""
    if place.parent == _folder_aside(cloud, container):
        _ASIDE.put(cloud, f"{container}/{name}", {"container": container, "name": name})


def forget(cloud: Cloud, container: str, name: str) -> None:
    """A blob is gone."""
    _ASIDE.delete(cloud, f"{container}/{name}")


def forget_all(cloud: Cloud, container: str) -> None:
    """A container is gone."""
    for one in _ASIDE.find(cloud, {"container": container}):
        forget(cloud, container, one["name"])
    shutil.rmtree(_folder_aside(cloud, container), ignore_errors=True)


def names(cloud: Cloud, container: str) -> list[str]:
    """The names of all blobs of a container, in their order."""
    folder = cloud.root / "blobs" / container
    files = (Path(root, file) for root, _, files in os.walk(folder) for file in files)
    plain = {file.relative_to(folder).as_posix() for file in files}
    return sorted(plain | {one["name"] for one in _ASIDE.find(cloud, {"container": container})})
