"""A download that breaks off, from a loopback service that does what blob storage does."""

from __future__ import annotations

import base64
import hashlib
import http.server
import logging
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import requests

from amltasks import errors
from amltasks.workspace.downloads import download

CONTENT = bytes(range(256)) * 1000


@dataclass
class Blob:
    """What is served. cuts: bytes after which the next answers break off."""

    url: str = ""
    content: bytes = CONTENT
    tag: str = '"1"'
    md5: str = ""
    cuts: list[int] = field(default_factory=list)
    ranged: bool = True
    asked: list[str] = field(default_factory=list)


@pytest.fixture
def blob() -> Iterator[Blob]:
    kept = Blob(md5=base64.b64encode(hashlib.md5(CONTENT, usedforsecurity=False).digest()).decode())

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            wanted = self.headers.get("Range", "")
            kept.asked.append(wanted)
            first = int(wanted.removeprefix("bytes=").rstrip("-") or 0)
            part = first and kept.ranged and self.headers.get("If-Range") == kept.tag
            body = kept.content[first:] if part else kept.content
            self.send_response(206 if part else 200)
            self.send_header("Content-Length", str(len(body)))
            self.send_header("ETag", kept.tag)
            self.send_header("x-ms-blob-content-md5" if part else "Content-MD5", kept.md5)
            self.end_headers()
            self.wfile.write(body[: kept.cuts.pop(0)] if kept.cuts else body)

        def log_message(self, *_: object) -> None:
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    kept.url = f"http://127.0.0.1:{server.server_port}/model.bin"
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield kept
    server.shutdown()
    server.server_close()


def fetch(blob: Blob, target: Path) -> None:
    with requests.Session() as session:
        download(session, blob.url, target, pause=lambda _: None)


@pytest.mark.parametrize("ranged", [True, False])
def test_it_goes_on_where_it_broke_off(
    blob: Blob, tmp_path: Path, caplog: pytest.LogCaptureFixture, ranged: bool
) -> None:
    blob.cuts, blob.ranged = [100_000, 70_000], ranged
    with caplog.at_level(logging.INFO, logger="amltasks"):
        fetch(blob, tmp_path / "deep" / "model.bin")
    assert (tmp_path / "deep" / "model.bin").read_bytes() == CONTENT
    assert blob.asked[0] == "" and blob.asked[1] == "bytes=65536-"
    assert "broke off after 65,536 bytes" in caplog.text
    assert [path.name for path in (tmp_path / "deep").iterdir()] == ["model.bin"]


def test_a_file_that_changed_meanwhile_is_read_anew(blob: Blob, tmp_path: Path) -> None:
    blob.cuts = [100_000]
    whole = blob.content

    class Changing(list[int]):
        def pop(self, *_: object) -> int:
            blob.tag, blob.content = '"2"', whole[::-1]
            blob.md5 = base64.b64encode(
                hashlib.md5(blob.content, usedforsecurity=False).digest()
            ).decode()
            return int(super().pop(0))

    blob.cuts = Changing([100_000])
    fetch(blob, tmp_path / "model.bin")
    assert (tmp_path / "model.bin").read_bytes() == whole[::-1]


@pytest.mark.parametrize("cuts", [[], [100_000]])
def test_content_that_is_not_what_its_md5_says_is_not_kept(
    blob: Blob, tmp_path: Path, cuts: list[int]
) -> None:
    blob.cuts, blob.content = cuts, CONTENT[:-1] + b"x"
    with pytest.raises(errors.TaskError, match="DOWNLOAD_DAMAGED"):
        fetch(blob, tmp_path / "model.bin")
    assert list(tmp_path.iterdir()) == []


def test_it_gives_up_when_nothing_new_comes(blob: Blob, tmp_path: Path) -> None:
    blob.cuts = [0] * 20
    with pytest.raises(requests.exceptions.RequestException):
        fetch(blob, tmp_path / "model.bin")
    assert len(blob.asked) == 5
    assert list(tmp_path.iterdir()) == []


def test_without_an_md5_the_length_decides(blob: Blob, tmp_path: Path) -> None:
    blob.md5 = ""
    fetch(blob, tmp_path / "model.bin")
    assert (tmp_path / "model.bin").read_bytes() == CONTENT
