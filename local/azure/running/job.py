"""One run as a real process: environment, working directory, variables, log, outputs, end.

Used for pipeline steps and for ScriptRunConfig. A job that is under way is written down, so that a
server that was killed finds it at the next start and says so in the run.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypedDict

from local.azure.history import artifacts, runs, snapshots
from local.azure.history.records import RunChange, RunError
from local.azure.kernel.background import Stop
from local.azure.kernel.cloud import Cloud
from local.azure.kernel.http import ServiceError
from local.azure.kernel.tables import Table
from local.azure.running import logs, processes, virtualenvs
from local.azure.running.conda import EnvironmentFailure, read_definition
from local.azure.running.losses import LosableNode
from local.azure.running.variables import of_run

BUILD_LOG = "azureml-logs/20_image_build_log.txt"
DRIVER_LOG = "azureml-logs/70_driver_log.txt"
CANCEL_REQUESTED = "CancelRequested"
SCRIPT_RUN = "azureml.scriptrun"

_GRACE_S = 5.0


class Started(TypedDict):
    """A run that waits or runs here."""

    run_id: str


_STARTED: Table[Started] = Table("job")


class Configured(TypedDict):
    """The parts of a Job that stand in a RunConfiguration. timeout_s: None is no limit."""

    environment: Mapping[str, object]
    variables: Mapping[str, str]
    watched: tuple[str, ...]
    timeout_s: float | None


@dataclass(frozen=True, kw_only=True)
class Job:
    """What to run, and as which run. `timeout_s` None: no limit.

    prepare: puts more into the job's folder before the start (v2 has code and inputs, no snapshot).
    completed: called after a success, before it is written down. Both may raise ServiceError, which
    fails the run. notes: lines for the log of the environment's build.
    """

    run_id: str
    root_run_id: str
    experiment: str
    experiment_id: str
    snapshot: str | None
    script: str | None
    command: str | None
    arguments: tuple[str, ...]
    environment: Mapping[str, Any]
    variables: Mapping[str, str] = field(default_factory=dict)
    watched: tuple[str, ...] = ("logs",)
    timeout_s: float | None = None
    shell: tuple[str, ...] = ("cmd", "/c") if sys.platform == "win32" else ("/bin/sh", "-c")
    driver_log: str = DRIVER_LOG
    prepare: Callable[[Path], None] | None = None
    completed: Callable[[], None] | None = None
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """How a job ended: a status of run history and, when Failed, why."""

    status: str
    code: str = ""
    message: str = ""


def folder_of(cloud: Cloud, run_id: str) -> Path:
    """Where a job runs: its code is in the folder `code` of this."""
    return cloud.root / "jobs" / run_id


Node = Callable[[], contextlib.AbstractContextManager[bool]]


def run(cloud: Cloud, job: Job, stop: Stop, node: Node) -> Outcome:
    """Run a job to its end, whichever it is, and write its status into run history.

    Returns only when the process group is gone. `stop`: asked with "Canceled" to cancel. node:
    waits for a node to run on; False when `stop` ended that.
    """
    folder = folder_of(cloud, job.run_id)
    try:
        outcome = _run(cloud, job, stop, folder, node)
    except ServiceError as error:
        outcome = Outcome(status="Failed", code=error.code, message=error.message)
    except OSError as error:
        outcome = Outcome(
            status="Failed",
            code="SystemError",
            message=f"The local Azure could not run it: {error}",
        )
    if stop.is_set() and stop.reason == "Canceled":
        outcome = Outcome(status="Canceled")
    finish(cloud, job.run_id, outcome)
    shutil.rmtree(folder, ignore_errors=True)
    return outcome


def remember(cloud: Cloud, run_id: str) -> None:
    """Write down that a run waits or runs here, until it is finished."""
    _STARTED.put(cloud, run_id, {"run_id": run_id})


def finish(cloud: Cloud, run_id: str, outcome: Outcome) -> None:
    """Write an end into run history."""
    ended = cloud.ml_timestamp()
    change: RunChange = {"status": outcome.status, "endTimeUtc": ended}
    if outcome.status == "Failed":
        change["error"] = error_record(cloud, outcome.code, outcome.message)
    run = runs.get_run(cloud, run_id)
    if run and run["startTimeUtc"] and run["runType"] == SCRIPT_RUN:
        moments = {"StartTimeUtc": run["startTimeUtc"], "EndTimeUtc": ended}
        change["properties"] = {name: _to_seconds(time) for name, time in moments.items()}
    runs.update_run(cloud, run_id, **change)
    _STARTED.delete(cloud, run_id)


def _to_seconds(time: str) -> str:
    """A time as the properties of a run have it: 2026-03-27 04:03:26."""
    return time[:19].replace("T", " ")


def error_record(cloud: Cloud, code: str, message: str) -> RunError:
    """An error as run history keeps it."""
    return {
        "error": {
            "code": code,
            "message": message,
            "messageParameters": {},
            "details": [],
            "innerError": None,
        },
        "correlation": {},
        "environment": cloud.location,
        "location": cloud.location,
        "time": cloud.ml_timestamp(),
    }


def fail_interrupted(cloud: Cloud) -> None:
    """Fail the runs that were under way when a server was killed."""
    for record in _STARTED.list(cloud):
        finish(cloud, record["run_id"], interrupted())
        shutil.rmtree(folder_of(cloud, record["run_id"]), ignore_errors=True)


def interrupted() -> Outcome:
    """The end of whatever ran when the local Azure was killed."""
    return Outcome(
        status="Failed",
        code="ServiceInterrupted",
        message=(
            "The local Azure ended while this was running, so it was ended too. Submit it again."
        ),
    )


def append_log(cloud: Cloud, run_id: str, name: str) -> Callable[[str], None]:
    """A function that adds lines to a log among the run's artifacts, readable at once."""
    path = artifacts.file_path(cloud, run_id, name)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch()
    artifacts.register(cloud, run_id, name)
    return logs.appender(path)


