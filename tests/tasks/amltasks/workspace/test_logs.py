"""Following log files: nothing lost, nothing twice, however the bytes arrive."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
import requests
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from amltasks.workspace.logs import LogReader

NAME = "user_logs/std_log.txt"


class Blobs:
    """A blob server in small: ranges as Azure answers them."""

    def __init__(self) -> None:
        self.content: dict[str, bytes] = {}
        self.ranges = True
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                data = outer.content.get(self.path)
                begin = int(self.headers["Range"].removeprefix("bytes=").removesuffix("-"))
                if data is None:
                    status, data = 404, b""
                elif not outer.ranges:
                    status = 200
                elif begin >= len(data):
                    status, data = 416, b""
                else:
                    status, data = 206, data[begin:]
                self.send_response(status)
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            def log_message(self, format: str, *args: object) -> None:
                """Say nothing."""

        self.server = HTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"


@pytest.fixture(scope="module")
def blobs() -> Iterator[Blobs]:
    found = Blobs()
    thread = threading.Thread(target=found.server.serve_forever)
    thread.start()
    yield found
    found.server.shutdown()
    thread.join()
    found.server.server_close()


@pytest.fixture(scope="module")
def session() -> Iterator[requests.Session]:
    with requests.Session() as found:
        found.trust_env = False
        yield found


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=25)
@given(
    parts=st.lists(st.text(st.sampled_from("ab\nä "), max_size=12).map(str.encode), max_size=6),
    ranges=st.booleans(),
)
def test_lines_come_once_and_whole(
    blobs: Blobs, session: requests.Session, parts: list[bytes], ranges: bool
) -> None:
    blobs.content, blobs.ranges = {}, ranges
    reader, files, lines = LogReader(session=session), {NAME: f"{blobs.url}/log"}, []
    for part in parts:
        blobs.content["/log"] = blobs.content.get("/log", b"") + part
        lines += reader.new_lines(files, last=False)
    lines += reader.new_lines(files, last=True)
    expected = b"".join(parts).decode().removesuffix("\n").split("\n") if any(parts) else []
    assert lines == [line.rstrip() for line in expected]
    assert reader.new_lines(files, last=True) == []


def test_only_the_steps_own_logs_are_shown(blobs: Blobs, session: requests.Session) -> None:
    blobs.ranges = True
    names = {
        "azureml-logs/70_driver_log.txt": ["driver"],
        "azureml-logs/process_info.json": [],
        "logs/azureml/executionlogs.txt": [],
        "system_logs/cs_capability/x.log": [],
        NAME: ["std"],
    }
    blobs.content = {f"/{name}": name.encode() for name in names}
    blobs.content["/azureml-logs/70_driver_log.txt"] = b"driver"
    blobs.content[f"/{NAME}"] = b"std"
    reader = LogReader(session=session)
    files = {name: f"{blobs.url}/{name}" for name in names}
    assert reader.new_lines(files, last=True) == ["driver", "std"]


def test_of_a_progress_bar_the_end_is_kept(blobs: Blobs, session: requests.Session) -> None:
    blobs.ranges, blobs.content = True, {"/log": b"\r 1/2\r 2/2 done\r\nnext\xff\n"}
    reader = LogReader(session=session)
    assert reader.new_lines({NAME: f"{blobs.url}/log"}, last=True) == [" 2/2 done", "next\ufffd"]
