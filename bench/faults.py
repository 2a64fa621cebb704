"""Each task through each fault at each phase, and killed at random points, on both SDKs.

For each case: what the task ends as, how many runs or clusters there are, what became of foreign
ones, and whether a secret was shown. The tasks run out of a freshly built .vsix, as the agent
starts them, against a local Azure for each SDK.
"""

from __future__ import annotations

import json
import os
import random
import re
import signal
import subprocess
import sys
import tempfile
import time
import zipfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import click
import requests

from bench.startup import FILES, PIPELINES, TRAIN, client_environment
from bench.wrong_input import ROOT
from local.demo.children import running_azure

CLUSTER = "cpu-cluster"
FAULTS = (
    *("status=429 retry-after=1 times=3", "status=503 times=3", "drop times=2"),
    *("truncate=10 times=1", "expired times=1", "latency=3 times=2"),
)
"""What goes wrong; each passes, and the task must get over it."""
_OPENS = "method=GET host=management.azure.com path=*/workspaces/ws-local"
_COMPUTE = "path=*/workspaces/ws-local/computes/per*"
PHASES: Mapping[str, Mapping[str, Mapping[str, str]]] = {
    "RunAmlPipeline": {
        "before submitting": {"v2": _OPENS, "v1": _OPENS},
        "submitting": {
            "v2": "method=PUT path=*/jobs/pipelines-*",
            "v1": "method=POST path=*/PipelineRuns/Submit/*",
        },
        "claiming": {
            "v2": "method=GET path=/history/*/runs/pipelines-*",
            "v1": "host=*.blob.core.windows.net path=*/azure-pipelines/claims/*",
        },
        "queued and running": {
            "v2": "method=GET path=/history/* after=4",
            "v1": "method=GET path=*/runs/*/details after=2",
        },
        "downloading": {"v2": "path=/artifact/*", "v1": "path=/artifact/*"},
    },
    "ProvisionAmlCompute": {
        "before creating": {"v2": _OPENS, "v1": _OPENS},
        "creating": {"v2": f"method=PUT {_COMPUTE}", "v1": f"method=PUT {_COMPUTE}"},
        "waiting": {
            "v2": f"method=GET {_COMPUTE} after=1",
            "v1": f"method=GET {_COMPUTE} after=1",
        },
    },
}
"""The requests of each phase of a task, by SDK."""
_SLOW = "import time\ntime.sleep(2)\n"
_PATIENCE_S = 300.0
# Characters of what a task said that tell why a case went wrong.
_SAID = 600
# A cluster of a job whose agent died expires within this.
_EXPIRE_HOURS = "0.002"
_EXPIRED_AFTER_S = 0.002 * 3600 + 1


@dataclass(kw_only=True)
class Row:
    """Counts of the cases of one task, phase and SDK."""

    task: str
    phase: str
    sdk: str
    cases: int = 0
    one: int = 0
    right: int = 0
    silent: int = 0
    problems: list[str] = field(default_factory=list)

    def add(self, what: str, *, one: bool, right: bool, silent: bool, said: str) -> None:
        """Count a case: one run or cluster, the right end, no secret in what was said."""
        self.cases += 1
        self.one += one
        self.right += right
        self.silent += silent
        if not (one and right and silent):
            self.problems.append(f"{what}: {said[-_SAID:]}")


@dataclass(frozen=True, kw_only=True)
class Said:
    """How a task ended, and all that it printed."""

    succeeded: bool
    text: str


