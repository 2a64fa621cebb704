"""Metrics of runs, version 2: named series of values. Shapes as azureml-core's MetricV2Dto."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping, Sequence
from typing import cast

from local.azure.history import artifacts, runs
from local.azure.history.experiments import BY_ID, BY_NAME
from local.azure.history.filters import moment, parse_filter, sort_by
from local.azure.history.records import (
    LATEST,
    METRIC_ROWS,
    METRICS,
    Latest,
    LatestOfRun,
    Metric,
    Row,
)
from local.azure.kernel import fields
from local.azure.kernel.cloud import Cloud
from local.azure.kernel.http import Request, Response, ServiceError, json_response
from local.azure.kernel.store import AlreadyExists
from local.azure.kernel.web import Router

router = Router()
_RUN = "/metric/v2.0{workspace}/runs/{run}"
# Run ids and metric names hold no control characters, so this cannot be part of either.
_SEPARATOR = "\x1f"


@router.at_start
def note_former_metrics(cloud: Cloud) -> None:
    """Note the latest values in a state that was written before they were kept."""
    if LATEST.get(cloud, "") is None:
        for metric_key, chunk in METRIC_ROWS.items(cloud):
            run_id, name, _ = metric_key.split(_SEPARATOR)
            _note(cloud, run_id, name, chunk["values"])
        LATEST.put(cloud, "", {})


@router.route("POST", _RUN + "/batch")
def post_metrics(cloud: Cloud, request: Request) -> Response:
    """Add values to metrics; a metric keeps the columns and type it was first given."""
    run_id = runs.existing_run(cloud, request)["runId"]
    errors = []
    for metric in fields.objects(request.json_object(), "values"):
        name = fields.text(metric, "name")
        key = _SEPARATOR.join((run_id, name))
        columns = cast("dict[str, str]", fields.mapping(metric, "columns"))
        try:
            METRICS.insert(
                cloud,
                key,
                {"name": name, "columns": columns, "properties": metric.get("properties")},
            )
        except AlreadyExists:
            known = METRICS.get(cloud, key)
            if known is not None and known["columns"] != columns:
                errors.append(_column_error(metric, known["columns"]))
                continue
        values = [_stamped(cloud, value) for value in fields.objects(metric, "value")]
        append(cloud, run_id, name, values)
    return json_response({"errors": errors}, 207 if errors else 200)


def append(cloud: Cloud, run_id: str, name: str, values: list[Row]) -> None:
    """Add values ({createdUtc, step, data: {column: value}}) to a metric that is known."""
    number = METRIC_ROWS.next_number(cloud)
    key = _SEPARATOR.join((run_id, name, f"{number:012}"))
    METRIC_ROWS.insert(cloud, key, {"values": values})
    _note(cloud, run_id, name, values)


def _note(cloud: Cloud, run_id: str, name: str, values: Sequence[Row]) -> None:
    metric = METRICS.get(cloud, _SEPARATOR.join((run_id, name)))
    columns = list(metric["columns"]) if metric else []

    def change(latest: LatestOfRun) -> None:
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
        LATEST.insert(cloud, run_id, {"metrics": {}})
    LATEST.update(cloud, run_id, change)


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
    kept = LATEST.look_up(cloud, run_id)
    return kept["metrics"] if kept else {}


def single_column(cloud: Cloud, run_id: str, name: str) -> str | None:
    """The column of a metric that is a plain number, made when absent; None when it is a table."""
    key = _SEPARATOR.join((run_id, name))
    new: Metric = {
        "name": name,
        "columns": {name: "Double"},
        "properties": {"uxMetricType": "azureml.v1.scalar"},
    }
    try:
        METRICS.insert(cloud, key, new)
    except AlreadyExists:
        columns = list((METRICS.get(cloud, key) or new)["columns"])
        return columns[0] if len(columns) == 1 else None
    return name


def read(cloud: Cloud, run_id: str) -> list[tuple[Metric, list[Row]]]:
    """The metrics of a run, each with its values in order of time."""
    found = METRICS.list(cloud, run_id + _SEPARATOR)
    return [(metric, _values(cloud, run_id, metric["name"])) for metric in found]


def _values(cloud: Cloud, run_id: str, name: str) -> list[Row]:
    chunks = METRIC_ROWS.list(cloud, _SEPARATOR.join((run_id, name, "")))
    # The SDK posts batches from several threads: they arrive in any order.
    return sort_by([value for chunk in chunks for value in chunk["values"]], "createdUtc")


def _stamped(cloud: Cloud, value: Mapping[str, object]) -> Row:
    return cast("Row", {**value, "createdUtc": value.get("createdUtc") or cloud.ml_timestamp()})


def _column_error(metric: Mapping[str, object], columns: Mapping[str, str]) -> Mapping[str, object]:
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
        for metric in METRICS.list(cloud, run_id + _SEPARATOR)
    ]
    return json_response({"value": found, "continuationToken": None})


@router.route("POST", _RUN + "/full")
def show_metric(cloud: Cloud, request: Request) -> Response:
    """All values of one metric."""
    run_id = runs.existing_run(cloud, request)["runId"]
    body = request.json_object()
    key = _SEPARATOR.join((run_id, fields.text(body, "metricName")))
    metric = METRICS.get(cloud, key)
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
