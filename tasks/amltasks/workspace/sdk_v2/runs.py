"""Runs through Resource Manager and the workspace's data plane: run history, artifacts, MLflow."""

from __future__ import annotations

import contextlib
import dataclasses
import logging
import time
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime, timezone
from pathlib import Path
from typing import Any
from urllib.parse import quote

import requests

from amltasks import errors, metrics
from amltasks.workspace.artifacts import holds, inside
from amltasks.workspace.downloads import download
from amltasks.workspace.failures import http_status, translated
from amltasks.workspace.logs import LogReader
from amltasks.workspace.port import ONLY_STEP, PreparedRun, Run, Runs, Submission
from amltasks.workspace.run_states import to_run
from amltasks.workspace.sdk_v2.bodies import ArtifactBody, RunBody
from amltasks.workspace.sdk_v2.rest import Rest, new_session

log = logging.getLogger("amltasks")

_LATEST = datetime.max.replace(tzinfo=timezone.utc)
_HISTORY, _ARTIFACT, _MLFLOW = "history/v1.0", "artifact/v2.0", "mlflow/v2.0"
# The type of a command job's run.
_COMMAND = "azureml.scriptrun"
# A job that another process is submitting at this moment is in run history within seconds.
_RACE_LOOKS, _RACE_SECONDS = 3, 0.5


class _Prepared(PreparedRun):
    """A pipeline job that azure-ai-ml built."""

    def __init__(self, runs: RestRuns, job: Any) -> None:
        """Keep the ``PipelineJob`` and the runs it will be one of."""
        self._runs = runs
        self._job = job

    def start(self, sending: Callable[[str], None]) -> Run:
        return self._runs.start(self._job, sending)


