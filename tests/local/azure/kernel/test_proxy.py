"""The proxy: Azure's own hosts and no other."""

from __future__ import annotations

import socket

import pytest

from local.azure.kernel.proxy import is_azure
from tests.patience import PATIENCE_S


def through_proxy(azure, request):
    """The first line that the proxy answers to raw bytes."""
    port = int(azure.environment["HTTPS_PROXY"].rpartition(":")[2])
    with socket.create_connection(("127.0.0.1", port), timeout=PATIENCE_S) as connection:
        connection.sendall(request)
        return connection.makefile("rb").readline().decode().strip()


@pytest.mark.parametrize(
    "request_line",
    [
        "CONNECT example.com:443 HTTP/1.1",
        "CONNECT management.azure.com.example.com:443 HTTP/1.1",
        "CONNECT management.azure.com:80 HTTP/1.1",
        "CONNECT evilazure.com:443 HTTP/1.1",
        "CONNECT 127.0.0.1:443 HTTP/1.1",
        "GET http://management.azure.com/ HTTP/1.1",
        "nonsense",
    ],
)
def test_the_proxy_refuses_what_is_not_azure(local_azure, request_line):
    answer = through_proxy(local_azure, f"{request_line}\r\nHost: x\r\n\r\n".encode())
    assert answer == "HTTP/1.1 403 Forbidden"
    assert f"proxy refused {' '.join(request_line.split()[:2])}" in local_azure.log.read_text()


def test_the_proxy_lets_azure_through(local_azure):
    answer = through_proxy(local_azure, b"CONNECT management.azure.com:443 HTTP/1.1\r\n\r\n")
    assert answer == "HTTP/1.1 200 Connection established"


def test_a_client_that_does_not_wait_for_the_tunnel_is_told(local_azure):
    port = int(local_azure.environment["HTTPS_PROXY"].rpartition(":")[2])
    with socket.create_connection(("127.0.0.1", port), timeout=PATIENCE_S) as connection:
        connection.sendall(b"CONNECT management.azure.com:443 HTTP/1.1\r\n\r\nGET / HTTP/1.1\r\n")
        assert connection.makefile("rb").readline().startswith(b"HTTP/1.1 400")


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("management.azure.com", True),
        ("EastUS.api.azureml.ms", True),
        ("graph.microsoft.com", True),
        ("www.microsoft.com", False),
        ("azure.com", False),
        ("blob.core.windows.net.example.com", False),
    ],
)
def test_which_hosts_are_azures(host, expected):
    assert is_azure(host) is expected
