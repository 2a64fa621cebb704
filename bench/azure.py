"""The local Azure: a GET against a bare server of Python's, and queries among 10,000 runs."""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil
import requests
import trustme

from bench.measure import Comparison, Spent, compared
from local.azure.history import runs
from local.azure.kernel.cloud import open_cloud
from local.azure.kernel.store import Store
from local.demo.children import running_azure

ROUNDS = 5
REQUESTS = 200
RUNS = 10_000
FEW_RUNS = 100
ARM = "https://management.azure.com"
DATA = "https://eastus.api.azureml.ms"
# Answers each GET with the bytes of a file, over TLS, as plainly as the standard library can.
BARE = """
import pathlib, ssl, sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

body = pathlib.Path(sys.argv[2]).read_bytes()

class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def do_GET(self):
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass

server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain(sys.argv[1])
server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
print(server.server_port, flush=True)
server.serve_forever()
"""
Get = Callable[[], Any]


def run() -> dict[str, Comparison]:
    """Measure both, each in one run with what it is compared to."""
    with tempfile.TemporaryDirectory() as folder:
        return {**_requests(Path(folder)), **_queries(Path(folder))}


def _requests(folder: Path) -> dict[str, Comparison]:
    with running_azure(folder / "state", folder) as environment:
        azure = psutil.Process().children()[-1]
        kept = _session(environment)
        url = f"{ARM}{_scope(environment)}/computes/cpu?api-version=2024-04-01"
        size = {"vmSize": "STANDARD_DS3_V2", "scaleSettings": {"maxNodeCount": 1}}
        properties = {"computeType": "AmlCompute", "properties": size}
        made = kept.put(url, json={"location": "eastus", "properties": properties})
        made.raise_for_status()
        while kept.get(url).json()["properties"]["provisioningState"] != "Succeeded":
            time.sleep(0.2)
        with _bare(folder, kept.get(url).content) as (bare, address, trusted):
            plain = requests.Session()
            plain.trust_env, plain.verify = False, trusted

            def anew(of: Callable[[], requests.Session], what: str) -> Get:
                def get() -> None:
                    with of() as session:
                        session.get(what).raise_for_status()

                return get

            def another() -> requests.Session:
                session = requests.Session()
                session.trust_env, session.verify = False, trusted
                return session

            def client() -> requests.Session:
                session = _bare_session(environment)
                session.headers.update(kept.headers)
                return session

            pairs: Mapping[str, tuple[Get, Get]] = {
                "azure: GET, connection kept": (
                    lambda: kept.get(url).raise_for_status(),
                    lambda: plain.get(address).raise_for_status(),
                ),
                "azure: GET, new connection": (anew(client, url), anew(another, address)),
            }
            return {
                name: _compared(name, (azure, ours), (bare, other))
                for name, (ours, other) in pairs.items()
            }


def _compared(
    name: str, ours: tuple[psutil.Process, Get], other: tuple[psutil.Process, Get]
) -> Comparison:
    pairs = [(_spent(*ours), _spent(*other)) for _ in range(ROUNDS)]
    return compared(
        f"{name.removeprefix('azure: ')} of a cluster, against the same bytes of http.server",
        ours=("local Azure, for each", [one.cpu_s for one, _ in pairs]),
        other=("http.server, for each", [two.cpu_s for _, two in pairs]),
        clock="CPU",
    )


def _spent(process: psutil.Process, get: Get) -> Spent:
    get()
    cpu, wall = sum(process.cpu_times()[:2]), time.perf_counter()
    for _ in range(REQUESTS):
        get()
    return Spent(
        wall_s=(time.perf_counter() - wall) / REQUESTS,
        cpu_s=(sum(process.cpu_times()[:2]) - cpu) / REQUESTS,
    )


