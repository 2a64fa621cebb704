"""The server's sockets, and its end by a signal."""

from __future__ import annotations

import os
import signal

import psutil
import pytest

from tests.local.azure.conftest import get_token, http_session
from tests.patience import PATIENCE_S


def test_it_listens_on_loopback_only(local_azure):
    addresses = {
        connection.laddr.ip  # type: ignore[union-attr]  # sockets of inet have one
        for connection in psutil.net_connections("inet")
        if connection.pid == local_azure.process.pid and connection.status == psutil.CONN_LISTEN
    }
    assert addresses == {"127.0.0.1"}


@pytest.mark.parametrize("kind", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.skipif(os.name != "posix", reason="Windows has no such signals for another process")
def test_a_signal_ends_it_cleanly(start_local_azure, tmp_path, kind):
    with start_local_azure(tmp_path / "state") as azure:
        with http_session(azure) as session:
            get_token(session, azure)
            azure.process.send_signal(kind)
            assert azure.process.wait(PATIENCE_S) == 0
        assert not (tmp_path / "state.env").exists()
        log = azure.log.read_text()
        assert len(log.splitlines()) == 4, log
        assert f"its state is in {tmp_path / 'state'}" in log
