"""The CONNECT proxy: Azure's own host names lead to this server, every other host is refused.

TLS passes through undecrypted. Nothing is ever forwarded off the machine, so a client that uses
this proxy cannot reach the real Azure by mistake. The proxy's own address shows a browser the page
of the package page, and is the instance metadata service (imds.py).
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import re
import socket
from collections.abc import Callable, Mapping
from http import HTTPStatus

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

Page = Callable[[str, Mapping[str, str], str], Response]


def is_azure(host: str) -> bool:
    """Whether a host name belongs to Azure."""
    return host.lower() == GRAPH_HOST or host.lower().endswith(AZURE_SUFFIXES)


class Proxy:
    """The accepting side and its open tunnels."""

    def __init__(self, listener: socket.socket, target_port: int, page: Page) -> None:
        """`listener`: where clients connect; tunnels lead to `target_port` on 127.0.0.1.

        page: what to answer when the proxy itself is asked, by method, headers and target.
        """
        self._listener = listener
        self._target_port = target_port
        self._page = page
        self._server: asyncio.Server | None = None
        self._tunnels: dict[asyncio.Task[None], asyncio.StreamWriter] = {}

    async def start(self) -> None:
        """Accept connections from now on."""
        self._server = await asyncio.start_server(
            self._accept, sock=self._listener, limit=_HEAD_LIMIT
        )

    async def close(self) -> None:
        """Accept no more, and end the tunnels: clients keep idle ones open for long."""
        if self._server:
            self._server.close()
        for writer in self._tunnels.values():
            writer.transport.abort()
        if self._tunnels:
            await asyncio.wait(self._tunnels, timeout=1)

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        if task:
            self._tunnels[task] = writer
            task.add_done_callback(self._tunnels.pop)
        try:
            await _handle(reader, writer, self._target_port, self._page)
        except (OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            pass  # The client went away or sent no HTTP; there is nobody left to answer.
        finally:
            writer.close()


async def _handle(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, target_port: int, page: Page
) -> None:
    head = await reader.readuntil(b"\r\n\r\n")
    line = head.split(b"\r\n", 1)[0].decode("latin-1")
    own = _OWN.fullmatch(line)
    if own:
        response = await asyncio.to_thread(page, own[1], _headers(head), own[2])
        await _answer(writer, response)
        return
    found = _CONNECT.fullmatch(line)
    if not found or not is_azure(found[1]) or found[2] != "443":
        target = " ".join(line.split(" ")[:2]).partition("?")[0]
        logger.warning("proxy refused %s: only Azure's own hosts, port 443, are served", target)
        text = b"The local Azure serves Azure's own host names on port 443 only, by CONNECT.\n"
        refusal = Response(status=403, body=text, headers={"content-type": "text/plain"})
        await _answer(writer, refusal)
        return
    server_reader, server_writer = await asyncio.open_connection("127.0.0.1", target_port)
    writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
    await asyncio.gather(
        _copy(reader, server_writer, _quick_ack(writer)), _copy(server_reader, writer)
    )


def _headers(head: bytes) -> dict[str, str]:
    """The headers of a request, names in lower case."""
    lines = (line.partition(":") for line in head.decode("latin-1").split("\r\n")[1:])
    return {name.strip().lower(): value.strip() for name, colon, value in lines if colon}


async def _answer(writer: asyncio.StreamWriter, response: Response) -> None:
    lines = [
        f"HTTP/1.1 {response.status} {HTTPStatus(response.status).phrase}",
        *(f"{name}: {value}" for name, value in response.headers.items()),
        "connection: close",
        f"content-length: {len(response.body)}",
    ]
    writer.write("\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + response.body)
    await writer.drain()


async def _copy(
    reader: asyncio.StreamReader,
    writer: asyncio.StreamWriter,
    quick_ack: Callable[[], None] | None = None,
) -> None:
    with contextlib.suppress(OSError):
        while data := await reader.read(65536):
            if quick_ack:
                quick_ack()
            writer.write(data)
            await writer.drain()
    writer.close()


def _quick_ack(writer: asyncio.StreamWriter) -> Callable[[], None] | None:
    """A function that has the last data acknowledged at once, where the system (Linux) can.

    urllib3 leaves Nagle's algorithm on behind a proxy and sends headers and body apart: with the
    usual delayed acknowledgement each POST would wait 40 ms.
    """
    option = getattr(socket, "TCP_QUICKACK", None)
    if option is None:
        return None
    connection: socket.socket = writer.get_extra_info("socket")
    return lambda: connection.setsockopt(socket.IPPROTO_TCP, option, 1)