@contextmanager
def _bare(folder: Path, body: bytes) -> Iterator[tuple[psutil.Process, str, str]]:
    authority = trustme.CA()
    authority.cert_pem.write_to_path(folder / "bare-ca.pem")
    authority.issue_cert("127.0.0.1").private_key_and_cert_chain_pem.write_to_path(
        folder / "bare.pem"
    )
    (folder / "body").write_bytes(body)
    command = [sys.executable, "-c", BARE, str(folder / "bare.pem"), str(folder / "body")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as child:
        try:
            port = child.stdout.readline().strip() if child.stdout else ""
            yield (
                psutil.Process(child.pid),
                f"https://127.0.0.1:{port}/",
                str(folder / "bare-ca.pem"),
            )
        finally:
            child.terminate()


def _queries(folder: Path) -> dict[str, Comparison]:
    found: dict[str, list[dict[str, float]]] = {}
    for name, count in (("many", RUNS), ("few", FEW_RUNS)):
        state = folder / name
        state.mkdir()
        _fill(state, count)
        place = folder / f"of-{name}"
        place.mkdir()
        with running_azure(state, place) as environment:
            asked = _asked(environment)
            for get in asked.values():
                get()
            found[name] = [
                {query: _wall(get) for query, get in asked.items()} for _ in range(ROUNDS)
            ]
    return {
        f"azure: {query}": compared(
            f"{query} among {RUNS:,} runs, against the same among {FEW_RUNS}",
            ours=(f"{RUNS:,} runs", [one[query] for one in found["many"]]),
            other=(f"{FEW_RUNS} runs", [one[query] for one in found["few"]]),
        )
        for query in found["many"][0]
    }


def _fill(state: Path, count: int) -> None:
    store = Store(state / "state.db")
    cloud = open_cloud(state, store=store, proxy_url="", ca_file=state / "ca.pem")
    for number in range(count):
        tags: dict[str, str | None] = {"build": str(number % (count // 10))}
        runs.create_run(cloud, experiment="e", run_id=f"run-{number}", tags=tags)
    store.close()


def _asked(environment: Mapping[str, str]) -> dict[str, Get]:
    session, lock = _session(environment), threading.Lock()
    runs_of = f"{DATA}/history/v1.0{_scope(environment)}/experiments/e/runs"

    def post(**body: Any) -> Get:
        return lambda: session.post(f"{runs_of}:query", json=body).raise_for_status()

    made = iter(range(1_000_000))

    def create() -> None:
        with lock:
            number = next(made)
        session.patch(f"{runs_of}/new-{number}", json={}).raise_for_status()

    return {
        "create": create,
        "get": lambda: session.get(f"{runs_of}/run-77").raise_for_status(),
        "list": post(top=100),
        "query by tag": post(filter='(Tags/build eq "7")'),
        "page": post(top=50, continuationToken="50"),
    }


def _wall(get: Get) -> float:
    taken = []
    for _ in range(9):
        started = time.perf_counter()
        get()
        taken.append(time.perf_counter() - started)
    return statistics.median(taken)


def _scope(environment: Mapping[str, str]) -> str:
    return (
        f"/subscriptions/{environment['AML_SUBSCRIPTION_ID']}"
        f"/resourceGroups/{environment['AML_RESOURCE_GROUP']}"
        "/providers/Microsoft.MachineLearningServices"
        f"/workspaces/{environment['AML_WORKSPACE_NAME']}"
    )


def _bare_session(environment: Mapping[str, str]) -> requests.Session:
    session = requests.Session()
    session.trust_env = False
    session.proxies = {"https": environment["HTTPS_PROXY"]}
    session.verify = environment["REQUESTS_CA_BUNDLE"]
    return session


def _session(environment: Mapping[str, str]) -> requests.Session:
    session = _bare_session(environment)
    answer = session.post(
        f"https://login.microsoftonline.com/{environment['AZURE_TENANT_ID']}/oauth2/v2.0/token",
        data={
            "grant_type": "client_credentials",
            "client_id": environment["AZURE_CLIENT_ID"],
            "client_secret": environment["AZURE_CLIENT_SECRET"],
            "scope": f"{ARM}/.default",
        },
    )
    session.headers["Authorization"] = f"Bearer {json.loads(answer.content)['access_token']}"
    return session