class Bench:
    """One SDK: the unpacked tasks, a local Azure, and the agent's environment."""

    def __init__(self, sdk: str, folder: Path, azure: Mapping[str, str]) -> None:
        """Point the tasks at a local Azure."""
        self.sdk = sdk
        self.folder = folder
        self.azure = azure
        environment = client_environment(folder, azure)
        names = json.loads(environment["VSTS_PUBLIC_VARIABLES"])
        names += ["System.TaskInstanceName", "System.CollectionId"]
        self.environment = {
            **environment,
            "VSTS_PUBLIC_VARIABLES": json.dumps(names),
            "SYSTEM_TASKINSTANCENAME": "step",
            "SYSTEM_COLLECTIONID": "bench",
        }
        self.builds = iter(range(1, 1_000_000))
        self.http = requests.Session()
        self.http.trust_env = False
        self.http.proxies = {"https": azure["HTTPS_PROXY"]}
        self.http.verify = azure["REQUESTS_CA_BUNDLE"]

    def start(
        self, task: str, build: int, attempt: int, inputs: Mapping[str, str], handler: str
    ) -> subprocess.Popen[str]:
        """Start a task as the agent does, as the leader of a group of processes."""
        given = {f"INPUT_{key.upper()}": text for key, text in {**inputs, "sdk": self.sdk}.items()}
        job = {"BUILD_BUILDID": str(build), "SYSTEM_JOBATTEMPT": str(attempt)}
        return subprocess.Popen(
            ["node", str(self.folder / "tasks" / f"{task}V1" / handler)],
            cwd=self.folder,
            env={**self.environment, **given, **job},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )

    def play(
        self,
        task: str,
        build: int,
        inputs: Mapping[str, str],
        *,
        attempt: int = 1,
        handler: str = "launcher.js",
    ) -> Said:
        """Run a task to its end."""
        process = self.start(task, build, attempt, inputs, handler)
        try:
            text, _ = process.communicate(timeout=_PATIENCE_S)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            text = process.communicate()[0] + "\n(ended by the bench: it took too long)"
        done = re.search(r"##vso\[task\.complete result=Succeeded", text) is not None
        return Said(succeeded=done and process.returncode == 0, text=text)

    def silent(self, text: str) -> bool:
        """Whether no secret of the connection is in a text, not even as a part."""
        secret = self.azure["AZURE_CLIENT_SECRET"]
        shown = re.sub(r"##vso\[task\.setsecret\][^\n]*", "", text)
        return secret not in shown and secret[:20] not in shown and "eyJ" not in shown

    def faults(self, method: str, spec: str = "") -> None:
        """Set a fault, or clear all."""
        answer = requests.request(
            method,
            f"{self.azure['HTTPS_PROXY']}/faults",
            params={"spec": spec} if spec else None,
            auth=(self.azure["AZURE_CLIENT_ID"], self.azure["AZURE_CLIENT_SECRET"]),
            timeout=30,
        )
        answer.raise_for_status()

    def token(self) -> str:
        """An access token for Azure."""
        answer = self.http.post(
            f"https://login.microsoftonline.com/{self.azure['AZURE_TENANT_ID']}/oauth2/v2.0/token",
            data={
                "grant_type": "client_credentials",
                "client_id": self.azure["AZURE_CLIENT_ID"],
                "client_secret": self.azure["AZURE_CLIENT_SECRET"],
                "scope": "https://management.azure.com/.default",
            },
        )
        return str(answer.json()["access_token"])

    def arm(self, method: str, path: str, body: Any = None) -> Any:
        """Ask Resource Manager for something of the workspace."""
        answer = self.http.request(
            method,
            "https://management.azure.com"
            f"/subscriptions/{self.azure['AML_SUBSCRIPTION_ID']}/resourceGroups/"
            f"{self.azure['AML_RESOURCE_GROUP']}/providers/Microsoft.MachineLearningServices/"
            f"workspaces/{self.azure['AML_WORKSPACE_NAME']}/{path}?api-version=2024-04-01",
            headers={"Authorization": f"Bearer {self.token()}"},
            json=body,
        )
        answer.raise_for_status()
        return answer.json() if answer.content else None

    def runs(self, build: int) -> list[str]:
        """The states of the runs that were submitted for a build, but those not started."""
        found = (job["properties"] for job in self.arm("GET", "jobs")["value"])
        return [
            job["status"]
            for job in found
            if (job["tags"] or {}).get("build_id") == str(build) and job["status"] != "NotStarted"
        ]

    def clusters(self) -> dict[str, dict[str, str]]:
        """The tags of the clusters there are, by name."""
        return {
            each["name"]: each["tags"] or {}
            for each in self.arm("GET", "computes")["value"]
            if each["properties"]["computeType"] == "AmlCompute"
            and each["properties"]["provisioningState"] != "Deleting"
        }


