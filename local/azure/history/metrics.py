"""Metrics of runs, version 2: named series of values. Shapes as azureml-core's MetricV2Dto."""

from __future__ import annotations

import contextlib
from typing import Any, TypedDict

from local.azure.history import artifacts, runs
from local.azure.history.experiments import BY_ID, BY_NAME
from local.azure.history.filters import moment, parse_filter, sort_by
from local.azure.kernel import fields
from local.azure.kernel.cloud import Cloud
from local.azure.kernel.http import Request, Response, ServiceError, json_response
from local.azure.kernel.store import AlreadyExists
from local.azure.kernel.web import Router

router = Router()
_RUN = "/metric/v2.0{workspace}/runs/{run}"
# Run ids and metric names hold no control characters, so this cannot be part of either.
_SEPARATOR = "\x1f"
# The latest value of each metric of a run, which searches over runs read.
_LATEST = "metric-latest"


class Latest(TypedDict):
    """The value of a metric with the highest step, and of those the last."""

    value: float
    time: str
    step: int


@router.at_start
def note_former_metrics(cloud: Cloud) -> None:
    """Note the latest values in a state that was written before they were kept."""
    if cloud.store.get(_LATEST, "") is None:
        for metric_key, chunk in cloud.store.items("metric-values"):
            run_id, name, _ = metric_key.split(_SEPARATOR)
            _note(cloud, run_id, name, chunk["values"])
        cloud.store.put(_LATEST, "", {})


@router.route("POST", _RUN + "/batch")
def post_metrics(cloud: Cloud, request: Request) -> Response:
    """Add values to metrics; a metric keeps the columns and type it was first given."""
    run_id = runs.existing_run(cloud, request)["runId"]
    errors = []
    for metric in fields.objects(request.json_object(), "values"):
        name = fields.text(metric, "name")
        key = _SEPARATOR.join((run_id, name))
        columns = fields.mapping(metric, "columns")
        try:
            cloud.store.insert(
                "metric",
                key,
                {"name": name, "columns": columns, "properties": metric.get("properties")},
            )
        except AlreadyExists:
            known = cloud.store.get("metric", key) or {}
            if known["columns"] != columns:
                errors.append(_column_error(metric, known["columns"]))
                continue
        values = [_stamped(cloud, value) for value in fields.objects(metric, "value")]
        append(cloud, run_id, name, values)
    return json_response({"errors": errors}, 207 if errors else 200)


def append(cloud: Cloud, run_id: str, name: str, values: list[dict[str, Any]]) -> None:
    """Add values ({createdUtc, step, data: {column: value}}) to a metric that is known."""
    number = cloud.store.next_number("metric-values")
    key = _SEPARATOR.join((run_id, name, f"{number:012}"))
    cloud.store.insert("metric-values", key, {"values": values})
    _note(cloud, run_id, name, values)


def _note(cloud: Cloud, run_id: str, name: str, values: list[dict[str, Any]]) -> None:
    metric = cloud.store.get("metric", _SEPARATOR.join((run_id, name))) or {"columns": {}}
    columns = list(metric["columns"])

    def change(latest: dict[str, Any]) -> None:
        known = latest["metrics"]
        for row in values:
            value = (row.get("data") or {}).get(columns[0]) if len(columns) == 1 else None
            is_table = name in known and known[name] is None
            if is_table or isinstance(value, bool) or not isinstance(value, int | float):
                known[name] = None  # a table, which it stays
                return
            before = known.get(name)
            new = Latest(value=value, time=str(row["createdUtc"]), step=int(row.get("step") or 0))
            if before is None or _age(new) >= _age(before):
                known[name] = new

    with contextlib.suppress(AlreadyExists):
        cloud.store.insert(_LATEST, run_id, {"metrics": {}})
    cloud.store.update(_LATEST, run_id, change)


def _age(one: Latest) -> tuple[int, float]:
    time = moment(one["time"])
    return one["step"], time.timestamp() if time else 0.0


def latest(cloud: Cloud, run_id: str) -> dict[str, Latest]:
    """The latest value of each metric of a run that is a plain number, by name."""
    return {name: one for name, one in _noted(cloud, run_id).items() if one is not None}


