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

from local.azure import artifacts, content, history, processes, virtualenvs
from local.azure.azure import Azure
from local.azure.conda import EnvironmentFailure, read_definition
from local.azure.processes import Stop
from local.azure.web import ServiceError

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


def folder_of(azure: Azure, run_id: str) -> Path:
    """Where a job runs: its code is in the folder `code` of this."""
    return azure.root / "jobs" / run_id


def run(azure: Azure, job: Job, stop: Stop) -> Outcome:
    """Run a job to its end, whichever it is, and write its status into run history.

    Returns only when the process group is gone. `stop`: asked with "Canceled" to cancel.
    """
    folder = folder_of(azure, job.run_id)
    try:
        outcome = _run(azure, job, stop, folder)
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
    finish(azure, job.run_id, outcome)
    shutil.rmtree(folder, ignore_errors=True)
    return outcome


def remember(azure: Azure, run_id: str) -> None:
    """Write down that a run waits or runs here, until it is finished."""
    azure.store.put(_KIND, run_id, {"run_id": run_id})


def finish(azure: Azure, run_id: str, outcome: Outcome) -> None:
    """Write an end into run history."""
    fields: dict[str, Any] = {"status": outcome.status, "endTimeUtc": azure.timestamp()}
    if outcome.status == "Failed":
        fields["error"] = error_record(azure, outcome.code, outcome.message)
    history.update_run(azure, run_id, **fields)
    azure.store.delete(_KIND, run_id)


def error_record(azure: Azure, code: str, message: str) -> dict[str, Any]:
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
        "environment": azure.location,
        "location": azure.location,
        "time": azure.timestamp(),
    }


def fail_interrupted(azure: Azure) -> None:
    """Fail the runs that were under way when a server was killed."""
    for record in azure.store.list(_KIND):
        finish(azure, record["run_id"], interrupted())
        shutil.rmtree(folder_of(azure, record["run_id"]), ignore_errors=True)


def interrupted() -> Outcome:
    """The end of whatever ran when the local Azure was killed."""
    return Outcome(
        status="Failed",
        code="ServiceInterrupted",
        message=(
            "The local Azure ended while this was running, so it was ended too. Submit it again."
        ),
    )


def append_log(azure: Azure, run_id: str, name: str) -> Callable[[str], None]:
    """A function that adds lines to a log among the run's artifacts, readable at once."""
    path = artifacts.file_path(azure, run_id, name)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch()
    artifacts.register(azure, run_id, name)

    def append(line: str) -> None:
        with path.open("a", encoding="utf-8") as file:
            file.write(line + "\n")

    return append


def _run(azure: Azure, job: Job, stop: Stop, folder: Path) -> Outcome:
    history.update_run(azure, job.run_id, status="Preparing")
    log = append_log(azure, job.run_id, BUILD_LOG)
    for note in job.notes:
        log(f"Note: {note}.")
    try:
        spec = read_definition(job.environment)
        python = virtualenvs.ensure(azure, spec, key=f"{job.run_id}/uv", log=log, stop=stop)
    except EnvironmentFailure as failure:
        log(str(failure))
        return Outcome(status="Failed", code="ImageBuildFailure", message=str(failure))
    code = folder / "code"
    if job.snapshot is not None:
        content.restore_snapshot(azure, job.snapshot, code)
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
    variables = {**_environment(azure, job, folder, python), **spec.variables, **job.variables}
    driver_log = artifacts.file_path(azure, job.run_id, job.driver_log)
    driver_log.parent.mkdir(parents=True, exist_ok=True)
    history.update_run(azure, job.run_id, status="Running", startTimeUtc=azure.timestamp())
    with driver_log.open("ab") as output:
        artifacts.register(azure, job.run_id, job.driver_log)
        process = processes.start(
            azure,
            job.run_id,
            _command(job, python),
            directory=code,
            environment=variables,
            output=output.fileno(),
        )
        ended = _wait(azure, job, process, stop)
    _keep_files(azure, job.run_id, code)
    outcome = ended or _outcome(process.returncode, driver_log, job.driver_log)
    if outcome.status == "Completed" and job.completed is not None:
        job.completed()
    return outcome


