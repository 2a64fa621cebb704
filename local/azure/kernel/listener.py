"""The server process's sockets and its end: uvicorn behind the proxy."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import socket
import time
from collections.abc import Iterator

import uvicorn
from starlette.types import Scope

from local.azure.kernel.connections import Connection
from local.azure.kernel.proxy import Proxy

# How long requests that are under way at the end may take.
_LAST_REQUESTS_S = 1.0


class Server(uvicorn.Server):
    """uvicorn behind the proxy, with an end that is clean and quick."""

    proxy: Proxy | None = None

    def connection(self) -> Connection:
        """The protocol of a client that came through the proxy."""
        return Connection(config=self.config, server_state=self.server_state, app_state={})

    def hang_up(self, scope: Scope) -> None:
        """Close the connection that a request came on."""
        for connection in self.server_state.connections:
            if getattr(connection, "client", None) == scope["client"]:
                connection.transport.close()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Let requests end, then hang up: uvicorn alone would wait for clients that are idle."""
        deadline = time.monotonic() + _LAST_REQUESTS_S
        while self.server_state.tasks and time.monotonic() < deadline:
            await asyncio.sleep(0.02)
        if self.proxy:
            await self.proxy.close()
        await super().shutdown(sockets)

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """End on SIGINT and SIGTERM; uvicorn itself would then raise them once more."""
        kinds = (signal.SIGINT, signal.SIGTERM)
        previous = [signal.signal(kind, self.handle_exit) for kind in kinds]
        try:
            yield
        finally:
            for kind, handler in zip(kinds, previous, strict=True):
                signal.signal(kind, handler)


def listen(port: int) -> socket.socket:
    """A listening socket on 127.0.0.1; port 0 takes a free one. Raises OSError when it is taken."""
    # asyncio sets TCP_NODELAY only where the protocol is named; without it each POST waits 40 ms.
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        if hasattr(socket, "SO_EXCLUSIVEADDRUSE"):  # Windows, where REUSEADDR would share the port
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_EXCLUSIVEADDRUSE, 1)
        else:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(("127.0.0.1", port))
        listener.listen(128)
    except OSError:
        listener.close()
        raise
    return listener