def latest_value(cloud: Cloud, run_id: str, name: str) -> float | None:
    """The latest value of one metric of a run; None where it is a table or not there."""
    one = _noted(cloud, run_id).get(name)
    return None if one is None else float(one["value"])


def _noted(cloud: Cloud, run_id: str) -> dict[str, Latest | None]:
    kept = cloud.store.look_up(_LATEST, run_id)
    found: dict[str, Latest | None] = kept["metrics"] if kept else {}
    return found


def single_column(cloud: Cloud, run_id: str, name: str) -> str | None:
    """The column of a metric that is a plain number, made when absent; None when it is a table."""
    key = _SEPARATOR.join((run_id, name))
    new: dict[str, Any] = {
        "name": name,
        "columns": {name: "Double"},
        "properties": {"uxMetricType": "azureml.v1.scalar"},
    }
    try:
        cloud.store.insert("metric", key, new)
    except AlreadyExists:
        columns = list((cloud.store.get("metric", key) or new)["columns"])
        return columns[0] if len(columns) == 1 else None
    return name


def read(cloud: Cloud, run_id: str) -> list[tuple[dict[str, Any], list[dict[str, Any]]]]:
    """The metrics of a run, each with its values in order of time."""
    found = cloud.store.list("metric", run_id + _SEPARATOR)
    return [(metric, _values(cloud, run_id, metric["name"])) for metric in found]


def _values(cloud: Cloud, run_id: str, name: str) -> list[dict[str, Any]]:
    chunks = cloud.store.list("metric-values", _SEPARATOR.join((run_id, name, "")))
    # The SDK posts batches from several threads: they arrive in any order.
    return sort_by([value for chunk in chunks for value in chunk["values"]], "createdUtc")


def _stamped(cloud: Cloud, value: dict[str, Any]) -> dict[str, Any]:
    return {**value, "createdUtc": value.get("createdUtc") or cloud.ml_timestamp()}


def _column_error(metric: dict[str, Any], columns: dict[str, Any]) -> dict[str, Any]:
    message = (
        f"The metric '{metric['name']}' has the columns {columns}; "
        f"values with {metric.get('columns')} cannot be added."
    )
    return {"metric": metric, "errorResponse": {"error": {"code": "UserError", "message": message}}}


@router.route("POST", _RUN + "/list")
def list_metrics(cloud: Cloud, request: Request) -> Response:
    """The names of a run's metrics."""
    run_id = runs.existing_run(cloud, request)["runId"]
    found = [
        {
            "metricKey": {
                "name": metric["name"],
                "metricNamespace": None,
                "labels": {},
                "labelFilters": [],
            },
            "columns": metric["columns"],
            "properties": metric["properties"],
        }
        for metric in cloud.store.list("metric", run_id + _SEPARATOR)
    ]
    return json_response({"value": found, "continuationToken": None})


@router.route("POST", _RUN + "/full")
def show_metric(cloud: Cloud, request: Request) -> Response:
    """All values of one metric."""
    run_id = runs.existing_run(cloud, request)["runId"]
    body = request.json_object()
    key = _SEPARATOR.join((run_id, fields.text(body, "metricName")))
    metric = cloud.store.get("metric", key)
    if metric is None:
        raise ServiceError(
            404, "UserError", f"Run {run_id} has no metric named {body['metricName']}."
        )
    bounds = {"ge": body.get("startTime"), "le": body.get("endTime")}
    wanted = parse_filter(
        " and ".join(f"createdUtc {sign} {time}" for sign, time in bounds.items() if time)
    )
    values = [value for value in _values(cloud, run_id, metric["name"]) if wanted(value)]
    return json_response(
        {
            **metric,
            "dataContainerId": artifacts.container_of_run(run_id),
            "value": values,
            "continuationToken": None,
        }
    )


@router.route("GET", BY_NAME + "/runs/{run}/metricsingest/wait")
@router.route("GET", BY_ID + "/runs/{run}/metricsingest/wait")
def wait_for_ingest(cloud: Cloud, request: Request) -> Response:
    """Metrics are there as soon as they are posted."""
    runs.existing_run(cloud, request)
    return json_response({})
