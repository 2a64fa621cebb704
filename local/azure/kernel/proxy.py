"""The CONNECT proxy: Azure's own host names lead to this server, every other host is refused.

TLS ends here, in the connection that the client made: nothing is ever forwarded, so a client that
uses this proxy cannot reach the real Azure by mistake. The proxy's own address shows a browser the
page, and is the instance metadata service (imds.py).
"""

from __future__ import annotations

import asyncio
import logging
import re
import socket
import ssl
import weakref
from collections.abc import Callable, Coroutine, Mapping
from http import HTTPStatus

from local.azure.kernel.connections import HEAD_S
from local.azure.kernel.http import Response
from local.azure.kernel.web import GRAPH_HOST

logger = logging.getLogger(__name__)

# Suffixes of hosts that are Azure's: what the server does not know among them it answers with 501.
AZURE_SUFFIXES = (
    ".azure.com",
    ".azureml.ms",
    ".azureml.net",
    ".azurecr.io",
    ".azure.net",
    ".azurecontainer.io",
    ".microsoftonline.com",
    ".visualstudio.com",
    ".windows.net",
)
_CONNECT = re.compile(r"CONNECT ([A-Za-z0-9.-]+):(\d+) HTTP/1\.[01]")
# The origin form of a request target, which only somebody who takes this for a server sends.
_OWN = re.compile(r"([A-Z]+) (/[^ ]*) HTTP/1\.[01]")
_HEAD_LIMIT = 65536
_ESTABLISHED = b"HTTP/1.1 200 Connection established\r\n\r\n"
# Seconds that a client may take to agree to the end of TLS.
_CLOSING_S = 5.0

Page = Callable[[str, Mapping[str, str], str], Response]


def is_azure(host: str) -> bool:
    """Whether a host name belongs to Azure."""
    return host.lower() == GRAPH_HOST or host.lower().endswith(AZURE_SUFFIXES)


class Proxy:
    """The accepting side, and the connections that it accepted."""

    def __init__(
        self,
        listener: socket.socket,
        tls: ssl.SSLContext,
        serve: Callable[[], asyncio.Protocol],
        page: Page,
    ) -> None:
        """`listener`: where clients connect. tls: the context of the server behind the proxy.

        serve: makes the protocol that answers what comes in a tunnel. page: what to answer when
        the proxy itself is asked, by method, headers and target.
        """
        self.tls = tls
        self.serve = serve
        self.page = page
        self.tasks: set[asyncio.Task[None]] = set()
        self.transports: weakref.WeakSet[asyncio.Transport] = weakref.WeakSet()
        self._listener = listener
        self._server: asyncio.Server | None = None

    async def start(self) -> None:
        """Accept connections from now on."""
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(lambda: _Client(self), sock=self._listener)

    async def close(self) -> None:
        """Accept no more, and end the connections: clients keep idle ones open for long."""
        if self._server:
            self._server.close()
        for transport in list(self.transports):
            transport.abort()
        if self.tasks:
            await asyncio.wait(self.tasks, timeout=1)


class _Client(asyncio.Protocol):
    """A client until it has said what it wants: a tunnel, or the proxy itself."""

    def __init__(self, proxy: Proxy) -> None:
        self._proxy = proxy
        self._transport: asyncio.Transport | None = None
        self._head = bytearray()
        self._timer: asyncio.TimerHandle | None = None
        self._is_read = False

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        self._transport = transport
        self._proxy.transports.add(transport)
        self._timer = asyncio.get_running_loop().call_later(HEAD_S, transport.abort)

    def connection_lost(self, _exc: Exception | None) -> None:
        self._stop_timer()

    def data_received(self, data: bytes) -> None:
        if self._is_read or self._transport is None:
            return
        self._head += data
        head, found, early = bytes(self._head).partition(b"\r\n\r\n")
        if not found:
            if len(self._head) > _HEAD_LIMIT:
                self._transport.abort()
            return
        self._is_read = True
        self._stop_timer()
        self._answer(self._transport, head, early)

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _answer(self, transport: asyncio.Transport, head: bytes, early: bytes) -> None:
        line = head.split(b"\r\n", 1)[0].decode("latin-1")
        own = _OWN.fullmatch(line)
        if own:
            self._begin(self._show(transport, own[1], _headers(head), own[2]))
            return
        found = _CONNECT.fullmatch(line)
        if not found or not is_azure(found[1]) or found[2] != "443":
            target = " ".join(line.split(" ")[:2]).partition("?")[0]
            logger.warning("proxy refused %s: only Azure's own hosts, port 443, are served", target)
            text = "The local Azure serves Azure's own host names on port 443 only, by CONNECT.\n"
            _write(transport, _plain(403, text))
        elif early:
            _write(transport, _plain(400, "Wait for the answer to CONNECT before you go on.\n"))
        else:
            transport.write(_ESTABLISHED)
            self._begin(self._tunnel(transport))

    def _begin(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._proxy.tasks.add(task)
        task.add_done_callback(self._proxy.tasks.discard)

    async def _show(
        self, transport: asyncio.Transport, method: str, headers: Mapping[str, str], target: str
    ) -> None:
        _write(transport, await asyncio.to_thread(self._proxy.page, method, headers, target))

    async def _tunnel(self, transport: asyncio.Transport) -> None:
        waiting = _Waiting()
        try:
            tls = await asyncio.get_running_loop().start_tls(
                transport,
                waiting,
                self._proxy.tls,
                server_side=True,
                ssl_handshake_timeout=HEAD_S,
                ssl_shutdown_timeout=_CLOSING_S,
            )
        except OSError:  # the client went away, or does not trust us; it knows why
            transport.abort()
            return
        if tls is not None:
            waiting.go_on(tls, self._proxy.serve())


class _Waiting(asyncio.Protocol):
    """What comes between the end of the handshake and the protocol that reads it."""

    def __init__(self) -> None:
        self._data = bytearray()
        self._is_lost = False

    def data_received(self, data: bytes) -> None:
        self._data += data

    def connection_lost(self, _exc: Exception | None) -> None:
        self._is_lost = True

    def go_on(self, transport: asyncio.Transport, protocol: asyncio.Protocol) -> None:
        """Hand the connection over."""
        if self._is_lost:
            return
        transport.set_protocol(protocol)
        protocol.connection_made(transport)
        if self._data:
            protocol.data_received(bytes(self._data))


def _headers(head: bytes) -> dict[str, str]:
    """The headers of a request, names in lower case."""
    lines = (line.partition(":") for line in head.decode("latin-1").split("\r\n")[1:])
    return {name.strip().lower(): value.strip() for name, colon, value in lines if colon}


def _plain(status: int, text: str) -> Response:
    return Response(status=status, body=text.encode(), headers={"content-type": "text/plain"})


def _write(transport: asyncio.Transport, response: Response) -> None:
    lines = [
        f"HTTP/1.1 {response.status} {HTTPStatus(response.status).phrase}",
        *(f"{name}: {value}" for name, value in response.headers.items()),
        "connection: close",
        f"content-length: {len(response.body)}",
    ]
    transport.write("\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + response.body)
    transport.close()
