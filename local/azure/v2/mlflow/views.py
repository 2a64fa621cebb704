"""Runs and experiments of run history as MLflow sees them: one run, one id, one set of metrics.

MLflow's parameters are the run's `parameters`; its system tags (mlflow.*) are the run's properties,
its other tags the run's tags; its metrics are those with one column of metrics.py.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timezone
from typing import Any, cast

from local.azure.history import artifacts, metrics, runs
from local.azure.history.experiments import ensure_experiment, experiment_of_id
from local.azure.history.records import Experiment, Row, Run, RunChange
from local.azure.kernel.cloud import Cloud, ml_time
from local.azure.kernel.http import ServiceError
from local.azure.kernel.tables import Table
from local.azure.v2.mlflow.shapes import (
    DatasetInput,
    Entry,
    Given,
    Inputs,
    Pair,
    ShownExperiment,
    ShownMetric,
    ShownRun,
)

_INPUTS: Table[Inputs] = Table("mlflow-inputs")
STATUS = {"Running": "RUNNING", "Completed": "FINISHED", "Failed": "FAILED", "Canceled": "KILLED"}
FROM_STATUS = {
    **{theirs: ours for ours, theirs in STATUS.items()},
    "SCHEDULED": "Queued",
}
_SYSTEM = "mlflow."
_RUN_NAME = "mlflow.runName"


@functools.lru_cache(maxsize=65536)
def milliseconds(time: str | None) -> int | None:
    """A time of the store as MLflow has it."""
    if not time:
        return None
    return round(datetime.fromisoformat(time.replace("Z", "+00:00")).timestamp() * 1000)


def time_of(milliseconds: object) -> str | None:
    """A time of MLflow as the store has it; None for none. 0 is 1970."""
    if milliseconds in (None, ""):
        return None
    moment = datetime.fromtimestamp(int(str(milliseconds)) / 1000, timezone.utc)
    return ml_time(moment)


def not_found(message: str) -> ServiceError:
    """404 in MLflow's words."""
    return ServiceError(404, "RESOURCE_DOES_NOT_EXIST", message)


def existing_experiment(cloud: Cloud, experiment_id: str) -> Experiment:
    """An experiment by id. Raises ServiceError 404. MLflow's default id, 0, is `Default`."""
    if experiment_id == "0":
        return ensure_experiment(cloud, "Default")
    found = experiment_of_id(cloud, experiment_id)
    if found is None:
        raise not_found(f"Could not find experiment with ID {experiment_id}")
    return found


def existing_run(cloud: Cloud, run_id: str) -> Run:
    """A run by id. Raises ServiceError 404."""
    found = runs.get_run(cloud, run_id)
    if found is None:
        raise not_found(f"Run with id={run_id} not found")
    return found


def show_experiment(experiment: Experiment) -> ShownExperiment:
    """An experiment as MLflow has it."""
    created = milliseconds(experiment["createdUtc"])
    return {
        "experiment_id": experiment["experimentId"],
        "name": experiment["name"],
        "artifact_location": "",
        "lifecycle_stage": "deleted" if experiment["archivedTime"] else "active",
        "creation_time": created,
        "last_update_time": milliseconds(experiment["archivedTime"]) or created,
        "tags": _pairs(experiment["tags"]),
    }


def show_run(cloud: Cloud, run: Run) -> ShownRun:
    """A run as MLflow has it, with the latest value of each metric."""
    return {
        "info": info(cloud, run),
        "data": {
            "metrics": [
                _shown_metric(name, one["value"], one["time"], one["step"])
                for name, one in metrics.latest(cloud, run["runId"]).items()
            ],
            "params": _pairs(run.get("parameters") or {}),
            "tags": _pairs(tags(run)),
        },
        "inputs": {"dataset_inputs": _inputs(cloud, run["runId"])},
    }


def add_inputs(cloud: Cloud, run_id: str, given: Sequence[DatasetInput]) -> None:
    """Add MLflow's DatasetInputs to a run; the same name and digest is the same data set."""
    kept = {
        (one["dataset"].get("name"), one["dataset"].get("digest")): one
        for one in [*_inputs(cloud, run_id), *given]
    }
    _INPUTS.put(cloud, run_id, {"datasets": list(kept.values())})


def _inputs(cloud: Cloud, run_id: str) -> Sequence[DatasetInput]:
    kept = _INPUTS.get(cloud, run_id)
    return kept["datasets"] if kept else []


