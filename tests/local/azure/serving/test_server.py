"""gunicorn and waitress: what starts them, and that both keep to the port of the socket."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from local.azure.serving.server import server

ENTRY = "azureml_inference_server_http.server.entry:app"


def test_gunicorn_takes_the_socket_itself(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        found = server("python", tmp_path, listener, windows=False)
        number = listener.fileno()
        assert found.inherited == (number,)
        settings = tmp_path / "gunicorn.conf.py"
        assert found.command == [
            *("python", "-m", "gunicorn", "--bind", f"fd://{number}"),
            *("--config", str(settings), ENTRY),
        ]
        compiled: dict[str, object] = {}
        exec(settings.read_text(), compiled)  # noqa: S102 - it is Python
        assert compiled["workers"] == 1


def test_waitress_binds_the_port_anew(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        found = server("python", tmp_path, listener, windows=True)
        assert found.inherited == ()
        assert found.command == ["python", "-m", "waitress", f"--listen=127.0.0.1:{port}", ENTRY]
        with pytest.raises(OSError):
            listener.getsockname()
    with socket.create_server(("127.0.0.1", port)):
        pass  # it is free again
    assert list(tmp_path.iterdir()) == []
