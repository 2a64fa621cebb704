"""What clients can do to connections: stall, hang up, send too much, and bodies of a gigabyte."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import hashlib
import socket
import ssl
import time

import psutil
import pytest

from local.azure import server
from local.azure.kernel import connections
from local.azure.kernel.http import Response
from local.azure.kernel.web import Router
from tests.local.azure.conftest import get_token
from tests.patience import PATIENCE_S

MIB = 1024 * 1024
ARM = "management.azure.com"


def tls(azure, host=ARM):
    """A connection as clients have it: CONNECT, then TLS."""
    port = int(azure.environment["HTTPS_PROXY"].rpartition(":")[2])
    connection = socket.create_connection(("127.0.0.1", port), timeout=PATIENCE_S)
    connection.sendall(f"CONNECT {host}:443 HTTP/1.1\r\n\r\n".encode())
    assert b"200" in connection.recv(4096)
    context = ssl.create_default_context(cafile=azure.environment["SSL_CERT_FILE"])
    return context.wrap_socket(connection, server_hostname=host)


def scope_of(host, path="/x", method="GET", headers=()):
    return {
        "type": "http",
        "method": method,
        "raw_path": path.encode(),
        "query_string": b"",
        "client": ("127.0.0.1", 1),
        "headers": [(b"host", host.encode()), *headers],
    }


class Exchange:
    """The server's side of a request, without a connection."""

    def __init__(self, *messages):
        self.messages = list(messages)
        self.sent = []
        self.hung_up = 0

    def hang_up(self, _scope):
        self.hung_up += 1

    async def receive(self):
        if not self.messages:
            await asyncio.sleep(PATIENCE_S)
        return self.messages.pop(0)

    async def send(self, message):
        self.sent.append(message)


def test_a_slow_service_keeps_no_other_waiting(fresh_azure, monkeypatch):
    held = []
    slow, quick = Router("*.slow.azure.com"), Router(ARM)

    @slow.route("GET", "/x", authenticated=False)
    def wait(_cloud, _request):
        held.append(1)
        while len(held) < 1000:
            time.sleep(0.01)
        return Response()

    @quick.route("GET", "/x", authenticated=False)
    def answer(_cloud, _request):
        return Response(body=b"here")

    monkeypatch.setattr(server, "ROUTERS", (slow, quick))

    async def run():
        application = server.Application(fresh_azure, lambda _scope: None)
        slow_ones = [Exchange() for _ in range(300)]
        tasks = [
            asyncio.create_task(application(scope_of("a.slow.azure.com"), one.receive, one.send))
            for one in slow_ones
        ]
        while len(held) < server._THREADS:
            await asyncio.sleep(0.01)
        exchange = Exchange()
        await asyncio.wait_for(
            application(scope_of(ARM), exchange.receive, exchange.send), PATIENCE_S
        )
        assert exchange.sent[1]["body"] == b"here"
        assert len(held) == server._THREADS  # bounded: the others wait their turn
        held.extend([1] * 1000)
        await asyncio.wait_for(asyncio.gather(*tasks), PATIENCE_S)
        assert all(one.sent[0]["status"] == 200 for one in slow_ones)

    asyncio.run(run())


def test_a_client_that_stalls_or_goes_is_hung_up_on(fresh_azure, monkeypatch):
    monkeypatch.setattr(connections, "STALLED_S", 0.05)
    gone = {"type": "http.disconnect"}
    half = {"type": "http.request", "body": b"{", "more_body": True}
    length = [(b"content-length", b"100")]

    async def run(*messages):
        exchange = Exchange(*messages)
        application = server.Application(fresh_azure, exchange.hang_up)
        task = asyncio.create_task(
            application(
                scope_of(ARM, method="PUT", headers=length), exchange.receive, exchange.send
            )
        )
        while not exchange.hung_up:
            await asyncio.sleep(0.01)
        exchange.messages.append(gone)
        task.cancel()
        return exchange

    assert asyncio.run(run(half)).sent == []
    assert asyncio.run(run(half, gone)).sent == []


def test_a_client_that_takes_nothing_of_an_answer_is_given_up(monkeypatch):
    monkeypatch.setattr(connections, "STALLED_S", 0.05)

    async def send(message):
        if message["type"] == "http.response.body":
            await asyncio.sleep(PATIENCE_S)

    with pytest.raises(connections.Gone):
        asyncio.run(connections.send_answer(Response(body=b"x"), "GET", send))


@pytest.mark.parametrize("sent", [b"", b"CONN", b"GET / HTTP/1.1\r\nHost: x\r\n"])
def test_a_head_that_does_not_come_ends_the_connection(sent, monkeypatch):
    from local.azure.kernel import proxy

    monkeypatch.setattr(proxy, "HEAD_S", 0.1)

    async def run():
        listener = socket.create_server(("127.0.0.1", 0))
        made = proxy.Proxy(
            listener, ssl.create_default_context(), asyncio.Protocol, lambda *_: Response()
        )
        await made.start()
        reader, writer = await asyncio.open_connection(*listener.getsockname())
        writer.write(sent)
        with contextlib.suppress(ConnectionResetError):
            assert await asyncio.wait_for(reader.read(), PATIENCE_S) == b""
        writer.close()
        await made.close()

    asyncio.run(run())


