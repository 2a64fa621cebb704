"""The hand-over, the channel and the cancel: in this process where that can be, else in a task."""

import io
import json
import os
import signal
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from amltasks import errors
from amltasks.azure_pipelines import agent
from tests.patience import PATIENCE_S
from tests.tasks.amltasks.conftest import Starter

DOCUMENT = {
    "task": "ProvisionAmlCompute",
    "inputs": {"computeName": "cpu", "vmSize": None},
    "connection": {
        "id": "guid",
        "scheme": "ServicePrincipal",
        "parameters": {"tenantid": "t", "serviceprincipalkey": "hidden-key"},
        "data": {"subscriptionId": "s"},
    },
    "variables": {"Build.BuildNumber": "7", "system.debug": "True"},
    "accessToken": "hidden-token",
}


def test_the_document_is_read() -> None:
    found = agent.parse_handover(json.dumps(DOCUMENT).encode())
    assert found.inputs == {"computeName": "cpu", "vmSize": ""}
    assert found.connection is not None
    assert (found.connection.name, found.connection.data) == ("guid", {"subscriptionid": "s"})
    assert found.variable("build.BUILDNUMBER") == "7"
    assert found.variable("build.sourcebranch") == ""
    assert found.debug


def test_the_key_is_in_no_representation() -> None:
    found = repr(agent.parse_handover(json.dumps(DOCUMENT).encode()))
    assert "hidden-key" not in found
    assert "hidden-token" not in found


@pytest.mark.parametrize(
    "line", [b"", b"nonsense", b"[]", b"7", b"{}", b'{"task": "x", "inputs": []}', b"\xff"]
)
def test_anything_else_is_a_named_error_that_quotes_nothing(line: bytes) -> None:
    with pytest.raises(errors.TaskError, match="HANDOVER_INVALID") as found:
        agent.parse_handover(line)
    assert "nonsense" not in str(found.value)


class _Kept(io.BytesIO):
    def commands(self) -> list[dict[str, object]]:
        return [json.loads(line) for line in self.getvalue().splitlines()]


def test_the_channel_speaks_json_lines(tmp_path: Path) -> None:
    kept = _Kept()
    channel = agent.Channel(kept)
    channel.output("runId", "r")
    channel.output("primaryKey", "k", secret=True)
    channel.mask("k")
    channel.warning("CODE", "text")
    channel.error(errors.COMPUTE_NOT_FOUND.error(name="cpu"))
    channel.summary(tmp_path / "s.md")
    channel.attachment("aml.gate.report", "gate", tmp_path / "r.html")
    channel.test_results(tmp_path / "j.xml", "gate")
    channel.result("Failed", "why")
    assert kept.commands() == [
        {"type": "variable", "name": "runId", "value": "r", "secret": False, "output": True},
        {"type": "variable", "name": "primaryKey", "value": "k", "secret": True, "output": True},
        {"type": "secret", "value": "k"},
        {"type": "issue", "level": "warning", "code": "CODE", "message": "text"},
        {
            "type": "issue",
            "level": "error",
            "code": "COMPUTE_NOT_FOUND",
            "message": str(errors.COMPUTE_NOT_FOUND.error(name="cpu")),
        },
        {"type": "summary", "path": str((tmp_path / "s.md").resolve())},
        {
            "type": "attachment",
            "kind": "aml.gate.report",
            "name": "gate",
            "path": str((tmp_path / "r.html").resolve()),
        },
        {"type": "testresults", "path": str((tmp_path / "j.xml").resolve()), "title": "gate"},
        {"type": "result", "result": "Failed", "message": "why"},
    ]


@given(st.text(st.characters()))
def test_any_text_is_one_line_and_survives(text: str) -> None:
    kept = _Kept()
    agent.Channel(kept).output("a", text)
    assert [command["value"] for command in kept.commands()] == [text]


@pytest.mark.parametrize(
    ("value", "text"),
    [(1.0, "1"), (0.1, "0.1"), (1e300, "1e+300"), (float("nan"), "nan"), (-0.5, "-0.5")],
)
def test_numbers_as_text(value: float, text: str) -> None:
    assert agent.number_text(value) == text


@given(st.floats(allow_nan=False))
def test_numbers_read_back_the_same(value: float) -> None:
    assert float(agent.number_text(value)) == value


