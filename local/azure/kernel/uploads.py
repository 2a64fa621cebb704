"""Bodies that may be large: in memory while they are small, else in a file of their own."""

from __future__ import annotations

import base64
import hashlib
import io
import shutil
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

# The folder of uploads in the state.
UPLOADS = "uploads"
# From this size on a body is in a file.
LARGE = 1024 * 1024
_CHUNK = 256 * 1024


@dataclass(frozen=True, kw_only=True)
class FilePart:
    """A part of an open file that is an answer's body; whoever sends it closes the file."""

    file: BinaryIO
    first: int
    size: int

    def chunks(self) -> Iterator[bytes]:
        """The bytes, in parts of up to 256 KiB; fewer in all when the file was cut short."""
        self.file.seek(self.first)
        left = self.size
        while left > 0 and (data := self.file.read(min(_CHUNK, left))):
            left -= len(data)
            yield data


@dataclass(kw_only=True)
class Upload:
    """The body of a request, which is written as it comes in.

    folder: where a large one is put, made when absent. Whoever made the upload ends it by `close`.
    """

    folder: Path
    size: int = 0
    _digest: hashlib._Hash = field(
        default_factory=lambda: hashlib.md5(usedforsecurity=False), init=False
    )
    _file: BinaryIO = field(default_factory=io.BytesIO, init=False)
    _path: Path | None = field(default=None, init=False)

    def write(self, data: bytes) -> None:
        """Add what came in. Raises OSError, for example when the disk is full."""
        self._digest.update(data)
        if self._path is None and self.size + len(data) >= LARGE:
            self._spool()
        self._file.write(data)
        self.size += len(data)

    def _spool(self) -> None:
        self.folder.mkdir(exist_ok=True)
        self._path = self.folder / uuid.uuid4().hex
        before = self._file
        self._file = self._path.open("w+b")
        before.seek(0)
        shutil.copyfileobj(before, self._file)

    @property
    def md5(self) -> str:
        """The digest of what came in, as HTTP's Content-MD5 has it."""
        return base64.b64encode(self._digest.digest()).decode()

    def read(self) -> bytes:
        """All of it, in memory."""
        self._file.seek(0)
        return self._file.read()

    def copy_to(self, file: BinaryIO) -> None:
        """Add all of it to an open file."""
        self._file.seek(0)
        shutil.copyfileobj(self._file, file, _CHUNK)

    def move_to(self, place: Path) -> None:
        """Make it a file at `place` at once, also where there is one; it can be read no more."""
        if self._path is None:
            self._spool()
        assert self._path is not None  # noqa: S101  (as _spool has set it)
        self._file.close()
        self._path.replace(place)
        self._path = None

    def close(self) -> None:
        """Forget it."""
        self._file.close()
        if self._path is not None:
            self._path.unlink(missing_ok=True)


def upload_of(folder: Path, data: bytes) -> Upload:
    """An upload of bytes that are here already."""
    made = Upload(folder=folder)
    made.write(data)
    return made