class RestRuns(Runs):
    """The port's ``Runs``."""

    def __init__(self, rest: Rest) -> None:
        """Work in this workspace."""
        self._rest = rest
        # Blobs are read at signed addresses: our token must not go to the storage account.
        self._blobs = new_session()
        self._links: dict[str, str] = {}
        self._logs: dict[str, LogReader] = {}
        self._kinds: dict[str, str] = {}
        self._submitter: Any = None

    def prepare(self, submission: Submission) -> PreparedRun:
        with self._renewing():
            return _Prepared(self, self._azure_ai_ml().build(submission))

    def start(self, job: Any, sending: Callable[[str], None]) -> Run:
        """Start a pipeline job that was built; what :meth:`PreparedRun.start` does."""
        try:
            with self._renewing():
                run: Run = self._azure_ai_ml().start(job, sending)
        except errors.TaskError as error:
            # Azure refuses a second job of this name: another process was first, or the answer to
            # an earlier request was lost.
            found = self._made_before(str(job.name)) if http_status(error) in (400, 409) else None
            if found is None:
                raise
            return found
        self._links[run.id] = run.url
        return run

    def _made_before(self, name: str) -> Run | None:
        for _ in range(_RACE_LOOKS):
            found = self.claimed(name)
            if found is not None:
                return found
            time.sleep(_RACE_SECONDS)
        return None

    def claimed(self, claim: str) -> Run | None:
        try:
            return self.get(claim)
        except errors.TaskError as error:
            if error.cause is not errors.RUN_NOT_FOUND:
                raise
            return None

    @contextlib.contextmanager
    def _renewing(self) -> Iterator[None]:
        """Have the next call sign in anew if Azure refuses the token."""
        try:
            yield
        except errors.TaskError as error:
            if error.cause is errors.UNAUTHORIZED:
                self._rest.sign_in.renew()
                self._submitter = None  # azure-ai-ml keeps the token, too
            raise

    def get(self, run_id: str) -> Run:
        found = self._history(run_id, f"looking at the run {run_id}")
        return _run(found, self._link(run_id))

    def tag(self, run_id: str, tags: Mapping[str, str]) -> None:
        doing = f"tagging the run {run_id}"
        experiment = self._history(run_id, doing)["experimentId"]
        with translated(doing):
            path = f"experimentids/{experiment}/runs/{quote(run_id, safe='')}"
            self._rest.data("PATCH", _HISTORY, path, {"tags": dict(tags)})

    def steps(self, run_id: str) -> tuple[Run, ...]:
        if run_id not in self._kinds:
            found_run = self._history(run_id, f"looking at the run {run_id}")
            self._kinds[run_id] = str(found_run.get("runType") or "")
        if self._kinds[run_id].lower() == _COMMAND:
            return (dataclasses.replace(self.get(run_id), name=ONLY_STEP),)
        with translated(f"looking at the steps of the run {run_id}"):
            found = list(self._children(run_id))
        steps = [self._step(run_id, each) for each in found]
        return tuple(sorted(steps, key=lambda step: step.started or _LATEST))

    def _step(self, run_id: str, found: RunBody) -> Run:
        step = _run(found, self._link(run_id, step_id=found["runId"]))
        # Files, metrics and logs of a reused step belong to the step that ran.
        origin = (found.get("properties") or {}).get("azureml.reusedrunid")
        if not origin:
            return step
        url = step.url.replace(step.id, origin)
        return dataclasses.replace(step, id=origin, url=url, reused=True)

    def new_log_lines(self, run_id: str, *, last: bool = False) -> list[str]:
        reader = self._logs.setdefault(run_id, LogReader(session=self._blobs))
        with translated(f"reading the log of the step {run_id}"):
            details = self._rest.data("GET", _HISTORY, f"runs/{quote(run_id)}/details").json()
            return reader.new_lines(dict(details.get("logFiles") or {}), last=last)

    def metrics(self, run_id: str) -> dict[str, float]:
        # MLflow answers with the last value of every metric.
        path = "api/2.0/mlflow/runs/get"
        with translated(f"reading the metrics of the run {run_id}"):
            answer = self._rest.data("GET", _MLFLOW, path, run_id=run_id).json()
        logged = answer["run"].get("data", {}).get("metrics") or []
        return metrics.numbers({each["key"]: each.get("value", 0.0) for each in logged})

    def files(self, run_id: str) -> tuple[str, ...]:
        with translated(f"listing the files of the run {run_id}"):
            found = self._artifacts(f"ExperimentRun/dcid.{quote(run_id)}")
            return tuple(sorted({each["path"] for each in found}))

    def download_files(self, run_id: str, prefix: str, folder: Path) -> int:
        count = 0
        with translated(f"downloading '{prefix}' of the run {run_id}"):
            at = f"prefix/contentinfo/ExperimentRun/dcid.{quote(run_id)}/{quote(prefix)}"
            for each in self._artifacts(at):
                if holds(prefix, each["path"]):
                    download(self._blobs, each["contentUri"], inside(folder, each["path"]))
                    count += 1
        return count

    def download_output(self, step_id: str, output: str, folder: Path) -> int:
        with translated(f"downloading the output '{output}'"):
            asked = {"runId": step_id, "selectRunMetadata": True}
            known = self._rest.data("POST", _HISTORY, "rundata", asked).json()["runMetadata"]
            if output not in (known.get("outputs") or {}):
                return 0
            return int(self._azure_ai_ml().download(step_id, output, folder))

    def cancel(self, run_id: str) -> None:
        with translated(f"canceling the run {run_id}"):
            self._rest.arm("POST", f"jobs/{run_id}/cancel")

    def _azure_ai_ml(self) -> Any:
        if self._submitter is None:
            # Its import takes seconds, and only few calls need it.
            log.info("Loading azure-ai-ml")
            from amltasks.workspace.sdk_v2.submission import Submitter

            self._submitter = Submitter(self._rest)
        return self._submitter

    def _history(self, run_id: str, doing: str) -> RunBody:
        with translated(doing):
            try:
                found: RunBody = self._rest.data(
                    "GET", _HISTORY, f"runs/{quote(run_id, safe='')}"
                ).json()
            except requests.HTTPError as cause:
                if http_status(cause) != 404:
                    raise
                raise errors.RUN_NOT_FOUND.error(run=run_id, workspace=self._rest.name) from cause
        return found

    def _children(self, run_id: str) -> Iterator[RunBody]:
        query: dict[str, str] = {}
        while True:
            path = f"runs/{quote(run_id, safe='')}/children"
            answer = self._rest.data("GET", _HISTORY, path, **query).json()
            yield from answer.get("value") or []
            if not answer.get("continuationToken"):
                return
            query = {"$continuationtoken": answer["continuationToken"]}

    def _artifacts(self, path: str) -> Iterator[ArtifactBody]:
        query: dict[str, str] = {}
        while True:
            answer = self._rest.data("GET", _ARTIFACT, f"artifacts/{path}", **query).json()
            yield from answer.get("value") or []
            if not answer.get("continuationToken"):
                return
            query = {"continuationToken": answer["continuationToken"]}

    def _link(self, run_id: str, *, step_id: str = "") -> str:
        """The address of the run's page in the studio, or of a step's, which has the same form."""
        if run_id not in self._links:
            with translated(f"looking at the job {run_id}"):
                job = self._rest.find(f"jobs/{run_id}") or {}
            services = (job.get("properties") or {}).get("services") or {}
            self._links[run_id] = str((services.get("Studio") or {}).get("endpoint") or "")
        return self._links[run_id].replace(run_id, step_id or run_id)


def _run(found: RunBody, url: str) -> Run:
    name = str(found.get("displayName") or found.get("name") or found["runId"])
    return to_run(found, run_id=str(found["runId"]), name=name, url=url)
