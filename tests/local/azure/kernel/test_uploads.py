"""Bodies that come in: in memory while small, in a file when large."""

from __future__ import annotations

import base64
import hashlib
import io

import pytest

from local.azure.kernel.uploads import LARGE, FilePart, Upload, upload_of

SIZES = [0, 1, LARGE - 1, LARGE, LARGE + 1]


@pytest.mark.parametrize("size", SIZES)
def test_what_came_in_is_there(tmp_path, size):
    data = bytes(index % 251 for index in range(size))
    upload = Upload(folder=tmp_path / "uploads")
    for start in range(0, size, 300_000):
        upload.write(data[start : start + 300_000])
    assert (upload.size, upload.read()) == (size, data)
    copy = io.BytesIO(b"")
    upload.copy_to(copy)
    assert copy.getvalue() == data
    expected = hashlib.md5(data, usedforsecurity=False).digest()
    assert base64.b64decode(upload.md5) == expected
    assert (tmp_path / "uploads").exists() is (size >= LARGE)
    upload.close()
    assert not list(tmp_path.glob("uploads/*"))


@pytest.mark.parametrize("size", [3, LARGE])
def test_it_becomes_a_file_at_once_also_over_another(tmp_path, size):
    place = tmp_path / "blob"
    place.write_bytes(b"before")
    upload = upload_of(tmp_path / "uploads", b"x" * size)
    upload.move_to(place)
    upload.close()
    assert place.read_bytes() == b"x" * size
    assert not list((tmp_path / "uploads").iterdir())


def test_part_of_a_file(tmp_path):
    file = tmp_path / "file"
    file.write_bytes(b"0123456789" * 100_000)
    with file.open("rb") as opened:
        part = b"".join(FilePart(file=opened, first=5, size=600_000).chunks())
        assert part == (b"0123456789" * 100_000)[5:600_005]
        short = b"".join(FilePart(file=opened, first=999_990, size=600_000).chunks())
        assert short == b"0123456789"
