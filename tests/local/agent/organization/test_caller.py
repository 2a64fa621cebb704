"""Requests to an organisation, and what is said when they fail."""

from __future__ import annotations

import json
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
import requests

from local.agent.errors import AgentError
from local.agent.organization.caller import Caller, UnreachableError

ANSWERS = {
    "/a%20project/_apis/ok": (200, b'{"value": 1}'),
    "/a%20project/_apis/nothing": (204, b""),
    "/a%20project/_apis/refused": (403, b'{"message": "You may not."}'),
    "/a%20project/_apis/html": (500, b"<html>"),
}


@pytest.fixture
def organisation():
    """A server that notes the addresses and bodies of requests."""
    seen = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            path, _, query = self.path.partition("?")
            body = self.rfile.read(int(self.headers.get("content-length", 0)))
            seen.append((path, query, self.headers["content-type"], body))
            status, answer = ANSWERS[path]
            self.send_response(status, "Refused")
            self.send_header("content-length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, *_):
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/", seen
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def caller(organisation):
    with requests.Session() as session:
        session.trust_env = False
        yield Caller(organisation[0], "a project", session)


def test_requests_go_below_the_project_with_a_version(caller, organisation):
    assert caller.in_project("POST", "ok", body={"a": 1}, query={"x": "y"}) == {"value": 1}
    assert caller.in_project("POST", "nothing", data=b"\0") is None
    (path, query, kind, body), (_, _, binary, data) = organisation[1]
    assert (path, query) == ("/a%20project/_apis/ok", "api-version=7.1-preview&x=y")
    assert (kind, json.loads(body)) == ("application/json", {"a": 1})
    assert (binary, data) == ("application/octet-stream", b"\0")


@pytest.mark.parametrize(
    ("path", "words"),
    [("refused", "with 403: You may not.; check"), ("html", "with 500: Refused; check")],
)
def test_a_refusal_has_the_organisations_words(caller, path, words):
    with pytest.raises(AgentError, match=words) as refused:
        caller.in_project("POST", path)
    assert not isinstance(refused.value, UnreachableError)


def test_an_organisation_that_does_not_answer(caller):
    with pytest.raises(UnreachableError, match=r"does not answer \(ConnectionError\); start it"):
        caller.at("http://127.0.0.1:9").in_project("POST", "ok")