def _run(cloud: Cloud, job: Job, stop: Stop, folder: Path, node: Node) -> Outcome:
    _advance(cloud, job.run_id, "Preparing")
    log = append_log(cloud, job.run_id, BUILD_LOG)
    for note in job.notes:
        log(f"Note: {note}.")
    try:
        spec = read_definition(job.environment)
        python = virtualenvs.ensure(cloud, spec, key=f"{job.run_id}/uv", log=log, stop=stop)
    except EnvironmentFailure as failure:
        log(str(failure))
        return Outcome(status="Failed", code="ImageBuildFailure", message=str(failure))
    _advance(cloud, job.run_id, "Queued")
    with node() as is_there:
        if not is_there:
            return Outcome(status="Failed", code="ServiceInterrupted", message=stop.reason)
        variables = {**of_run(cloud, job, folder, python), **spec.variables, **job.variables}
        return _run_on_node(cloud, job, stop, folder, python, variables)


def _advance(cloud: Cloud, run_id: str, status: str) -> None:
    """Put a run into its next state. One that is being cancelled stays in that state."""
    run = runs.get_run(cloud, run_id)
    if run is not None:
        change: RunChange = {"status": status}
        if run["status"] == CANCEL_REQUESTED:
            change["status"] = CANCEL_REQUESTED
        if status == "Running":
            change["startTimeUtc"] = cloud.ml_timestamp()
        runs.update_run(cloud, run_id, **change)