def info(cloud: Cloud, run: Run) -> Mapping[str, object]:
    """What MLflow calls the info of a run."""
    values = {name: read(cloud, run) for name, read in _ATTRIBUTES.items()}
    return {name: value for name, value in values.items() if name != "end_time" or value}


def artifact_uri(cloud: Cloud, run: Run) -> str:
    """Where the plug-in azureml-mlflow puts and finds the artifacts of a run."""
    host = cloud.base_url.partition("//")[2]
    return (
        f"azureml://{host}/mlflow/v2.0{cloud.workspace_scope}/experiments/{run['experimentId']}"
        f"/runs/{run['runId']}/artifacts"
    )


_ATTRIBUTES: Mapping[str, Callable[[Cloud, Run], Any]] = {
    "run_id": lambda _, run: run["runId"],
    "run_uuid": lambda _, run: run["runId"],
    "run_name": lambda _, run: run["displayName"],
    "experiment_id": lambda _, run: run["experimentId"],
    "user_id": lambda _, run: run["userId"],
    "status": lambda _, run: STATUS.get(run["status"], "SCHEDULED"),
    "start_time": lambda _, run: start(run),
    "end_time": lambda _, run: milliseconds(run["endTimeUtc"]),
    "artifact_uri": artifact_uri,
    "lifecycle_stage": lambda _, run: "active" if is_active(run) else "deleted",
}
_SYNONYMS = {"created": "start_time", "run name": "run_name"}


def tags(run: Run) -> dict[str, str]:
    """The tags of a run, MLflow's own among them."""
    own = {
        key: text
        for key, text in run["properties"].items()
        if key.startswith(_SYSTEM) and text is not None
    }
    parent = {"mlflow.parentRunId": run["parentRunId"]} if run["parentRunId"] else {}
    return {
        "mlflow.user": run["userId"],
        "mlflow.source.type": "JOB",
        **own,
        **parent,
        "mlflow.rootRunId": run["rootRunId"],
        _RUN_NAME: run["displayName"],
        **{key: text for key, text in run["tags"].items() if text is not None},
    }


def one_of(body: Mapping[str, object]) -> Given:
    """A body that is one tag, parameter or value."""
    return cast("Given", body)


def set_tags(cloud: Cloud, run_id: str, given: Sequence[Given]) -> None:
    """Set tags of a run; that of its name renames it."""
    pairs = {str(one["key"]): str(one.get("value", "")) for one in given}
    change: RunChange = {
        "tags": {key: text for key, text in pairs.items() if not key.startswith(_SYSTEM)},
        "properties": {key: text for key, text in pairs.items() if key.startswith(_SYSTEM)},
    }
    change["properties"].pop(_RUN_NAME, None)
    if _RUN_NAME in pairs:
        change["displayName"] = pairs[_RUN_NAME]
    runs.update_run(cloud, run_id, **change)


def delete_tag(cloud: Cloud, run_id: str, key: str) -> None:
    """Remove a tag. Raises ServiceError 404 when there is none."""

    def change(run: Run) -> None:
        place = run["properties"] if key.startswith(_SYSTEM) else run["tags"]
        if key not in place:
            raise not_found(f"No tag with name: {key} in run with id {run_id}")
        del place[key]

    runs.change_run(cloud, run_id, change)


def set_params(cloud: Cloud, run_id: str, given: Sequence[Given]) -> None:
    """Set parameters of a run, which never change. Raises ServiceError 400."""

    def change(run: Run) -> None:
        known = run.get("parameters") or {}
        for one in given:
            key, value = str(one["key"]), str(one.get("value", ""))
            if known.get(key, value) != value:
                raise ServiceError(
                    400,
                    "INVALID_PARAMETER_VALUE",
                    "Changing param values is not allowed. Param with "
                    f"key='{key}' was already logged with value='{known[key]}' for run "
                    f"ID='{run_id}'. Attempted logging new value '{value}'.",
                )
            known[key] = value
        run["parameters"] = known

    runs.change_run(cloud, run_id, change)


def log_metrics(cloud: Cloud, run_id: str, given: Sequence[Given]) -> None:
    """Add values to metrics of a run. Raises ServiceError 400 for a metric that is a table."""
    values: dict[str, list[Given]] = {}
    for one in given:
        values.setdefault(str(one["key"]), []).append(one)
    for name, added in values.items():
        column = metrics.single_column(cloud, run_id, name)
        if column is None:
            raise ServiceError(
                400, "INVALID_PARAMETER_VALUE", f"The metric '{name}' of run {run_id} is a table."
            )
        metrics.append(cloud, run_id, name, [_row(cloud, column, one) for one in added])


