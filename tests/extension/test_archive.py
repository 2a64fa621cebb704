"""The zip of libdeflate, read by others."""

from __future__ import annotations

import io
import shutil
import subprocess
import zipfile
from pathlib import Path

import pytest

from extension import archive

ENTRIES = {
    "[Content_Types].xml": b"<Types/>",
    "empty.txt": b"",
    "folder/über.txt": "Grüße ".encode() * 10_000,
    "noise.bin": bytes((7 * at * at + at // 3) % 256 for at in range(5000)),
}


def test_python_reads_it_and_it_is_smaller_than_zlibs() -> None:
    packed = archive.packed(ENTRIES)
    with zipfile.ZipFile(io.BytesIO(packed)) as found:
        assert found.testzip() is None
        assert {name: found.read(name) for name in found.namelist()} == ENTRIES
        assert {entry.date_time for entry in found.infolist()} == {(1980, 1, 1, 0, 0, 0)}
        assert {entry.external_attr >> 16 for entry in found.infolist()} == {0o100644}
    text = b"".join(
        path.read_bytes() for path in sorted(Path(archive.__file__).parent.glob("*.py"))
    )
    plain = io.BytesIO()
    with zipfile.ZipFile(plain, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as made:
        made.writestr("text.py", text)
    assert len(archive.packed({"text.py": text})) < len(plain.getvalue())


def test_the_same_contents_give_the_same_bytes() -> None:
    assert archive.packed(ENTRIES) == archive.packed(dict(ENTRIES))


@pytest.mark.skipif(shutil.which("unzip") is None, reason="Info-ZIP is not installed")
def test_info_zip_reads_it(tmp_path: Path) -> None:
    path = tmp_path / "made.zip"
    path.write_bytes(archive.packed(ENTRIES))
    done = subprocess.run(["unzip", "-tq", path], check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