def _run_on_node(
    cloud: Cloud,
    job: Job,
    stop: Stop,
    folder: Path,
    python: Path,
    variables: Mapping[str, str],
) -> Outcome:
    code = folder / "code"
    if job.snapshot is not None:
        snapshots.restore_snapshot(cloud, job.snapshot, code)
    if job.prepare is not None:
        job.prepare(folder)
    if job.script is not None and not (code / job.script).is_file():
        return Outcome(
            status="Failed",
            code="UserError",
            message=f"The script '{job.script}' is not in the snapshot of the source directory.",
        )
    for name in ("outputs", "logs"):
        (code / name).mkdir(parents=True, exist_ok=True)
    (folder / "home").mkdir()
    driver_log = artifacts.file_path(cloud, job.run_id, job.driver_log)
    driver_log.parent.mkdir(parents=True, exist_ok=True)
    _advance(cloud, job.run_id, "Running")
    with driver_log.open("ab") as output:
        artifacts.register(cloud, job.run_id, job.driver_log)
        process = processes.start(
            cloud,
            job.run_id,
            _command(job, python),
            directory=code,
            environment=variables,
            output=output.fileno(),
        )
        ended = _wait(cloud, job, process, stop)
    _advance(cloud, job.run_id, "Finalizing")
    _keep_files(cloud, job.run_id, code)
    outcome = ended or _outcome(process.returncode, driver_log, job.driver_log)
    if outcome.status == "Completed" and job.completed is not None:
        job.completed()
    return outcome


def _command(job: Job, python: Path) -> list[str | Path]:
    if job.script is None:
        return [*job.shell, " ".join([job.command or "", *job.arguments]).strip()]
    runner = Path(__file__).with_name("run_script.py")
    return [python, runner, os.pathsep.join(job.watched), job.script, *job.arguments]


def _wait(cloud: Cloud, job: Job, process: subprocess.Popen[bytes], stop: Stop) -> Outcome | None:
    """Wait for the end. Returns an outcome when it was us who ended it."""
    node = LosableNode(cloud, job.run_id)
    deadline = None if job.timeout_s is None else time.monotonic() + job.timeout_s
    while process.poll() is None:
        if stop.wait(0.1):
            processes.end(cloud, job.run_id, process, grace_s=_GRACE_S)
            return Outcome(status="Failed", code="ServiceInterrupted", message=stop.reason)
        if (loss := node.loss()) is not None:
            processes.end(cloud, job.run_id, process, grace_s=0)
            return Outcome(status="Failed", code=loss.code, message=loss.message)
        if deadline is not None and time.monotonic() > deadline:
            processes.end(cloud, job.run_id, process, grace_s=_GRACE_S)
            return Outcome(
                status="Failed",
                code="JobTimedOut",
                message=(
                    f"The run was ended after {job.timeout_s:.0f} s, its max_run_duration_seconds."
                ),
            )
    processes.finished(cloud, job.run_id, process)
    return None


def _keep_files(cloud: Cloud, run_id: str, code: Path) -> None:
    """Keep what lies in outputs and logs and was not uploaded from within the run."""
    for name in ("outputs", "logs"):
        for file in sorted((code / name).rglob("*")):
            path = file.relative_to(code).as_posix()
            kept = artifacts.file_path(cloud, run_id, path)
            if file.is_file() and not kept.exists():
                kept.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(file, kept)
                artifacts.register(cloud, run_id, path)


def _outcome(code: int, log: Path, name: str) -> Outcome:
    if code == 0:
        return Outcome(status="Completed")
    if code < 0:
        message = f"Execution failed. The process was ended by signal {-code}."
    else:
        message = f"Execution failed. User process 'python' exited with status code {code}."
    return Outcome(
        status="Failed",
        code="UserError",
        message=f"{message} Please check log file '{name}' for error details. Error: "
        + logs.tail(log),
    )


def describe(configuration: Mapping[str, Any]) -> Configured:
    """The parts of a serialised RunConfiguration that a Job is made of."""
    watched = (configuration.get("history") or {}).get("directoriesToWatch") or ["logs"]
    variables = configuration.get("environmentVariables") or {}
    limit = configuration.get("maxRunDurationSeconds")
    return {
        "environment": json.loads(json.dumps(configuration.get("environment") or {})),
        "variables": {name: str(value) for name, value in variables.items()},
        "watched": tuple(watched),
        "timeout_s": float(limit) if limit else None,
    }