def _row(cloud: Cloud, column: str, one: Given) -> Row:
    return {
        "metricId": None,
        "createdUtc": time_of(one.get("timestamp")) or cloud.ml_timestamp(),
        "step": int(one.get("step") or 0),
        # MLflow writes NaN, Infinity and -Infinity as text, as protobuf's JSON does.
        "data": {column: float(str(one["value"]))},
    }


def series(cloud: Cloud, run_id: str) -> dict[str, list[ShownMetric]]:
    """All values of the metrics of a run that are plain numbers, by name, in order of time."""
    found = {}
    for metric, rows in metrics.read(cloud, run_id):
        columns = list(metric["columns"])
        numbers = [_metric(metric["name"], columns[0], row) for row in rows if len(columns) == 1]
        if numbers and None not in numbers:
            found[metric["name"]] = [one for one in numbers if one is not None]
    return found


def _metric(name: str, column: str, row: Row) -> ShownMetric | None:
    value = (row.get("data") or {}).get(column)
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    return _shown_metric(name, value, row["createdUtc"], int(row.get("step") or 0))


def _shown_metric(name: str, value: float, time: str, step: int) -> ShownMetric:
    return {
        "key": name,
        "value": value if math.isfinite(value) else _words(value),
        "timestamp": milliseconds(time),
        "step": step,
    }


def _words(value: float) -> str:
    if math.isnan(value):
        return "NaN"
    return "Infinity" if value > 0 else "-Infinity"


def _pairs(mapping: Mapping[str, object]) -> list[Pair]:
    return [{"key": key, "value": str(value)} for key, value in mapping.items()]


def lookup_run(cloud: Cloud, run: Run, entity: str, name: str) -> Any:
    """What a filter or order finds in a run of run history."""
    if entity == "metrics":
        return metrics.latest_value(cloud, run["runId"], name)
    if entity == "params":
        value = (run.get("parameters") or {}).get(name)
        return None if value is None else str(value)
    if entity == "tags":
        value = tags(run).get(name) if name.startswith(_SYSTEM) else run["tags"].get(name)
        return None if value is None else str(value)
    attribute = _ATTRIBUTES.get(_SYNONYMS.get(name.lower(), name))
    if attribute is None:
        raise ServiceError(
            400, "INVALID_PARAMETER_VALUE", f"Invalid attribute key '{name}' specified."
        )
    return attribute(cloud, run)


def indexed(clause: tuple[str, str, str]) -> dict[str, str]:
    """The member of a run, by path, that a clause `entity.name = 'value'` looks up."""
    entity, name, value = clause
    if entity == "tags" and not name.startswith(_SYSTEM):
        return {f"tags/{name}": value}
    if entity == "params":
        return {f"parameters/{name}": value}
    return {"runId": value} if name in ("run_id", "run_uuid") else {}


def start(run: Run) -> int:
    """When a run began, or was made, in milliseconds."""
    return milliseconds(run["startTimeUtc"] or run["createdUtc"]) or 0


def is_active(run: Run) -> bool:
    """Whether nobody deleted a run."""
    return not run.get("hidden")


def lookup_experiment(shown: ShownExperiment, entity: str, name: str) -> Any:
    """What a filter or order finds in an experiment as `show_experiment` gives it."""
    if entity == "tags":
        return {one["key"]: one["value"] for one in shown["tags"]}.get(name)
    if entity != "attributes" or name not in shown:
        raise ServiceError(
            400, "INVALID_PARAMETER_VALUE", f"Invalid attribute key '{name}' specified."
        )
    return shown.get(name)


def artifact_listing(cloud: Cloud, run_id: str, path: str) -> list[Entry]:
    """The files and folders directly below a path of a run's artifacts."""
    prefix = f"{path.strip('/')}/" if path.strip("/") else ""
    entries: dict[str, Entry] = {}
    for artifact in artifacts.below(cloud, run_id, prefix):
        first, below, _ = artifact["path"][len(prefix) :].partition("/")
        place = artifacts.file_of(cloud, artifact["artifactId"])
        if not place.is_file():
            continue
        entry: Entry = {"path": prefix + first, "is_dir": bool(below)}
        if not below:
            entry["file_size"] = place.stat().st_size
        entries[first] = entry
    return [entries[name] for name in sorted(entries)]
