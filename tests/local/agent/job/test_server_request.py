"""Tasks that need no agent: what is sent, and what of the answer decides."""

from __future__ import annotations

import http.server
import json
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from local.agent.errors import PipelineFileError


@dataclass
class Service:
    """What a loopback service was asked, and what it answers."""

    url: str = ""
    status: int = 200
    answer: object = None
    asked: list[tuple[str, str, dict[str, str], str]] = field(default_factory=list)


@pytest.fixture
def service() -> Iterator[Service]:
    kept = Service()

    class Handler(http.server.BaseHTTPRequestHandler):
        def answer(self) -> None:
            length = int(self.headers.get("content-length", 0))
            body = self.rfile.read(length).decode()
            headers = {name.lower(): value for name, value in self.headers.items()}
            kept.asked.append((self.command, self.path, headers, body))
            self.send_response(kept.status)
            self.end_headers()
            self.wfile.write(json.dumps(kept.answer).encode())

        do_GET = do_POST = answer  # noqa: N815

        def log_message(self, *_: object) -> None:
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    kept.url = f"http://127.0.0.1:{server.server_port}"
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield kept
    server.shutdown()
    server.server_close()


@pytest.fixture
def wait_vsix(
    task_json: Callable[..., Any], make_vsix: Callable[..., Path], service: Service
) -> Callable[..., Path]:
    def build(runs_on: str = "Server", **changes: str) -> Path:
        request = {
            "EndpointId": "",
            "EndpointUrl": f"{service.url}/runs/$(runId)?by=$(System.TeamProject)",
            "Method": "GET",
            "Headers": '{"Authorization": "Bearer $(System.AccessToken)"}',
            "WaitForCompletion": "false",
            "Expression": "eq(jsonpath('$.status')[0], '$(wanted)')",
            **changes,
        }
        task = task_json(
            "WaitForRun",
            runsOn=[runs_on],
            inputs=[
                {"name": "runId", "type": "string"},
                {"name": "wanted", "type": "string", "defaultValue": "$(default)"},
            ],
            execution={"HttpRequest": {"Execute": request}},
        )
        return make_vsix((task, {}))

    return build


PIPELINE = """
variables: {default: Completed}
jobs:
- job: a
  pool: server
  steps: [{task: WaitForRun@1, name: wait, inputs: {runId: r1}}]
"""


def test_a_request_and_its_answer(
    play: Callable[..., Any], service: Service, wait_vsix: Callable[..., Path]
) -> None:
    service.answer = {"status": "completed"}
    played = play(PIPELINE, vsix=wait_vsix())
    assert played.results == {"wait": "succeeded"}
    ((method, path, headers, _),) = service.asked
    assert (method, path) == ("GET", "/runs/r1?by=local")
    assert headers["authorization"].startswith("Bearer ")
    assert headers["authorization"].removeprefix("Bearer ") not in played.console
    assert "/runs/r1?by=local: 200 OK" in played.console


@pytest.mark.parametrize(
    ("status", "answer", "changes", "part"),
    [
        (200, {"status": "Failed"}, {}, "does not fulfil the task's expression: eq(jsonpath("),
        (200, "no object", {}, "does not fulfil"),
        (404, {}, {}, "was answered with 404 Not Found; check"),
        (200, {}, {"Expression": "eq(nosuch, 1)"}, "'nosuch' is not available here"),
        (200, {}, {"Headers": "nonsense"}, "the headers of WaitForRun@1 are not a JSON object"),
        (200, {}, {"EndpointUrl": "http://127.0.0.1:9/"}, "has no answer (ConnectionError)"),
        (200, {}, {"EndpointId": "other"}, "the service connection 'other' does not exist"),
    ],
)
def test_failures(
    play: Callable[..., Any],
    service: Service,
    wait_vsix: Callable[..., Path],
    status: int,
    answer: object,
    changes: dict[str, str],
    part: str,
) -> None:
    service.status, service.answer = status, answer
    played = play(PIPELINE, vsix=wait_vsix(**changes))
    assert played.results == {"wait": "failed"}
    assert part in played.step("wait")["issues"][0]["message"]


def test_without_an_expression_any_success_will_do(
    play: Callable[..., Any], service: Service, wait_vsix: Callable[..., Path]
) -> None:
    vsix = wait_vsix(Expression="", Method="POST", Body='{"run": "$(runId)"}')
    assert play(PIPELINE, vsix=vsix).result == "succeeded"
    assert [(one[0], one[3]) for one in service.asked] == [("POST", '{"run": "r1"}')]


@pytest.mark.parametrize(
    ("text", "options", "part"),
    [
        (PIPELINE, {"runs_on": "ServerGate"}, "WaitForRun@1 runs on ServerGate, not in a job with"),
        (
            PIPELINE,
            {"WaitForCompletion": "true"},
            "waits for a callback, which only an organisation",
        ),
        (PIPELINE.replace("  pool: server\n", ""), {}, "runs on Server, not on an agent"),
        (PIPELINE.replace("WaitForRun@1", "Bash@3"), {}, "Bash@3 cannot run without an agent"),
        (PIPELINE.replace("runId", "runID2"), {}, "no input 'runID2'; did you mean 'runId'?"),
    ],
)
def test_refused_before_anything_runs(
    play: Callable[..., Any],
    wait_vsix: Callable[..., Path],
    text: str,
    options: dict[str, str],
    part: str,
) -> None:
    with pytest.raises(PipelineFileError) as caught:
        play(text, vsix=wait_vsix(**options))
    assert part in str(caught.value)
