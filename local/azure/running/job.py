"""One run as a real process: environment, working directory, variables, log, outputs, end.

Used for pipeline steps and for ScriptRunConfig. A job that is under way is written down, so that a
server that was killed finds it at the next start and says so in the run.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from local.azure.history import artifacts, runs, snapshots
from local.azure.kernel.background import Stop
from local.azure.kernel.cloud import Cloud
from local.azure.kernel.http import ServiceError
from local.azure.running import processes, virtualenvs
from local.azure.running.conda import EnvironmentFailure, read_definition

BUILD_LOG = "azureml-logs/20_image_build_log.txt"
DRIVER_LOG = "azureml-logs/70_driver_log.txt"
TERMINAL = ("Completed", "Failed", "Canceled")

_KIND = "job"
_GRACE_S = 5.0
_TAIL_LINES = 40
# All that a child gets of this process's own environment: nothing that could be a secret.
PASSED_ON = (
    *("PATH", "LANG", "LC_ALL", "TZ", "TMPDIR", "TEMP", "TMP"),
    *("SYSTEMROOT", "WINDIR", "COMSPEC", "PATHEXT", "NUMBER_OF_PROCESSORS"),
)


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


def run(cloud: Cloud, job: Job, stop: Stop) -> Outcome:
    """Run a job to its end, whichever it is, and write its status into run history.

    Returns only when the process group is gone. `stop`: asked with "Canceled" to cancel.
    """
    folder = folder_of(cloud, job.run_id)
    try:
        outcome = _run(cloud, job, stop, folder)
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
    cloud.store.put(_KIND, run_id, {"run_id": run_id})


def finish(cloud: Cloud, run_id: str, outcome: Outcome) -> None:
    """Write an end into run history."""
    fields: dict[str, Any] = {"status": outcome.status, "endTimeUtc": cloud.timestamp()}
    if outcome.status == "Failed":
        fields["error"] = error_record(cloud, outcome.code, outcome.message)
    runs.update_run(cloud, run_id, **fields)
    cloud.store.delete(_KIND, run_id)


def error_record(cloud: Cloud, code: str, message: str) -> dict[str, Any]:
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
        "time": cloud.timestamp(),
    }


def fail_interrupted(cloud: Cloud) -> None:
    """Fail the runs that were under way when a server was killed."""
    for record in cloud.store.list(_KIND):
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

    def append(line: str) -> None:
        with path.open("a", encoding="utf-8") as file:
            file.write(line + "\n")

    return append


def _run(cloud: Cloud, job: Job, stop: Stop, folder: Path) -> Outcome:
    runs.update_run(cloud, job.run_id, status="Preparing")
    log = append_log(cloud, job.run_id, BUILD_LOG)
    for note in job.notes:
        log(f"Note: {note}.")
    try:
        spec = read_definition(job.environment)
        python = virtualenvs.ensure(cloud, spec, key=f"{job.run_id}/uv", log=log, stop=stop)
    except EnvironmentFailure as failure:
        log(str(failure))
        return Outcome(status="Failed", code="ImageBuildFailure", message=str(failure))
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
    variables = {**_environment(cloud, job, folder, python), **spec.variables, **job.variables}
    driver_log = artifacts.file_path(cloud, job.run_id, job.driver_log)
    driver_log.parent.mkdir(parents=True, exist_ok=True)
    runs.update_run(cloud, job.run_id, status="Running", startTimeUtc=cloud.timestamp())
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


def _environment(cloud: Cloud, job: Job, folder: Path, python: Path) -> dict[str, str]:
    """What Azure ML sets for a run, and how the SDK inside reaches this server."""
    passed_on = {name: os.environ[name] for name in PASSED_ON if name in os.environ}
    home = str(folder / "home")
    discovery = f"{cloud.base_url}/discovery/workspaces/{cloud.workspace_id}"
    return {
        **passed_on,
        **cloud.client_environment(),
        "PATH": os.pathsep.join([str(python.parent), passed_on.get("PATH", os.defpath)]),
        "HOME": home,
        "USERPROFILE": home,
        "AZURE_CONFIG_DIR": str(folder / "home" / ".azure"),
        "PYTHONUNBUFFERED": "1",
        "PYTHONIOENCODING": "utf-8",
        "AZUREML_ARM_SUBSCRIPTION": cloud.subscription_id,
        "AZUREML_ARM_RESOURCEGROUP": cloud.resource_group,
        "AZUREML_ARM_WORKSPACE_NAME": cloud.workspace_name,
        "AZUREML_ARM_PROJECT_NAME": job.experiment,
        "AZUREML_EXPERIMENT_ID": job.experiment_id,
        "AZUREML_WORKSPACE_ID": cloud.workspace_id,
        "AZUREML_WORKSPACE_SCOPE": cloud.workspace_scope,
        "AZUREML_EXPERIMENT_SCOPE": f"{cloud.workspace_scope}/experiments/{job.experiment}",
        "AZUREML_RUN_ID": job.run_id,
        "AZUREML_ROOT_RUN_ID": job.root_run_id,
        "AZUREML_RUN_TOKEN": runs.issue_run_token(cloud, job.run_id),
        "AZUREML_RUN_TOKEN_EXPIRY": str(int(time.time() + runs.RUN_TOKEN_LIFETIME.total_seconds())),
        "AZUREML_SERVICE_ENDPOINT": cloud.base_url,
        "AZUREML_RUN_HISTORY_SERVICE_ENDPOINT": cloud.base_url,
        "AZUREML_DISCOVERY_SERVICE_ENDPOINT": discovery,
        "AZUREML_TARGET_TYPE": "mlc",
    }


def _wait(cloud: Cloud, job: Job, process: subprocess.Popen[bytes], stop: Stop) -> Outcome | None:
    """Wait for the end. Returns an outcome when it was us who ended it."""
    deadline = None if job.timeout_s is None else time.monotonic() + job.timeout_s
    while process.poll() is None:
        if stop.wait(0.1):
            processes.end(cloud, job.run_id, process, grace_s=_GRACE_S)
            return Outcome(status="Failed", code="ServiceInterrupted", message=stop.reason)
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
        message=f"{message} Please check log file '{name}' for error details. Error: " + tail(log),
    )


def tail(log: Path, lines: int = _TAIL_LINES) -> str:
    """The last lines of a log, for an error message."""
    if not log.exists():
        return ""
    with log.open(encoding="utf-8", errors="replace") as file:
        return "".join(deque(file, maxlen=lines)).strip()


def describe(configuration: Mapping[str, Any]) -> dict[str, Any]:
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