def test_hanging_up_anywhere_leaves_no_traceback(local_azure, azure_http):
    before = len(local_azure.log.read_text())
    token = azure_http.headers["Authorization"]
    head = f"Host: {ARM}\r\nAuthorization: {token}\r\n"
    pieces = (
        b"",
        b"GE",
        f"GET {local_azure.scope}/computes HTTP/1.1\r\n".encode(),
        f"PUT /subscriptions HTTP/1.1\r\n{head}Content-Length: 99\r\n\r\n{{".encode(),
        f"PUT /x HTTP/1.1\r\n{head}Transfer-Encoding: chunked\r\n\r\nzz\r\n".encode(),
        f"GET {local_azure.scope}/computes?api-version=2024-04-01 HTTP/1.1\r\n{head}\r\n".encode(),
        b"\x16\x03\x01 no HTTP\r\n\r\n",
    )
    for piece in pieces:
        for politely in (True, False):
            connection = tls(local_azure)
            connection.sendall(piece)
            if politely:
                connection.close()
            else:
                connection.setsockopt(
                    socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0"
                )  # closes with a reset
                connection.close()
    raw = socket.create_connection(
        ("127.0.0.1", int(local_azure.environment["HTTPS_PROXY"].rpartition(":")[2]))
    )
    raw.sendall(f"CONNECT {ARM}:443 HTTP/1.1\r\n\r\n".encode())
    raw.recv(4096)
    raw.sendall(b"no TLS at all")
    raw.close()
    assert azure_http.get(f"https://{ARM}/subscriptions?api-version=2022-12-01").ok
    log = local_azure.log.read_text()[before:]
    assert "Traceback" not in log
    assert "Exception" not in log


DATA = "https://eastus.api.azureml.ms"


@pytest.mark.parametrize(
    ("method", "url"),
    [
        ("PUT", "https://management.azure.com{scope}/computes/deep?api-version=2024-04-01"),
        ("PUT", "https://management.azure.com{scope}/jobs/deep?api-version=2024-04-01"),
        ("PATCH", DATA + "/history/v1.0{scope}/experiments/e/runs/deep"),
        ("POST", DATA + "/mlflow/v2.0{scope}/api/2.0/mlflow/experiments/create"),
        ("POST", DATA + "/modelmanagement/v1.0{scope}/models"),
        ("POST", "{organization}/_apis/projects?api-version=7.1"),
    ],
)
def test_deep_json_is_400_on_every_plane(local_azure, azure_http, method, url):
    environment = local_azure.environment
    address = url.format(scope=local_azure.scope, organization=environment["AZURE_DEVOPS_ORG_URL"])
    headers = {"Content-Type": "application/json"}
    if "dev.azure.com" in address:
        token = base64.b64encode(f":{environment['AZURE_DEVOPS_EXT_PAT']}".encode()).decode()
        headers["Authorization"] = f"Basic {token}"
    for body in ("[" * 100_000, '{"a":' * 50_000, '{"a":' * 200 + "1" + "}" * 200):
        answer = azure_http.request(method, address, data=body, headers=headers)
        assert answer.status_code == 400, answer.text


def test_a_large_blob_costs_no_memory(local_azure, azure_http):
    size = 256 * MIB
    process = psutil.Process(local_azure.process.pid)
    token = get_token(azure_http, local_azure, "https://storage.azure.com")
    account = _account(azure_http, local_azure)
    url = f"https://{account}.blob.core.windows.net/azureml/large"
    headers = {"Authorization": f"Bearer {token}", "x-ms-version": "2021-08-06"}
    part = bytes(range(256)) * (MIB // 256)
    highest = process.memory_info().rss
    limit = highest + 48 * MIB
    digest = hashlib.md5(usedforsecurity=False)

    def chunks():
        for number in range(size // MIB):
            piece = number.to_bytes(4, "big") + part[4:]
            digest.update(piece)
            yield piece

    answer = azure_http.put(url, data=chunks(), headers={**headers, "x-ms-blob-type": "BlockBlob"})
    assert answer.status_code == 201, answer.text
    highest = max(highest, process.memory_info().rss)
    read = hashlib.md5(usedforsecurity=False)
    with azure_http.get(url, headers=headers, stream=True) as got:
        assert got.headers["content-length"] == str(size)
        for piece in got.iter_content(MIB):
            read.update(piece)
            highest = max(highest, process.memory_info().rss)
    assert read.digest() == digest.digest()
    last = azure_http.get(url, headers={**headers, "x-ms-range": f"bytes={size - 9}-"})
    assert (last.status_code, last.content) == (206, part[-9:])
    assert azure_http.delete(url, headers=headers).status_code == 202
    assert highest < limit
    assert list((local_azure.state / "uploads").iterdir()) == []


def _account(session, azure):
    stores = session.get(
        f"https://{ARM}{azure.scope}/datastores/workspaceblobstore?api-version=2024-04-01"
    )
    return stores.json()["properties"]["accountName"]
