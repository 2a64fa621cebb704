"""What a task may ask of Azure Pipelines, spoken through the launcher.

The launcher hands over one JSON document as the first line of stdin and keeps the pipe open: a
later line ``cancel``, or the end of the pipe, cancels the task. What the task asks for goes back as
JSON lines on file descriptor 3, so that nothing an SDK or a training script prints can be taken for
a command.
"""

from __future__ import annotations

import contextlib
import io
import json
import logging
import math
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType

from amltasks import errors

CHANNEL_FD = 3
_SLICE_SECONDS = 0.5
# What a task whose launcher died still has for its clean-up, and the exit code of one that had not
# ended by then.
_ORPHAN_SECONDS, _ORPHANED = 5.0, 130

log = logging.getLogger("amltasks")


@dataclass(frozen=True, kw_only=True)
class Connection:
    """An Azure Resource Manager service connection as the agent knows it.

    ``scheme``, and the keys of ``parameters`` and ``data``, are the agent's own (lower case); see
    ``azure-arm-endpoint.ts`` in microsoft/azure-pipelines-tasks-common-packages.
    """

    id: str
    name: str
    url: str
    scheme: str
    parameters: Mapping[str, str] = field(repr=False)
    data: Mapping[str, str]


@dataclass(frozen=True, kw_only=True)
class Handover:
    """The launcher's document. ``inputs`` are strings, expanded by the agent, ``""`` when empty.

    ``access_token`` is the job's (``System.AccessToken``), ``""`` for a task without use for it.
    ``phase`` is ``run``, or ``cleanUp`` after the job.
    """

    task: str
    inputs: Mapping[str, str] = field(repr=False)
    connection: Connection | None
    variables: Mapping[str, str]
    access_token: str = field(default="", repr=False)
    phase: str = "run"

    def variable(self, name: str) -> str:
        """The pipeline variable of that name (any case), ``""`` when there is none."""
        return self.variables.get(name.lower(), "")

    @property
    def debug(self) -> bool:
        """Whether the job runs with ``system.debug``."""
        return self.variable("system.debug").lower() == "true"


class Channel:
    """The private way back to the launcher; one JSON object a line, UTF-8."""

    def __init__(self, stream: io.RawIOBase | io.BufferedIOBase) -> None:
        """Write to ``stream``, which the channel owns."""
        self._stream = stream

    def _send(self, kind: str, /, **fields: object) -> None:
        # ASCII, so that even half a surrogate pair from a log can be sent.
        self._stream.write(json.dumps({"type": kind, **fields}).encode("ascii") + b"\n")
        self._stream.flush()

    def output(self, name: str, value: str, *, secret: bool = False) -> None:
        """Set an output variable of the step."""
        self._send("variable", name=name, value=value, secret=secret, output=True)

    def mask(self, value: str) -> None:
        """Have the agent star this value out of every later log line."""
        self._send("secret", value=value)

    def warning(self, code: str, message: str) -> None:
        """Show a warning on the run's page and in the log."""
        self._send("issue", level="warning", code=code, message=message)

    def error(self, error: errors.TaskError) -> None:
        """Show an error on the run's page and in the log."""
        self._send("issue", level="error", code=error.cause.code, message=str(error))

    def summary(self, path: Path) -> None:
        """Add a markdown file to the run's summary tab."""
        self._send("summary", path=str(path.resolve()))

    def attachment(self, kind: str, name: str, path: Path) -> None:
        """Keep a file with the step's record, for a tab of the run's page that knows ``kind``."""
        self._send("attachment", kind=kind, name=name, path=str(path.resolve()))

    def test_results(self, path: Path, title: str) -> None:
        """Show a JUnit file in the run's Tests tab."""
        self._send("testresults", path=str(path.resolve()), title=title)

    def result(self, result: str, message: str) -> None:
        """End the step: ``Succeeded``, ``SucceededWithIssues``, ``Failed`` or ``Canceled``."""
        self._send("result", result=result, message=message)


