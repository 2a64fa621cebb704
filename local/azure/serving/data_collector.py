"""The sidecar to which a scoring script logs its inputs and predictions, as blobs of JSON lines.

Protocol: azureml-ai-monitoring 1.0.0 (worker/sender.py, config/config.py). Layout and form of the
blobs: learn.microsoft.com/azure/machine-learning/how-to-collect-production-data.
"""

from __future__ import annotations

import json
import threading
import uuid
from collections.abc import Mapping
from datetime import datetime, timezone
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TypedDict

_CONFIG = "data-collector.json"
_PATH = "/modeldata/log"
_MOST_BYTES = 64 * 1024 * 1024


class Collection(TypedDict):
    """What the container's package reads of a collection, and the folder of its blobs here.

    sampleRatePercentage: 0 to 100.
    """

    enabled: bool
    sampleRatePercentage: float
    folder: str


class Config(TypedDict):
    """The file that AZUREML_MDC_CONFIG_PATH names. source: the ARM id of the deployment."""

    runMode: str
    collections: Mapping[str, Collection]
    source: str


def configure(folder: Path, config: Config) -> None:
    """Let the revision whose files are in a folder collect data from its next start on."""
    (folder / _CONFIG).write_text(json.dumps(config), encoding="utf-8")


class Sidecar:
    """Listens on 127.0.0.1 for one container, until it is closed."""

    def __init__(self, path: Path) -> None:
        """Take what the container logs. path: of the settings."""
        self._path = path
        self._config: Config = json.loads(path.read_text(encoding="utf-8"))
        self._instance = uuid.uuid4().hex
        self._lock = threading.Lock()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self._server.daemon_threads = True
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def environment(self) -> dict[str, str]:
        """What the container is told."""
        port = str(self._server.server_address[1])
        return {"AZUREML_MDC_CONFIG_PATH": str(self._path), "AZUREML_MDC_PORT": port}

    def close(self) -> None:
        """Take nothing any more."""
        self._server.shutdown()
        self._server.server_close()

    def keep(self, headers: Mapping[str, str], content: bytes) -> None:
        """Append an event. Raises ValueError when it is none of a collection that is enabled."""
        _, _, name = headers["ce-type"].partition("azureml.inference.")
        collection = self._config["collections"].get(name)
        if collection is None or not collection["enabled"]:
            raise ValueError(f"the collection '{name}' is not enabled")
        now = datetime.fromtimestamp(int(headers["ce-time"]), timezone.utc)
        event = {
            "specversion": "1.0",
            "id": headers["trace-id"],
            "source": self._config["source"],
            "type": headers["ce-type"],
            "datacontenttype": headers["content-type"],
            "time": now.strftime("%Y-%m-%dT%H:%M:%SZ"),
            "data": json.loads(content),
            "collectdatatype": headers["ce-collect-data-type"],
            "agent": headers["ce-agent"],
            "contentrange": f"bytes 0-{len(content) - 1}/{len(content)}",
            "correlationid": headers.get("ce-x-request-id", headers["trace-id"]),
            "xrequestid": headers.get("ce-x-request-id", headers["trace-id"]),
        }
        path = Path(collection["folder"]) / f"{now:%Y/%m/%d/%H}" / f"{self._instance}.jsonl"
        with self._lock:
            path.parent.mkdir(parents=True, exist_ok=True)
            with path.open("a", encoding="utf-8") as file:
                file.write(json.dumps(event) + "\n")


def start(folder: Path) -> Sidecar | None:
    """The sidecar of a revision, or None where it collects nothing."""
    path = folder / _CONFIG
    return Sidecar(path) if path.is_file() else None


def _handler(sidecar: Sidecar) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            length = int(self.headers.get("Content-Length") or 0)
            if self.path != _PATH or length > _MOST_BYTES:
                self._answer(404 if self.path != _PATH else 413, "")
                return
            headers = {name.lower(): value for name, value in self.headers.items()}
            try:
                sidecar.keep(headers, self.rfile.read(length))
            except (KeyError, ValueError) as error:
                self._answer(400, f"no event: {error}")
                return
            self._answer(200, "")

        def _answer(self, status: int, text: str) -> None:
            body = text.encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *arguments: object) -> None:
            """Say nothing: each call would be a line."""

    return Handler