def run_inputs(sdk: str) -> dict[str, str]:
    """The inputs of RunAmlPipeline."""
    return {
        "pipelineFile": FILES[sdk],
        "experimentName": "faults",
        "forceRerun": "true",
        "downloadOutputs": "train/outputs/model",
    }


def per_run_inputs() -> dict[str, str]:
    """The inputs of ProvisionAmlCompute for a cluster of one job."""
    return {
        "computeName": "per",
        "lifecycle": "perRun",
        "waitFor": "created",
        "expireAfterHours": _EXPIRE_HOURS,
    }


def faulted(bench: Bench, faults: Sequence[str] = FAULTS) -> Iterator[Row]:
    """Each task through each fault at each phase."""
    for task, phases in PHASES.items():
        for phase, requests_ in phases.items():
            row = Row(task=task, phase=phase, sdk=bench.sdk)
            for fault in faults:
                build = next(bench.builds)
                bench.faults("POST", f"{fault} {requests_[bench.sdk]}")
                try:
                    if task == "RunAmlPipeline":
                        said = bench.play(task, build, run_inputs(bench.sdk))
                    else:
                        said = bench.play(task, build, per_run_inputs())
                finally:
                    bench.faults("DELETE")
                if task == "RunAmlPipeline":
                    one = bench.runs(build) == ["Completed"]
                else:
                    after = bench.play(task, build, per_run_inputs(), handler="cleanUp.js")
                    one = after.succeeded and not _ours(bench)
                    said = Said(succeeded=said.succeeded, text=said.text + after.text)
                row.add(
                    f"{bench.sdk} {phase} {fault}",
                    one=one,
                    right=said.succeeded,
                    silent=bench.silent(said.text),
                    said=said.text,
                )
            yield row


def _ours(bench: Bench) -> list[str]:
    return [name for name, tags in bench.clusters().items() if "pipelines_owner" in tags]


def _killed(bench: Bench, task: str, build: int, attempt: int, after_s: float, whole: bool) -> str:
    """Start a task and kill it after some seconds, its launcher alone or all of it."""
    inputs = run_inputs(bench.sdk) if task == "RunAmlPipeline" else per_run_inputs()
    process = bench.start(task, build, attempt, inputs, "launcher.js")
    time.sleep(after_s)
    if whole:
        os.killpg(process.pid, signal.SIGKILL)
    else:
        process.kill()
    return process.communicate()[0]


def killed_runs(bench: Bench, kills: int, chance: random.Random) -> Row:
    """RunAmlPipeline killed at random points, and tried again: one run each."""
    row = Row(task="RunAmlPipeline", phase="killed and started again", sdk=bench.sdk)
    begun = time.monotonic()
    bench.play("RunAmlPipeline", next(bench.builds), run_inputs(bench.sdk))
    lasts = time.monotonic() - begun
    for _ in range(kills):
        build, after, whole = next(bench.builds), chance.uniform(0, lasts), chance.random() < 0.5
        text = _killed(bench, "RunAmlPipeline", build, 1, after, whole)
        said = bench.play("RunAmlPipeline", build, run_inputs(bench.sdk), attempt=2)
        row.add(
            f"{bench.sdk} killed after {after:.1f} of {lasts:.1f} s, {'all' if whole else 'Node'}",
            one=bench.runs(build) == ["Completed"],
            right=said.succeeded,
            silent=bench.silent(text + said.text),
            said=f"{bench.runs(build)} {said.text}",
        )
    return row


