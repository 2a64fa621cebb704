"""Connections of clients: HTTP by a compiled parser, with an end to those that keep us waiting.

What has a limit is waiting for the client: for a request's head, for more of its body, for the next
request, for it to take an answer. How long a handler works has none here.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import Awaitable, Callable, Mapping
from typing import Any
from urllib.parse import parse_qsl, unquote

from starlette.types import Scope
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from local.azure.kernel.http import Request, Response
from local.azure.kernel.uploads import FilePart, Upload

# Seconds until a request's head must be there, from the connection or its first byte on.
HEAD_S = 20.0
# Seconds without any byte of a body, or in which a client takes nothing of an answer.
STALLED_S = 60.0
# Seconds between two requests on a connection.
IDLE_S = 60
# A blob's name of 1,024 characters takes up to 12 KiB when it is quoted.
_HEAD_LIMIT = 65536
# What is sent without waiting for more to be sent with it.
_LARGE_WRITE = 16384
# What is written to a file in one go: in a thread, as a disk may be slow.
_AT_ONCE = 1024 * 1024

_QUICK_ACK: int | None = getattr(socket, "TCP_QUICKACK", None)  # Linux

Message = dict[str, Any]
Receive = Callable[[], Awaitable[Any]]
Send = Callable[[Any], Awaitable[None]]


class Gone(Exception):  # noqa: N818  (not an error: clients may go)
    """The client hung up, or keeps us waiting too long; there is nobody to answer."""


class _Together(asyncio.Transport):
    """A transport that sends what is written at once together: head and body are one packet.

    On loopback most of what a small answer costs is the sending of packets.
    """

    def __init__(self, below: asyncio.Transport, loop: asyncio.AbstractEventLoop) -> None:
        super().__init__()
        self._below = below
        self._loop = loop
        self._waiting: list[bytes] = []

    def write(self, data: bytes | bytearray | memoryview) -> None:
        if not self._waiting:
            self._loop.call_soon(self._flush)
        self._waiting.append(bytes(data))
        if len(data) >= _LARGE_WRITE:
            self._flush()

    def _flush(self) -> None:
        data = b"".join(self._waiting)
        self._waiting.clear()
        if data:
            self._below.write(data)

    def close(self) -> None:
        self._flush()
        self._below.close()

    def abort(self) -> None:
        self._below.abort()

    def is_closing(self) -> bool:
        return self._below.is_closing()

    def pause_reading(self) -> None:
        self._below.pause_reading()

    def resume_reading(self) -> None:
        self._below.resume_reading()

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        return self._below.get_extra_info(name, default)


class Connection(HttpToolsProtocol):
    """uvicorn's protocol with limits on the head of a request."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        """As uvicorn makes it."""
        super().__init__(*arguments, **options)
        self._head_timer: asyncio.TimerHandle | None = None
        self._head_size = 0

    def _acknowledge(self) -> None:
        """Acknowledge what came at once, where more of the request has to follow.

        urllib3 leaves Nagle's algorithm on behind a proxy and sends head and body apart: with the
        usual delayed acknowledgement each POST would wait 40 ms.
        """
        is_incomplete = self._head_timer is not None or self.cycle.more_body
        if _QUICK_ACK is not None and is_incomplete:
            connection: socket.socket = self.transport.get_extra_info("socket")
            with contextlib.suppress(OSError):
                connection.setsockopt(socket.IPPROTO_TCP, _QUICK_ACK, 1)

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """The client is there; its first request has to follow."""
        super().connection_made(_Together(transport, self.loop))
        self._expect_head()

    def connection_lost(self, exc: Exception | None) -> None:
        """The client has gone."""
        self._stop_timer()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Read on, unless a head gets too long."""
        if self._head_timer is not None:
            self._head_size += len(data)
        super().data_received(data)
        self._acknowledge()
        if self._head_timer is not None and self._head_size > _HEAD_LIMIT:
            self.transport.close()

    def on_message_begin(self) -> None:
        """The first byte of a request has come."""
        super().on_message_begin()
        if self._head_timer is None:
            self._expect_head()

    def on_headers_complete(self) -> None:
        """A head is complete."""
        self._stop_timer()
        super().on_headers_complete()

    def _expect_head(self) -> None:
        self._head_size = 0
        self._head_timer = self.loop.call_later(HEAD_S, self._too_late)

    def _stop_timer(self) -> None:
        if self._head_timer is not None:
            self._head_timer.cancel()
            self._head_timer = None

    def _too_late(self) -> None:
        self._head_timer = None
        self.transport.abort()


def read_head(scope: Scope) -> Request:
    """A request without its body."""
    raw_path = scope["raw_path"].decode("latin-1")
    raw_query = scope["query_string"].decode("latin-1")
    headers = {
        name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]
    }
    return Request(
        method=scope["method"],
        host=headers.get("host", "").partition(":")[0].lower(),
        path=unquote(raw_path),
        raw_path=raw_path,
        query=dict(parse_qsl(raw_query, keep_blank_values=True)),
        raw_query=raw_query,
        headers=headers,
        body=b"",
    )


async def read_body(headers: Mapping[str, str], receive: Receive, upload: Upload) -> None:
    """Write what a client sends as its request's body. Raises Gone."""
    if headers.get("content-length", "0") == "0" and "transfer-encoding" not in headers:
        return
    waiting: list[bytes] = []
    more = True
    while more:
        try:
            async with asyncio.timeout(STALLED_S):
                message: Message = await receive()
        except TimeoutError:
            raise Gone from None
        if message["type"] == "http.disconnect":
            raise Gone
        waiting.append(message.get("body", b""))
        more = message.get("more_body", False)
        if sum(map(len, waiting)) >= _AT_ONCE:
            await asyncio.to_thread(upload.write, b"".join(waiting))
            waiting.clear()
    upload.write(b"".join(waiting))


async def send_answer(
    response: Response, method: str, send: Send, *, only: int | None = None
) -> None:
    """Send an answer. Raises Gone where the client takes nothing of it for long.

    only: so many bytes of the body, of which all is promised, and then Gone is raised.
    """
    headers = {name.lower(): value for name, value in response.headers.items()}
    if response.file is not None:
        headers["content-length"] = str(response.file.size)
    elif response.status >= 200 and response.status not in (204, 304):
        headers.setdefault("content-length", str(len(response.body)))
    pairs = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in headers.items()]
    try:
        await send({"type": "http.response.start", "status": response.status, "headers": pairs})
        if only is not None:
            data = response.body if response.file is None else next(response.file.chunks(), b"")
            await _send_body(send, data[:only], more=True)
            raise Gone
        if response.file is None or response.file.size == 0 or method == "HEAD":
            await _send_body(send, response.body, more=False)
        else:
            await _send_file(send, response.file)
    finally:
        if response.file is not None:
            response.file.file.close()


async def _send_file(send: Send, part: FilePart) -> None:
    chunks = part.chunks()
    left = part.size
    while left > 0:
        data = await asyncio.to_thread(next, chunks, b"")
        if not data:
            raise Gone  # the file was cut short; the length is promised
        left -= len(data)
        await _send_body(send, data, more=left > 0)


async def _send_body(send: Send, data: bytes, *, more: bool) -> None:
    try:
        async with asyncio.timeout(STALLED_S):
            await send({"type": "http.response.body", "body": data, "more_body": more})
    except TimeoutError:
        raise Gone from None
