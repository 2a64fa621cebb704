"""Runs with azureml-core and azureml-pipeline-core."""

from __future__ import annotations

import contextlib
import dataclasses
import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import requests

from amltasks import errors, metrics
from amltasks.workspace.artifacts import holds, inside
from amltasks.workspace.failures import http_status, translated
from amltasks.workspace.logs import LogReader
from amltasks.workspace.port import PreparedRun, Run, Runs, Submission
from amltasks.workspace.printing import banners_hidden
from amltasks.workspace.run_states import to_run
from amltasks.workspace.sdk_v1.submission import Claims, Submitter
from amltasks.workspace.sign_in import SignIn

_LATEST = datetime.max.replace(tzinfo=timezone.utc)


class _Prepared(PreparedRun):
    """A pipeline run that is created and not submitted."""

    def __init__(self, runs: SdkRuns, submitter: Submitter, submission: Submission) -> None:
        """Keep what starts it."""
        self._runs = runs
        self._submitter = submitter
        self._submission = submission

    def start(self, sending: Callable[[str], None]) -> Run:
        return self._runs.start(self._submitter, self._submission, sending)


class SdkRuns(Runs):
    """The port's ``Runs``. Caches the SDK's run objects and the steps that ended."""

    def __init__(self, sdk: Any, sign_in: SignIn) -> None:
        """Work in this ``azureml.core.Workspace``, which signs in with ``sign_in``."""
        self._sdk = sdk
        self._sign_in = sign_in
        self._claims = Claims(sdk)
        self._known: dict[str, Any] = {}
        self._ended: dict[str, Run] = {}
        self._log_files: dict[str, dict[str, str]] = {}
        self._logs: dict[str, LogReader] = {}
        self._session = requests.Session()

    def prepare(self, submission: Submission) -> PreparedRun:
        with self._renewing():
            return _Prepared(self, Submitter(self._sdk, self._claims, submission), submission)

    def start(
        self, submitter: Submitter, submission: Submission, sending: Callable[[str], None]
    ) -> Run:
        """Start a run that was created; what :meth:`PreparedRun.start` does."""
        with self._renewing():
            run_id = submitter.start(sending)
            if submission.display_name:
                with translated(f"naming the run {run_id}"):
                    self._run(run_id).display_name = submission.display_name
        return Run(id=run_id, name=run_id, status="NotStarted", tags=submission.tags)

    def claimed(self, claim: str) -> Run | None:
        run_id = self._claims.holder(claim)
        if not run_id:
            return None
        try:
            run = self.get(run_id)
        except errors.TaskError as error:
            # Claimed by a process that was killed before it submitted the run.
            if error.cause is not errors.RUN_NOT_FOUND:
                raise
            return None
        with translated(f"looking at the run {run_id}"):
            return dataclasses.replace(run, tags=self._run(run_id).get_tags())

    @contextlib.contextmanager
    def _renewing(self) -> Iterator[None]:
        """Have the next call sign in anew if Azure refuses the token."""
        try:
            yield
        except errors.TaskError as error:
            if error.cause is errors.UNAUTHORIZED:
                self._sign_in.renew()
            raise

    def get(self, run_id: str) -> Run:
        run = self._run(run_id)
        with translated(f"looking at the run {run_id}"):
            return _run(run, run.get_details())

    def tag(self, run_id: str, tags: Mapping[str, str]) -> None:
        run = self._run(run_id)
        with translated(f"tagging the run {run_id}"):
            run.set_tags(dict(tags))

    def steps(self, run_id: str) -> tuple[Run, ...]:
        run = self._run(run_id)
        with translated(f"looking at the steps of the run {run_id}"):
            children = list(run.get_children())
            for child in children:
                self._known.setdefault(child.id, child)
            found = [self._step(child) for child in children]
        return tuple(sorted(found, key=lambda step: step.started or _LATEST))

    def _step(self, child: Any) -> Run:
        if child.id not in self._ended:
            details = child.get_details()
            self._log_files[child.id] = dict(details.get("logFiles") or {})
            step = _run(child, details)
            if not step.ended:
                return step
            self._ended[child.id] = step
        return self._ended[child.id]

    def new_log_lines(self, run_id: str, *, last: bool = False) -> list[str]:
        reader = self._logs.setdefault(run_id, LogReader(session=self._session))
        with translated(f"reading the log of the step {run_id}"):
            return reader.new_lines(self._log_files.get(run_id, {}), last=last)

    def metrics(self, run_id: str) -> dict[str, float]:
        run = self._run(run_id)
        with translated(f"reading the metrics of the run {run_id}"):
            return metrics.numbers(run.get_metrics())

    def files(self, run_id: str) -> tuple[str, ...]:
        run = self._run(run_id)
        with translated(f"listing the files of the run {run_id}"):
            return tuple(sorted(set(run.get_file_names())))

    def download_files(self, run_id: str, prefix: str, folder: Path) -> int:
        wanted = [name for name in self.files(run_id) if holds(prefix, name)]
        run = self._run(run_id)
        with translated(f"downloading '{prefix}' of the run {run_id}"):
            for name in wanted:
                target = inside(folder, name)
                target.parent.mkdir(parents=True, exist_ok=True)
                run.download_file(name, str(target))
        return len(wanted)

    def download_output(self, step_id: str, output: str, folder: Path) -> int:
        step = self._run(step_id)
        with translated(f"downloading the output '{output}'"):
            if step.type == "azureml.StepRun" and not hasattr(step, "get_outputs"):
                raise errors.SDK_BROKEN.error(
                    doing=f"downloading the output '{output}'",
                    detail=f"Expected a StepRun, got {type(step).__name__}",
                )
            if not hasattr(step, "get_outputs") or output not in step.get_outputs():
                return 0
            reference = step.get_output_data(output)
            folder.mkdir(parents=True, exist_ok=True)
            # The SDK puts azureml/<id>/<output>/ before the files' names, which nobody wants.
            with tempfile.TemporaryDirectory(dir=folder) as temporary, banners_hidden():
                count = int(reference.download(temporary, overwrite=True, show_progress=False))
                source = Path(temporary) / reference.path_on_datastore
                if source.is_dir():
                    shutil.copytree(source, folder, dirs_exist_ok=True)
                elif source.is_file():
                    shutil.copy2(source, folder)
            return count

    def cancel(self, run_id: str) -> None:
        run = self._run(run_id)
        with translated(f"canceling the run {run_id}"):
            run.cancel()

    def _run(self, run_id: str) -> Any:
        if run_id not in self._known:
            with translated(f"looking for the run {run_id}"):
                try:
                    self._known[run_id] = self._sdk.get_run(run_id)
                except Exception as cause:
                    if http_status(cause) != 404:
                        raise
                    raise errors.RUN_NOT_FOUND.error(
                        run=run_id, workspace=self._sdk.name
                    ) from cause
        return self._known[run_id]


def _run(run: Any, details: dict[str, Any]) -> Run:
    return to_run(
        details,
        run_id=run.id,
        name=run.display_name or run.name or run.id,
        url=run.get_portal_url(),
    )
