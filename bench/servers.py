"""Entry scripts under Azure ML's inference server, as processes whose time is counted."""

from __future__ import annotations

import contextlib
import http.client
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import psutil

from bench.measure import Spent

READY_WITHIN_S = 300.0


@dataclass(frozen=True, kw_only=True)
class Server:
    """One worker that answers on a port of 127.0.0.1; ``ready`` is what its start took."""

    port: int
    process: psutil.Process
    ready: Spent

    def cpu_s(self) -> float:
        """Return the CPU seconds of the server and its worker so far."""
        return sum(
            sum(each.cpu_times()[:2])
            for each in (self.process, *self.process.children(recursive=True))
        )


@contextlib.contextmanager
def serving(script: Path, model: Path, log: Path) -> Iterator[Server]:
    """Run an entry script under the server; yields it once it answers, and ends it.

    Raises RuntimeError when it does not come up.
    """
    started = time.perf_counter()
    with socket.create_server(("127.0.0.1", 0)) as listener, log.open("ab") as output:
        port = listener.getsockname()[1]
        child = subprocess.Popen(
            [
                *(sys.executable, "-m", "gunicorn", "--bind", f"fd://{listener.fileno()}"),
                *("--workers", "1", "--timeout", "300"),
                "azureml_inference_server_http.server.entry:app",
            ],
            env=environment(script, model),
            stdout=output,
            stderr=output,
            pass_fds=(listener.fileno(),),
        )
    try:
        process = psutil.Process(child.pid)
        while not answers(port):
            if child.poll() is not None or time.perf_counter() - started > READY_WITHIN_S:
                raise RuntimeError(f"{script.name} did not come up:\n{log.read_text()[-2000:]}")
            time.sleep(0.05)
        ready = Spent(wall_s=time.perf_counter() - started, cpu_s=0)
        server = Server(port=port, process=process, ready=ready)
        yield Server(
            port=port, process=process, ready=Spent(wall_s=ready.wall_s, cpu_s=server.cpu_s())
        )
    finally:
        child.terminate()
        child.wait(30)


def environment(script: Path, model: Path) -> Mapping[str, str]:
    """Return what Azure ML gives the server."""
    return {
        **os.environ,
        "AML_APP_ROOT": str(script.parent),
        "AZUREML_ENTRY_SCRIPT": script.name,
        "AZUREML_MODEL_DIR": str(model),
        "AML_APP_INSIGHTS_ENABLED": "false",
        "TF_CPP_MIN_LOG_LEVEL": "3",
    }


def answers(port: int) -> bool:
    """Tell whether the server answers its liveness probe."""
    try:
        return asked(port, "GET", "/", "", 1)[0] == http.client.OK
    except OSError:
        return False


def asked(port: int, method: str, path: str, body: str, times: int) -> tuple[int, str]:
    """Ask one after the other; returns the last status and body."""
    status, answer = 0, ""
    for _ in range(times):
        # A sync worker closes each connection, as behind Azure ML's own front end.
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=120)
        connection.request(method, path, body, {"Content-Type": "application/json"})
        response = connection.getresponse()
        status, answer = response.status, response.read().decode()
        connection.close()
    return status, answer


def spent(server: Server, body: str, requests: int, clients: int) -> Spent:
    """Return the seconds for each request, of wall time and of the server's CPU time.

    Raises RuntimeError when the last of a client's answers is not 200.
    """
    cpu, wall = server.cpu_s(), time.perf_counter()
    with ThreadPoolExecutor(clients) as pool:
        waiting = [
            pool.submit(asked, server.port, "POST", "/score", body, requests // clients)
            for _ in range(clients)
        ]
        for each in waiting:
            status, answer = each.result()
            if status != http.client.OK:
                raise RuntimeError(f"the server answered {status}: {answer}")
    done = requests // clients * clients
    return Spent(wall_s=(time.perf_counter() - wall) / done, cpu_s=(server.cpu_s() - cpu) / done)
