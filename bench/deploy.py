"""Ten releases under load, on both SDKs: does a request fail, and does a bad release get through?

A load generator asks the service at a steady rate, whatever becomes of its requests (an open loop:
latency counts from the time at which a request was due). Meanwhile DeployToAks, out of a freshly
built .vsix, releases ten times. Three releases are bad in different ways, and two are killed.
"""

from __future__ import annotations

import contextlib
import json
import math
import os
import re
import signal
import subprocess
import sys
import tempfile
import threading
import time
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

import click
import requests

from bench.faults import Bench, packed
from local.demo.children import running_azure

TASK = "DeployToAks"
SERVICE = "under-load"
MODEL = "word"
ENVIRONMENT = "this-python"
CLUSTER = "aks-bench"
RELEASES = (
    *("good", "crash", "good", "wrong", "killed early", "good"),
    *("slow", "killed late", "good", "good"),
)
REFUSED = {"crash": "DEPLOYMENT_FAILED", "wrong": "SMOKE_FAILED", "slow": "SMOKE_FAILED"}
"""What a bad release is refused with."""
RATE = 10.0
"""Requests per second."""
ALONE_S = 20.0
"""Seconds of load before the first release, and after the last."""
HANGS_AFTER_S = 30.0
_WORKERS = 32
# What a task says when it is killed: while the new revision starts, or while it takes requests.
_KILLED_AT = {
    "killed early": {"v2": "Deployment of .* is Creating", "v1": "trying the new revision"},
    "killed late": {"v2": "At 10 %", "v1": "Rolling service"},
}
_GOOD = """
import json

def init():
    pass

def run(raw):
    rows = json.loads(raw)["data"]
    return {"predictions": [len(row) for row in rows], "release": RELEASE}
"""
_SCRIPTS = {
    "crash": "def init():\n    raise RuntimeError('there are no weights')\n\n\ndef run(raw): ...\n",
    "wrong": _GOOD.replace("len(row)", "0"),
    "slow": _GOOD.replace("    rows =", "    __import__('time').sleep(4)\n    rows ="),
}
_ASKED = {"data": ["two", "three"]}
_RIGHT = [3, 5]
_BODY = json.dumps(_ASKED).encode()


@dataclass(frozen=True, kw_only=True)
class Asked:
    """A request: when it was due, seconds since the load began; how long it took, in seconds.

    release: which one answered, -1 for none. problem: why it failed, empty when it did not.
    """

    due: float
    took: float
    release: int
    problem: str = ""


@dataclass(frozen=True, kw_only=True)
class Figures:
    """What became of the requests of a time. Percentiles in seconds, by nearest rank."""

    requests: int
    failures: int
    p50: float
    p99: float


def figures(asked: Sequence[Asked]) -> Figures:
    """Sum up requests; the percentiles are 0 where there are none."""
    took = sorted(each.took for each in asked)

    def rank(share: float) -> float:
        return took[max(0, math.ceil(share * len(took)) - 1)] if took else 0.0

    failures = sum(1 for each in asked if each.problem)
    return Figures(requests=len(asked), failures=failures, p50=rank(0.5), p99=rank(0.99))


class Load:
    """Asks at a steady rate, from `begin` until `end`."""

    def __init__(self, azure: Mapping[str, str], address: str, key: str, rate: float) -> None:
        """Ask the service at an address, with a key. rate: requests per second."""
        self._azure = azure
        self._address = address
        self._key = key
        self._rate = rate
        self._sessions = threading.local()
        self._lock = threading.Lock()
        self._asked: list[Asked] = []
        self._stop = threading.Event()
        self._began = 0.0

    @contextlib.contextmanager
    def running(self) -> Iterator[None]:
        """Ask while the block runs; every request has ended when it is left."""
        self._began = time.monotonic()
        with ThreadPoolExecutor(_WORKERS) as pool:
            clock = threading.Thread(target=self._tick, args=(pool,))
            clock.start()
            try:
                yield
            finally:
                self._stop.set()
                clock.join()

    def now(self) -> float:
        """Seconds since the load began."""
        return time.monotonic() - self._began

    def between(self, begin: float, end: float) -> list[Asked]:
        """The requests that were due in a time and have ended."""
        with self._lock:
            return [each for each in self._asked if begin <= each.due < end]

    def _tick(self, pool: ThreadPoolExecutor) -> None:
        number = 0
        while not self._stop.wait(max(0.0, number / self._rate - self.now())):
            pool.submit(self._ask, number / self._rate)
            number += 1

    def _ask(self, due: float) -> None:
        release, problem = -1, ""
        try:
            answer = self._session().post(self._address, data=_BODY, timeout=HANGS_AFTER_S)
            if answer.status_code == 200:
                said = answer.json()
                release = int(said["release"])
                problem = "" if said["predictions"] == _RIGHT else f"wrong: {answer.text[:200]}"
            else:
                problem = f"HTTP {answer.status_code}: {answer.text[:200]}"
        except (requests.RequestException, ValueError, KeyError, TypeError) as error:
            problem = f"{type(error).__name__}: {error}"
        took = self.now() - due
        with self._lock:
            self._asked.append(Asked(due=due, took=took, release=release, problem=problem))

    def _session(self) -> requests.Session:
        found: requests.Session | None = getattr(self._sessions, "one", None)
        if found is None:
            found = self._sessions.one = requests.Session()
            found.trust_env = False
            found.proxies = {"https": self._azure["HTTPS_PROXY"]}
            found.verify = self._azure["REQUESTS_CA_BUNDLE"]
            found.headers["Authorization"] = f"Bearer {self._key}"
            found.headers["Content-Type"] = "application/json"
        return found


