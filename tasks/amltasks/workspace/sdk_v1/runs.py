"""Runs with azureml-core and azureml-pipeline-core."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Mapping
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import requests

from amltasks import errors, metrics
from amltasks.workspace.artifacts import holds, inside
from amltasks.workspace.failures import http_status, translated
from amltasks.workspace.logs import LogReader
from amltasks.workspace.port import Run, Runs, Submission
from amltasks.workspace.printing import banners_hidden
from amltasks.workspace.run_states import to_run
from amltasks.workspace.sdk_v1 import pipeline_file

_LATEST = datetime.max.replace(tzinfo=timezone.utc)


class SdkRuns(Runs):
    """The port's ``Runs``. Caches the SDK's run objects and the steps that ended."""

    def __init__(self, sdk: Any) -> None:
        """Work in this ``azureml.core.Workspace``."""
        self._sdk = sdk
        self._known: dict[str, Any] = {}
        self._ended: dict[str, Run] = {}
        self._log_files: dict[str, dict[str, str]] = {}
        self._logs: dict[str, LogReader] = {}
        self._session = requests.Session()

    def submit(self, submission: Submission) -> Run:
        from azureml.core import Experiment

        with translated(f"building the pipeline '{submission.file.name}'"):
            pipeline, parameters = pipeline_file.load(
                submission.file, self._sdk, submission.parameters
            )
        with translated("submitting the pipeline"), banners_hidden():
            experiment = Experiment(self._sdk, submission.experiment)
            run = experiment.submit(
                pipeline, tags=dict(submission.tags), pipeline_parameters=parameters
            )
            if submission.display_name:
                run.display_name = submission.display_name
            self._known[run.id] = run
            return self.get(run.id)

    def get(self, run_id: str) -> Run:
        run = self._run(run_id)
        with translated(f"looking at the run {run_id}"):
            return _run(run, run.get_details())

    def find(self, experiment: str, tag: str, value: str) -> list[tuple[Run, dict[str, str]]]:
        from azureml.core import Experiment

        with translated(f"looking for runs of the experiment '{experiment}'"):
            found = list(Experiment(self._sdk, experiment).get_runs(tags={tag: value}))
            for run in found:
                self._known.setdefault(run.id, run)
            return [(self.get(run.id), run.get_tags()) for run in found]

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