def killed_clusters(bench: Bench, kills: int, chance: random.Random) -> Row:
    """ProvisionAmlCompute killed at random points; a later build sweeps what it left."""
    row = Row(task="ProvisionAmlCompute", phase="killed, swept by a later build", sdk=bench.sdk)
    begun = time.monotonic()
    bench.play("ProvisionAmlCompute", next(bench.builds), per_run_inputs())
    lasts = time.monotonic() - begun
    foreign = {name for name in bench.clusters() if name not in _ours(bench)}
    for _ in range(kills):
        after, whole = chance.uniform(0, lasts), chance.random() < 0.5
        text = _killed(bench, "ProvisionAmlCompute", next(bench.builds), 1, after, whole)
        time.sleep(_EXPIRED_AFTER_S)
        reuse = {"computeName": CLUSTER, "sweepExpired": "true", "waitFor": "created"}
        said = bench.play("ProvisionAmlCompute", next(bench.builds), reuse)
        left = bench.clusters()
        row.add(
            f"{bench.sdk} killed after {after:.1f} of {lasts:.1f} s, {'all' if whole else 'Node'}",
            one=not any("pipelines_owner" in tags for tags in left.values()),
            right=said.succeeded and foreign <= set(left),
            silent=bench.silent(text + said.text),
            said=f"{sorted(left)} {said.text}",
        )
    return row


def _foreign(bench: Bench) -> None:
    """Make clusters that no sweep may delete: plain ones, and ones that look a little like ours."""
    for name, tags in {
        CLUSTER: {},
        "per-theirs": {"team": "parts"},
        "per-dated": {"pipelines_expires": "2020-01-01T00:00:00+00:00"},
        "per-made": {"pipelines_lifecycle": "perRun"},
    }.items():
        scale = {"minNodeCount": 0, "maxNodeCount": 2}
        inner = {"vmSize": "STANDARD_DS3_V2", "scaleSettings": scale}
        properties = {"computeType": "AmlCompute", "properties": inner}
        body = {"location": "eastus", "tags": tags, "properties": properties}
        bench.arm("PUT", f"computes/{name}", body)


def everything(bench: Bench, kills: int, chance: random.Random) -> Iterator[Row]:
    """All rows of one SDK."""
    yield killed_runs(bench, kills, chance)
    yield killed_clusters(bench, kills, chance)
    yield from faulted(bench)


def of_sdk(sdk: str, vsix: Path, rows: Callable[[Bench], Iterator[Row]]) -> list[Row]:
    """Rows of one SDK, against a local Azure of its own. Each is told when it is there."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        with zipfile.ZipFile(vsix) as archive:
            archive.extractall(folder)
        (folder / "src").mkdir()
        (folder / "src" / "train.py").write_text(_SLOW + TRAIN, encoding="utf-8")
        for each, text in PIPELINES.items():
            slow = text.replace("command: mkdir", "command: sleep 2 && mkdir")
            (folder / FILES[each]).write_text(slow, encoding="utf-8")
        with running_azure(folder / "state", folder) as azure:
            bench = Bench(sdk, folder, azure)
            _foreign(bench)
            found = []
            for row in rows(bench):
                found.append(row)
                for told in (line(row), *row.problems):
                    click.echo(f"  {told}", err=True)
            return found


def packed(folder: Path) -> Path:
    """Build the .vsix into a folder."""
    build = [sys.executable, "-m", "extension.package", "--out", str(folder)]
    built = subprocess.run(build, cwd=ROOT, capture_output=True, text=True, check=True)
    return Path(built.stdout.strip().splitlines()[-1])


def run(kills: int, seed: int = 1) -> list[Row]:
    """Run both SDKs side by side."""

    def rows(bench: Bench) -> Iterator[Row]:
        return everything(bench, kills, _chance(seed))

    with tempfile.TemporaryDirectory() as name:
        vsix = packed(Path(name))
        with ThreadPoolExecutor(max_workers=2) as pool:
            found = [pool.submit(of_sdk, sdk, vsix, rows) for sdk in FILES]
            return [row for each in found for row in each.result()]


def _chance(seed: int) -> random.Random:
    return random.Random(seed)  # noqa: S311 - nothing secret: when to kill


def line(row: Row) -> str:
    """A row of the table."""
    counts = (row.cases, row.one, row.right, row.silent)
    return f"| {row.task} | {row.phase} | {row.sdk} | {' | '.join(map(str, counts))} |"


def table(rows: list[Row]) -> Iterator[str]:
    """The counts as a table of Markdown."""
    yield "| Task | Phase | SDK | cases | one run, no cluster left | right end | no secret shown |"
    yield "| --- | --- | --- | --- | --- | --- | --- |"
    for row in sorted(rows, key=lambda each: (each.task, each.phase, each.sdk)):
        yield line(row)