@dataclass(kw_only=True)
class Row:
    """A stretch of time under load: a release, or none. ended: what the task did."""

    what: str
    sdk: str
    ended: str
    figures: Figures
    problems: list[str] = field(default_factory=list)


def place(bench: Bench, folder: Path) -> None:
    """Register what the releases need: a model, and an environment that is this Python."""
    script = """
import os
from azure.ai.ml import MLClient
from azure.ai.ml.entities import Model
from azure.identity import EnvironmentCredential

given = os.environ
client = MLClient(
    EnvironmentCredential(), given["AML_SUBSCRIPTION_ID"], given["AML_RESOURCE_GROUP"],
    given["AML_WORKSPACE_NAME"], enable_telemetry=False, show_progress=False,
)
client.models.create_or_update(Model(name="word", version="1", path="model.txt"))
"""
    (folder / "model.txt").write_text("hello", encoding="utf-8")
    subprocess.run(
        [sys.executable, "-c", script],
        cwd=folder,
        env={**os.environ, **bench.azure},
        capture_output=True,
        check=True,
    )
    answer = bench.http.put(
        "https://eastus.api.azureml.ms/environment/v1.0"
        f"/subscriptions/{bench.azure['AML_SUBSCRIPTION_ID']}/resourceGroups/"
        f"{bench.azure['AML_RESOURCE_GROUP']}/providers/Microsoft.MachineLearningServices/"
        f"workspaces/{bench.azure['AML_WORKSPACE_NAME']}/environments/{ENVIRONMENT}/versions/1",
        headers={"Authorization": f"Bearer {bench.token()}"},
        json={"python": {"userManagedDependencies": True, "interpreterPath": sys.executable}},
    )
    answer.raise_for_status()
    rows = zip(_ASKED["data"], _RIGHT, strict=True)
    smoke = [{"input": row, "expected": label} for row, label in rows]
    (folder / "smoke.json").write_text(json.dumps(smoke), encoding="utf-8")


class Releases:
    """The releases of one service, one after the other."""

    def __init__(self, bench: Bench, folder: Path, bake_s: float) -> None:
        """None yet. bake_s: how long each stage of the ramp is watched."""
        self._bench = bench
        self._folder = folder
        self._bake_s = bake_s
        self._number = 0
        self.key = ""
        self.address = ""
        self.live: set[int] = set()

    def release(self, kind: str) -> list[str]:
        """Release once; returns what is wrong with how that ended. Notes which one may be live."""
        self._number += 1
        inputs = self._inputs(kind)
        if kind in _KILLED_AT:
            pattern = _KILLED_AT[kind][self._bench.sdk]
            if not self._killed(inputs, pattern):
                return [f"{kind}: the task never said '{pattern}'"]
            # With v1 the cluster goes on with an update that it was asked for.
            self.live |= {self._number}
            return []
        said = self._bench.play(TASK, self._number, inputs)
        if kind in REFUSED:
            ok = not said.succeeded and REFUSED[kind] in said.text
            return [] if ok else [f"{kind}: it was not refused: {said.text[-2000:]}"]
        if not said.succeeded:
            return [f"{kind}: {said.text[-2000:]}"]
        self.live = {self._number}
        return self._noted(said.text)

    def _noted(self, text: str) -> list[str]:
        """Read key and address from what a release said; another key than before is wrong."""
        key = _output(text, "primaryKey")
        changed = ["the key changed"] if self.key and key != self.key else []
        self.key, self.address = key, _output(text, "scoringUri")
        return changed if key else ["the task handed on no key"]

    def _inputs(self, kind: str) -> dict[str, str]:
        script = _SCRIPTS.get(kind, _GOOD).replace("RELEASE", str(self._number))
        folder = self._folder / f"release-{self._number}"
        folder.mkdir()
        (folder / "score.py").write_text(script, encoding="utf-8")
        aks = {"aksName": CLUSTER, "createIfMissing": "true"}
        where = {"target": "managed"} if self._bench.sdk == "v2" else aks
        return {
            **where,
            "serviceName": SERVICE,
            "modelName": MODEL,
            "modelVersion": "1",
            "entryScript": str(folder / "score.py"),
            "environment": f"{ENVIRONMENT}:1",
            "smokeFile": "smoke.json",
            "smokeMaxSeconds": "2",
            "bakeSeconds": str(self._bake_s),
            "exportKey": "true",
        }

    def _killed(self, inputs: Mapping[str, str], pattern: str) -> bool:
        """Start a release and kill all of it when it says something. Returns whether it did."""
        process = self._bench.start(TASK, self._number, 1, inputs, "launcher.js")
        assert process.stdout is not None  # noqa: S101 - a pipe
        said = False
        for text in process.stdout:
            if re.search(pattern, text):
                said = True
                break
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
        return said


