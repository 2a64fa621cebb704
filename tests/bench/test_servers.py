"""Asking a server: its answers, its CPU time, and one that is not there or refuses."""

from __future__ import annotations

import os
import socket
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import psutil
import pytest

from bench.measure import Spent
from bench.servers import Server, answers, asked, environment, spent


class _Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self._say(200 if self.path == "/" else 404, b"Healthy")

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self._say(500 if body == b"bad" else 200, body[::-1])

    def _say(self, status: int, body: bytes) -> None:
        self.send_response(status)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    with ThreadingHTTPServer(("127.0.0.1", 0), _Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server.server_port
        server.shutdown()
        thread.join()


def test_the_last_answer_is_returned(port: int) -> None:
    assert asked(port, "POST", "/score", "abc", 3) == (200, "cba")
    assert asked(port, "GET", "/absent", "", 1)[0] == 404


def test_a_server_is_up_once_it_answers(port: int) -> None:
    assert answers(port)
    with socket.create_server(("127.0.0.1", 0)) as unused:
        free = unused.getsockname()[1]
    assert not answers(free)


def test_what_a_request_takes_is_told_for_each(port: int) -> None:
    server = Server(port=port, process=psutil.Process(), ready=Spent(wall_s=0, cpu_s=0))
    found = spent(server, "abc", requests=5, clients=2)
    assert found.wall_s > 0
    assert found.cpu_s >= 0


def test_a_refusal_is_no_measurement(port: int) -> None:
    server = Server(port=port, process=psutil.Process(), ready=Spent(wall_s=0, cpu_s=0))
    with pytest.raises(RuntimeError, match="the server answered 500: dab"):
        spent(server, "bad", requests=2, clients=1)


def test_the_server_gets_what_azure_ml_gives_it() -> None:
    found = environment(Path("/app/score.py"), Path("/models/m"))
    assert found["AZUREML_ENTRY_SCRIPT"] == "score.py"
    assert (found["AML_APP_ROOT"], found["AZUREML_MODEL_DIR"]) == (
        str(Path("/app")),
        str(Path("/models/m")),
    )
    assert found["PATH"] == os.environ["PATH"]
