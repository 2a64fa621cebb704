import hashlib
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from sources import SourceError, fetch, shown

CONTENT = b"text,label\nnice,0\n"


class Handler(BaseHTTPRequestHandler):
    asked: list[str]

    def do_GET(self) -> None:
        self.asked.append(self.path)
        if self.path.startswith("/missing"):
            self.send_error(404)
            return
        self.send_response(200)
        promised = len(CONTENT) + (9 if self.path.startswith("/cut") else 0)
        self.send_header("Content-Length", str(promised))
        self.end_headers()
        self.wfile.write(CONTENT)

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture
def file_server(monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[str, list[str]]]:
    """The address of an HTTP server on loopback, and the list of paths it was asked for."""
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    asked: list[str] = []
    handler = type("Asked", (Handler,), {"asked": asked})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=[0.05])
        thread.start()
        yield f"http://127.0.0.1:{server.server_address[1]}", asked
        server.shutdown()
        thread.join()


def test_path_is_used_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_bytes(CONTENT)
    assert fetch(str(tmp_path / "a.csv"), tmp_path / "unused") == tmp_path / "a.csv"
    assert not (tmp_path / "unused").exists()


def test_url_is_downloaded_once(file_server: tuple[str, list[str]], tmp_path: Path) -> None:
    address, asked = file_server
    first = fetch(f"{address}/a.csv", tmp_path / "cache")
    assert first.read_bytes() == CONTENT
    assert fetch(f"{address}/a.csv", tmp_path / "cache") == first
    assert asked == ["/a.csv"]


def test_digest_is_checked(file_server: tuple[str, list[str]], tmp_path: Path) -> None:
    address, asked = file_server
    right = hashlib.sha256(CONTENT).hexdigest()
    assert fetch(f"{address}/a.csv#sha256={right}", tmp_path).read_bytes() == CONTENT
    with pytest.raises(SourceError, match="was asked for"):
        fetch(f"{address}/b.csv#sha256={'0' * 64}", tmp_path)
    assert len(list(tmp_path.iterdir())) == 1
    assert asked == ["/a.csv", "/b.csv"]


def test_damaged_copy_is_downloaded_again(
    file_server: tuple[str, list[str]], tmp_path: Path
) -> None:
    address, _ = file_server
    source = f"{address}/a.csv#sha256={hashlib.sha256(CONTENT).hexdigest()}"
    fetch(source, tmp_path).write_bytes(b"damaged")
    assert fetch(source, tmp_path).read_bytes() == CONTENT


@pytest.mark.parametrize("path", ["/missing.csv", "/cut.csv"])
def test_failed_download_leaves_nothing(
    path: str, file_server: tuple[str, list[str]], tmp_path: Path
) -> None:
    with pytest.raises(SourceError, match="Next: "):
        fetch(file_server[0] + path, tmp_path)
    assert not list(tmp_path.iterdir())


def test_unreachable_server(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=r"cannot be downloaded"):
        fetch("http://127.0.0.1:1/a.csv", tmp_path)


def test_only_http(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="only http and https"):
        fetch("ftp://example.org/a.csv", tmp_path)


def test_signature_is_never_shown(file_server: tuple[str, list[str]], tmp_path: Path) -> None:
    with pytest.raises(SourceError) as error:
        fetch(f"{file_server[0]}/missing.csv?sig=secret#sha256=1", tmp_path)
    assert "secret" not in str(error.value)
    assert shown("https://example.org/a.csv?sig=secret#sha256=1") == "https://example.org/a.csv"
    assert shown("data/a#1.csv") == "data/a#1.csv"