class Cancellation:
    """Turns every way of being cancelled into one ``KeyboardInterrupt`` in the main thread.

    ``orphaned``: nobody cancelled the task, but its launcher died.
    """

    def __init__(self) -> None:
        """Nothing is cancelled yet."""
        self.requested = False
        self.orphaned = False
        self._held = False

    def watch(self, stream: io.RawIOBase, *, last: Callable[[], None] = lambda: None) -> None:
        """Listen for signals, and for ``cancel`` or the end of ``stream``.

        Args:
            stream: what the launcher writes.
            last: called in a thread when the stream has ended, after the main thread was told.
        """
        signal.signal(signal.SIGINT, self._on_signal)
        signal.signal(signal.SIGTERM, self._on_signal)
        main = threading.main_thread().ident

        def wait() -> None:
            while line := stream.readline():
                if line.strip() == b"cancel":
                    interrupt()
            # The launcher holds the other end until this process ends, unless it dies.
            self.orphaned = not self.requested
            interrupt()
            last()

        def interrupt() -> None:
            # A signal, not a flag: it must end a sleep or a read of the main thread at once.
            if sys.platform == "win32" or main is None:
                signal.raise_signal(signal.SIGINT)
            else:
                signal.pthread_kill(main, signal.SIGINT)

        threading.Thread(target=wait, name="cancel-watcher", daemon=True).start()

    def _on_signal(self, _number: int, _frame: FrameType | None) -> None:
        # Later signals are the agent's impatience; the first one is being dealt with.
        if self.requested:
            return
        self.requested = True
        if not self._held:
            raise KeyboardInterrupt

    @contextlib.contextmanager
    def held(self) -> Iterator[None]:
        """Let the block finish before a cancel is heard: what it starts must get a name first."""
        before = self.requested
        self._held = True
        try:
            yield
        finally:
            self._held = False
        if self.requested and not before:
            raise KeyboardInterrupt

    def check(self) -> None:
        """Raise ``KeyboardInterrupt`` if the task was cancelled, also when an SDK swallowed it."""
        if self.requested:
            raise KeyboardInterrupt

    def pause(self, seconds: float) -> None:
        """Sleep. Raises ``KeyboardInterrupt`` when cancelled, also when an SDK swallowed it."""
        end = time.monotonic() + seconds
        while True:
            self.check()
            left = end - time.monotonic()
            if left <= 0:
                return
            time.sleep(min(left, _SLICE_SECONDS))


class WithIssues(str):
    """What a task did, in a sentence, where it succeeded but with something to look at."""

    __slots__ = ()


@dataclass(frozen=True, kw_only=True)
class Job:
    """All that a task module is given."""

    handover: Handover
    channel: Channel
    cancellation: Cancellation

    def warn(self, code: str, message: str) -> None:
        """A warning on the run's page; the step still succeeds. The launcher prints it, too."""
        self.channel.warning(code, f"{code}: {errors.sentence(message)}")

    def folder(self, name: str) -> Path:
        """``name`` as an absolute path; relative ones start at the sources, as inputs do."""
        return Path(name) if Path(name).is_absolute() else self.sources / name

    @property
    def sources(self) -> Path:
        """The folder relative paths start at: the agent's working directory for the task."""
        return Path.cwd()


def parse_handover(line: bytes) -> Handover:
    """Read the launcher's document.

    Raises:
        TaskError: ``HANDOVER_INVALID`` when it is no such document.
    """
    try:
        document = json.loads(line.decode("utf-8"))
        found = document.get("connection")
        connection = None
        if found:
            connection = Connection(
                id=str(found.get("id") or ""),
                name=str(found.get("name") or found.get("id") or ""),
                url=str(found.get("url") or ""),
                scheme=str(found.get("scheme") or ""),
                parameters=_texts(found.get("parameters") or {}),
                data=_texts(found.get("data") or {}),
            )
        return Handover(
            task=str(document["task"]),
            inputs={str(k): "" if v is None else str(v) for k, v in document["inputs"].items()},
            connection=connection,
            variables=_texts(document.get("variables") or {}),
            access_token=str(document.get("accessToken") or ""),
            phase=str(document.get("phase") or "run"),
        )
    except (ValueError, KeyError, AttributeError, TypeError) as cause:
        # Not the text of the error: it may quote the document, and that holds the key.
        raise errors.HANDOVER_INVALID.error(detail=type(cause).__name__) from None


def _texts(found: Mapping[str, object]) -> dict[str, str]:
    return {str(k).lower(): "" if v is None else str(v) for k, v in found.items()}


def receive() -> Job:
    """Take over stdin and file descriptor 3 from the launcher and start listening for a cancel.

    Afterwards fd 0 reads nothing and neither pipe is inherited by any process we start.

    Raises:
        TaskError: ``HANDOVER_INVALID``
    """
    try:
        os.set_inheritable(CHANNEL_FD, False)
        channel = Channel(os.fdopen(CHANNEL_FD, "wb", buffering=0))
    except OSError:
        raise errors.HANDOVER_INVALID.error(detail="file descriptor 3 is not open") from None
    private = os.dup(0)  # not inheritable, by PEP 446
    with Path(os.devnull).open("rb") as nothing:
        os.dup2(nothing.fileno(), 0)
    # Raw, because a reader blocked inside a buffered stream can hang the interpreter's end.
    stream = io.FileIO(private, "r")
    handover = parse_handover(stream.readline())
    cancellation = Cancellation()
    cancellation.watch(stream, last=_end_soon)
    return Job(handover=handover, channel=channel, cancellation=cancellation)


def _end_soon() -> None:
    """End this process, whose launcher died, if it has not ended by itself."""
    time.sleep(_ORPHAN_SECONDS)
    os._exit(_ORPHANED)


def number_text(value: float) -> str:
    """A metric as text: as short as it can be while reading back to the same number."""
    if math.isfinite(value) and value == int(value) and abs(value) < 1e15:
        return str(int(value))
    return repr(float(value))
