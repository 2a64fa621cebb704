"""One command of v2 as a Job: its code, inputs, outputs and variables.

What a job finds: learn.microsoft.com/azure/machine-learning/reference-yaml-job-command.
"""

from __future__ import annotations

import shutil
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from local.azure.history import runs
from local.azure.kernel.cloud import Cloud
from local.azure.kernel.http import ServiceError
from local.azure.running import job
from local.azure.running.executor import SERVERLESS
from local.azure.running.job import Job
from local.azure.v2.assets import (
    environments,
    models,
    plain_assets,
    uris,
    versions,
)
from local.azure.v2.assets.kinds import Properties
from local.azure.v2.jobs.job_bodies import refusal
from local.azure.v2.jobs.job_io import (
    FILE,
    LITERAL,
    Input,
    Output,
    bind,
)
from local.azure.v2.resources import parse_asset_id

DRIVER_LOG = "user_logs/std_log.txt"


@dataclass(frozen=True, kw_only=True)
class Command:
    """What a command job, or a command node of a pipeline, asks for."""

    command: str
    code: str | None
    environment: str
    target: str
    inputs: Mapping[str, Input] = field(default_factory=dict)
    outputs: Mapping[str, Output] = field(default_factory=dict)
    variables: Mapping[str, str] = field(default_factory=dict)
    timeout_s: float | None = None


def target_of(compute_id: Any) -> str:
    """The name of a compute target that an id or a name stands for."""
    name = str(compute_id or SERVERLESS).removeprefix("azureml:").rpartition("/")[2]
    if name.lower() == "local":
        raise refusal("The compute target 'local' is", "jobs on an AmlCompute or serverless")
    return name


def make_job(cloud: Cloud, command: Command, run: Mapping[str, Any]) -> Job:
    """The Job for a run in history. Raises ServiceError for what cannot be resolved.

    Every output has its URI.
    """
    run_id = str(run["runId"])
    folder = job.folder_of(cloud, run_id)
    environment, notes = environments.definition(cloud, command.environment)
    sources = {
        name: uris.locate(cloud, given.value)
        for name, given in command.inputs.items()
        if given.type != LITERAL and plain_mode(given.mode) != "direct"
    }
    for name, source in sources.items():
        if not source.exists():
            raise ServiceError(
                400, "UserError", f"The input '{name}' is not there: {command.inputs[name].value}"
            )
    inputs = {
        name: _staged(folder, name, sources[name]) if name in sources else given.value
        for name, given in command.inputs.items()
    }
    finals = {name: uris.locate(cloud, str(output.uri)) for name, output in command.outputs.items()}
    written = {
        name: folder / "outputs" / name / finals[name].name
        if plain_mode(output.mode) == "upload"
        else finals[name]
        for name, output in command.outputs.items()
    }
    code = _code(cloud, command.code)

    def prepare(folder: Path) -> None:
        _copy(code, folder / "code") if code else None
        for name, source in sources.items():
            _copy(source, Path(str(inputs[name])))
        for name, place in written.items():
            one_file = command.outputs[name].type == FILE
            (place.parent if one_file else place).mkdir(parents=True, exist_ok=True)

    def completed() -> None:
        for name, place in written.items():
            if place != finals[name] and place.exists():
                _copy(place, finals[name])
            _register_output(cloud, name, command.outputs[name], run_id)

    bound = {
        **{f"inputs.{name}": str(value) for name, value in inputs.items()},
        **{f"outputs.{name}": str(place) for name, place in written.items()},
    }
    return Job(
        run_id=run_id,
        root_run_id=run["rootRunId"],
        experiment=run["experimentName"],
        experiment_id=run["experimentId"],
        snapshot=None,
        script=None,
        command=bind(command.command, bound),
        arguments=(),
        environment=environment,
        variables={
            **_mlflow(cloud, run),
            **{f"AZURE_ML_INPUT_{name}": str(value) for name, value in inputs.items()},
            **{f"AZURE_ML_OUTPUT_{name}": str(place) for name, place in written.items()},
            **{name: bind(str(value), bound) for name, value in command.variables.items()},
        },
        timeout_s=command.timeout_s,
        shell=_shell(),
        driver_log=DRIVER_LOG,
        prepare=prepare,
        completed=completed,
        notes=tuple(notes),
    )


def plain_mode(text: str) -> str:
    """A delivery mode without what clients spell differently: case and underscores."""
    return text.lower().replace("_", "")


def _staged(folder: Path, name: str, source: Path) -> Path:
    place = folder / "inputs" / name
    return place / source.name if source.is_file() else place


def _copy(source: Path, target: Path) -> None:
    """Copy a file or a folder: jobs never write into what they read."""
    if source.is_file():
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source, target)
    else:
        shutil.copytree(source, target, dirs_exist_ok=True)


def _code(cloud: Cloud, code_id: str | None) -> Path | None:
    """The folder of the uploaded code, which lies in a container below its own name."""
    if not code_id:
        return None
    name, version, label = parse_asset_id(code_id, "codes")
    record = versions.existing(cloud, plain_assets.CODES, name, version, label)
    return uris.locate(cloud, str(record["properties"]["codeUri"]))


def _register_output(cloud: Cloud, name: str, output: Output, run_id: str) -> None:
    """Register an output as the asset that the job names."""
    if not output.asset_name:
        return
    kind = models.KIND if output.type.endswith("_model") else plain_assets.DATA
    asset, _, version = output.asset_name.partition(":")
    numbers = [int(one["version"]) for one in kind.listed(cloud, asset) if one["version"].isdigit()]
    uri = f"azureml://jobs/{run_id}/outputs/{name}"
    given: Properties = (
        {"modelUri": uri, "modelType": output.type}
        if kind is models.KIND
        else {"dataUri": uri, "dataType": output.type}
    )
    versions.register(cloud, kind, asset, version or str(max(numbers, default=0) + 1), given)


def _mlflow(cloud: Cloud, run: Mapping[str, Any]) -> dict[str, str]:
    return {
        "MLFLOW_TRACKING_URI": cloud.mlflow_tracking_uri,
        "MLFLOW_TRACKING_TOKEN": runs.issue_run_token(cloud, run["runId"]),
        "MLFLOW_RUN_ID": run["runId"],
        "MLFLOW_EXPERIMENT_ID": run["experimentId"],
        "MLFLOW_EXPERIMENT_NAME": run["experimentName"],
        "MLFLOW_DISABLE_TELEMETRY": "true",
        "DO_NOT_TRACK": "true",
    }


def _shell() -> tuple[str, ...]:
    if sys.platform == "win32":
        return ("cmd", "/c")
    return (shutil.which("bash") or "/bin/sh", "-c")
