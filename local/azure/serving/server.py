"""Which program serves a score script, on each system.

Azure's inference server brings both: gunicorn, and waitress where the system is Windows (its
package's metadata, and amlserver_win.py in it).
"""

from __future__ import annotations

import socket
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

_APPLICATION = "azureml_inference_server_http.server.entry:app"
GRACEFUL_S = 30
"""How long gunicorn lets a request go on that it has begun, when it is asked to end."""

# A file, because older versions of gunicorn pass over settings there that they do not know.
_GUNICORN_SETTINGS = f"""\
workers = 1
timeout = 300
graceful_timeout = {GRACEFUL_S}
accesslog = "-"
errorlog = "-"
control_socket_disable = True
"""


@dataclass(frozen=True, kw_only=True)
class Server:
    """How to start it, and the file descriptors that it inherits."""

    command: Sequence[str]
    inherited: Sequence[int]


def server(python: str, folder: Path, listener: socket.socket, *, windows: bool) -> Server:
    """The server of a revision in `folder`, on the port of a listening socket of 127.0.0.1.

    gunicorn takes the socket itself, so nobody can take the port in between. On Windows no socket
    is inherited: it is closed, and waitress binds the port anew.
    """
    if windows:
        port = listener.getsockname()[1]
        listener.close()
        command = [python, "-m", "waitress", f"--listen=127.0.0.1:{port}", _APPLICATION]
        return Server(command=command, inherited=())
    settings = folder / "gunicorn.conf.py"
    settings.write_text(_GUNICORN_SETTINGS, encoding="utf-8")
    number = listener.fileno()
    command = [python, "-m", "gunicorn", "--bind", f"fd://{number}", "--config", str(settings)]
    return Server(command=[*command, _APPLICATION], inherited=(number,))