def _command(job: Job, python: Path) -> list[str | Path]:
    if job.script is None:
        return [*job.shell, " ".join([job.command or "", *job.arguments]).strip()]
    runner = Path(__file__).with_name("run_script.py")
    return [python, runner, os.pathsep.join(job.watched), job.script, *job.arguments]


def _environment(azure: Azure, job: Job, folder: Path, python: Path) -> dict[str, str]:
    """What Azure ML sets for a run, and how the SDK inside reaches this server."""
    passed_on = {name: os.environ[name] for name in PASSED_ON if name in os.environ}
    home = str(folder / "home")
    discovery = f"{azure.base_url}/discovery/workspaces/{azure.workspace_id}"
    return {
        **passed_on,
        **azure.client_environment(),
        "PATH": os.pathsep.join([str(python.parent), passed_on.get("PATH", os.defpath)]),
        "HOME": home,
        "USERPROFILE": home,
        "AZURE_CONFIG_DIR": str(folder / "home" / ".azure"),
        "PYTHONUNBUFFERED": "1",
        "PYTHONIOENCODING": "utf-8",
        "AZUREML_ARM_SUBSCRIPTION": azure.subscription_id,
        "AZUREML_ARM_RESOURCEGROUP": azure.resource_group,
        "AZUREML_ARM_WORKSPACE_NAME": azure.workspace_name,
        "AZUREML_ARM_PROJECT_NAME": job.experiment,
        "AZUREML_EXPERIMENT_ID": job.experiment_id,
        "AZUREML_WORKSPACE_ID": azure.workspace_id,
        "AZUREML_WORKSPACE_SCOPE": azure.workspace_scope,
        "AZUREML_EXPERIMENT_SCOPE": f"{azure.workspace_scope}/experiments/{job.experiment}",
        "AZUREML_RUN_ID": job.run_id,
        "AZUREML_ROOT_RUN_ID": job.root_run_id,
        "AZUREML_RUN_TOKEN": history.issue_run_token(azure, job.run_id),
        "AZUREML_RUN_TOKEN_EXPIRY": str(
            int(time.time() + history.RUN_TOKEN_LIFETIME.total_seconds())
        ),
        "AZUREML_SERVICE_ENDPOINT": azure.base_url,
        "AZUREML_RUN_HISTORY_SERVICE_ENDPOINT": azure.base_url,
        "AZUREML_DISCOVERY_SERVICE_ENDPOINT": discovery,
        "AZUREML_TARGET_TYPE": "mlc",
    }


def _wait(azure: Azure, job: Job, process: subprocess.Popen[bytes], stop: Stop) -> Outcome | None:
    """Wait for the end. Returns an outcome when it was us who ended it."""
    deadline = None if job.timeout_s is None else time.monotonic() + job.timeout_s
    while process.poll() is None:
        if stop.wait(0.1):
            processes.end(azure, job.run_id, process, grace_s=_GRACE_S)
            return Outcome(status="Failed", code="ServiceInterrupted", message=stop.reason)
        if deadline is not None and time.monotonic() > deadline:
            processes.end(azure, job.run_id, process, grace_s=_GRACE_S)
            return Outcome(
                status="Failed",
                code="JobTimedOut",
                message=(
                    f"The run was ended after {job.timeout_s:.0f} s, its max_run_duration_seconds."
                ),
            )
    processes.finished(azure, job.run_id, process)
    return None


def _keep_files(azure: Azure, run_id: str, code: Path) -> None:
    """Keep what lies in outputs and logs and was not uploaded from within the run."""
    for name in ("outputs", "logs"):
        for file in sorted((code / name).rglob("*")):
            path = file.relative_to(code).as_posix()
            kept = artifacts.file_path(azure, run_id, path)
            if file.is_file() and not kept.exists():
                kept.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(file, kept)
                artifacts.register(azure, run_id, path)


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