def _output(text: str, name: str) -> str:
    found = re.search(rf"##vso\[task\.setvariable variable={name};[^\]]*\](\S+)", text)
    return found[1] if found else ""


def under_load(
    bench: Bench,
    folder: Path,
    kinds: Sequence[str] = RELEASES,
    *,
    rate: float = RATE,
    alone_s: float = ALONE_S,
    bake_s: float = 3.0,
) -> Iterator[Row]:
    """Release a service for the first time, and then under load; a row for each stretch of time."""
    place(bench, folder)
    releases = Releases(bench, folder, bake_s)
    problems = releases.release("good")
    if problems:
        raise RuntimeError(f"the first release failed: {problems}")
    load = Load(bench.azure, releases.address, releases.key, rate)
    waiting: list[tuple[str, list[str], set[int], float, float]] = []
    with load.running():
        for kind in ("before", *kinds, "after"):
            begin, before = load.now(), set(releases.live)
            problems = []
            if kind in ("before", "after"):
                time.sleep(alone_s)
            else:
                problems = releases.release(kind)
            waiting.append((kind, problems, before | releases.live, begin, load.now()))
    for kind, problems, may_answer, begin, end in waiting:
        asked = load.between(begin, end)
        failed = [f"{kind}: {each.problem}" for each in asked if each.problem]
        strange = {each.release for each in asked if not each.problem} - may_answer
        if strange:
            failed.append(f"{kind}: answered by {sorted(strange)}, and not by {sorted(may_answer)}")
        ended = "killed" if kind in _KILLED_AT else "refused" if kind in REFUSED else "released"
        yield Row(
            what=kind,
            sdk=bench.sdk,
            ended="" if kind in ("before", "after") else ended,
            figures=figures(asked),
            problems=[*problems, *failed],
        )


def of_sdk(sdk: str, vsix: Path, kinds: Sequence[str] = RELEASES, **how: float) -> list[Row]:
    """The rows of one SDK, against a local Azure of its own."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        with zipfile.ZipFile(vsix) as archive:
            archive.extractall(folder)
        with running_azure(folder / "state", folder) as azure:
            return list(under_load(Bench(sdk, folder, azure), folder, kinds, **how))


def run() -> list[Row]:
    """Both SDKs, one after the other: the machine is busy enough with one."""
    with tempfile.TemporaryDirectory() as name:
        vsix = packed(Path(name))
        found = []
        for sdk in ("v2", "v1"):
            for row in of_sdk(sdk, vsix):
                found.append(row)
                for told in (line(row), *row.problems):
                    click.echo(f"  {told}", err=True)
        return found


def line(row: Row) -> str:
    """A row of the table."""
    found = row.figures
    counts = (
        f"{found.requests} | {found.failures} | {found.p50 * 1000:.0f} | {found.p99 * 1000:.0f}"
    )
    as_expected = "yes" if not row.problems else f"no ({len(row.problems)})"
    return f"| {row.sdk} | {row.what} | {row.ended} | {as_expected} | {counts} |"


def table(rows: Sequence[Row]) -> Iterator[str]:
    """The figures as a table of Markdown."""
    yield "| SDK | Release | Ended | as expected | requests | failures | p50 ms | p99 ms |"
    yield "| --- | --- | --- | --- | --- | --- | --- | --- |"
    yield from map(line, rows)