# --- cancel --------------------------------------------------------------------------------------


class Pipe:
    """What the task reads and the launcher writes."""

    def __init__(self) -> None:
        reading, self._writing = os.pipe()
        self.stream = io.FileIO(reading, "r")
        self._open = True

    def write(self, data: bytes) -> None:
        os.write(self._writing, data)

    def close(self) -> None:
        if self._open:
            self._open = False
            os.close(self._writing)


@pytest.fixture
def pipe() -> Iterator[Pipe]:
    """A pipe, with the signal handlers put back afterwards."""
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    found = Pipe()
    yield found
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the end of the pipe is a cancel, too
    found.close()
    for thread in threading.enumerate():
        if thread.name == "cancel-watcher":
            thread.join()
    found.stream.close()
    for number, handler in before.items():
        signal.signal(number, handler)


def _later(act: object, *args: object) -> threading.Timer:
    timer = threading.Timer(0.2, act, args)  # type: ignore[arg-type]
    timer.start()
    return timer


@pytest.mark.parametrize("how", ["line", "end"])
def test_a_cancel_ends_a_sleep_at_once(pipe: Pipe, how: str) -> None:
    cancellation = agent.Cancellation()
    cancellation.watch(pipe.stream)
    timer = _later(pipe.write, b"cancel\n") if how == "line" else _later(pipe.close)
    with pytest.raises(KeyboardInterrupt):
        time.sleep(PATIENCE_S)
    timer.join()


def test_other_lines_cancel_nothing(pipe: Pipe) -> None:
    cancellation = agent.Cancellation()
    cancellation.watch(pipe.stream)
    pipe.write(b"hello\n\n")
    cancellation.pause(0.3)
    assert not cancellation.requested
    with pytest.raises(KeyboardInterrupt):
        pipe.close()
        time.sleep(PATIENCE_S)


def test_a_held_cancel_comes_afterwards(pipe: Pipe) -> None:
    cancellation = agent.Cancellation()
    cancellation.watch(pipe.stream)
    finished = False
    with pytest.raises(KeyboardInterrupt), cancellation.held():
        pipe.write(b"cancel\n")
        time.sleep(0.5)
        finished = True
    assert finished


def test_only_the_first_signal_interrupts(pipe: Pipe) -> None:
    cancellation = agent.Cancellation()
    cancellation.watch(pipe.stream)
    with pytest.raises(KeyboardInterrupt):
        signal.raise_signal(signal.SIGTERM)
    signal.raise_signal(signal.SIGTERM)
    signal.raise_signal(signal.SIGINT)
    pipe.close()
    time.sleep(0.2)  # the end of the pipe is one more cancel, and changes nothing
    with pytest.raises(KeyboardInterrupt):  # what an SDK swallowed is raised again here
        cancellation.pause(5)


# --- the process ---------------------------------------------------------------------------------


def test_bad_input_is_one_named_error_and_quick(start: Starter) -> None:
    ended = start("ProvisionAmlCompute", {"resourceGroup": "rg", "workspace": "ws"}).end()
    assert (ended.code, ended.result) == (1, "Failed")
    assert ended.issues == {"INPUT_MISSING": ended.message}
    assert "'computeName' is empty" in ended.message
    assert "Traceback" not in ended.log


def test_a_foreign_document_is_refused(start: Starter) -> None:
    ended = start("RunAmlPipeline", {}, document=json.dumps(DOCUMENT).encode()).end()
    assert "HANDOVER_INVALID" in ended.issues


def test_a_broken_document_is_refused_in_one_sentence(start: Starter) -> None:
    ended = start("RunAmlPipeline", {}, document=b"{").end()
    assert ended.code == 2
    assert ended.commands == []
    assert ended.log.startswith("HANDOVER_INVALID: ")


def test_without_a_launcher_it_says_so() -> None:
    import subprocess

    found = subprocess.run(
        [sys.executable, "-m", "amltasks", "DeployToAks"],
        env={"PATH": os.environ["PATH"], "PYTHONPATH": str(Path(agent.__file__).parents[2])},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        check=False,
    )
    assert found.returncode == 2
    assert found.stderr.startswith("HANDOVER_INVALID: ")
    assert "Traceback" not in found.stderr
