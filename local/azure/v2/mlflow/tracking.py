"""MLflow tracking over run history, as Azure ML has it: experiments, runs, metrics, search.

Protocol: MLflow's REST API 2.0 (mlflow.org/docs, "REST API") below /mlflow/v1.0 and /mlflow/v2.0.
Like Azure ML this is no `mlflow server` but another face of the same runs. Artifacts do not pass
through it: the plug-in azureml-mlflow keeps them where run history does. What MLflow 3 added
(logged models, traces) Azure ML does not have, and neither does this.
"""

from __future__ import annotations

import functools
import uuid
from collections.abc import Mapping
from typing import Any

from local.azure.history import experiments, runs
from local.azure.history.experiments import ensure_experiment, find_experiment
from local.azure.history.records import RunChange
from local.azure.kernel.cloud import Cloud
from local.azure.kernel.http import Request, Response, ServiceError, json_response
from local.azure.kernel.web import Router
from local.azure.v2.mlflow import views
from local.azure.v2.mlflow.protocol import asked, mlflow_route, page
from local.azure.v2.mlflow.search import equalities, matcher, ordered

router = Router()


def _in_view(given: Mapping[str, Any], name: str, stage: str) -> bool:
    view = str(given.get(name) or "ACTIVE_ONLY").upper()
    return view == "ALL" or (stage == "deleted") == (view == "DELETED_ONLY")


# --- experiments ----------------------------------------------------------------------------------


@mlflow_route(router, "POST", "experiments/create")
def create_experiment(cloud: Cloud, request: Request) -> Response:
    """Create an experiment."""
    given = asked(request, "name")
    name = str(given["name"])
    if find_experiment(cloud, name):
        raise ServiceError(
            400, "RESOURCE_ALREADY_EXISTS", f"Experiment(name={name}) already exists."
        )
    experiment = ensure_experiment(cloud, name)
    tags = {str(one["key"]): str(one.get("value", "")) for one in given.get("tags") or []}
    experiments.add_tags(cloud, name, tags)
    return json_response({"experiment_id": experiment["experimentId"]})


@mlflow_route(router, "GET", "experiments/get")
def get_experiment(cloud: Cloud, request: Request) -> Response:
    """An experiment by id."""
    found = views.existing_experiment(cloud, asked(request, "experiment_id")["experiment_id"])
    return json_response({"experiment": views.show_experiment(found)})


@mlflow_route(router, "GET", "experiments/get-by-name")
def get_experiment_by_name(cloud: Cloud, request: Request) -> Response:
    """An experiment by name."""
    name = asked(request, "experiment_name")["experiment_name"]
    found = experiments.named_experiment(cloud, name)
    if found is None:
        raise views.not_found(f"Could not find experiment with name '{name}'")
    return json_response({"experiment": views.show_experiment(found)})


@mlflow_route(router, "GET|POST", "experiments/search")
@mlflow_route(router, "GET", "experiments/list")
def search_experiments(cloud: Cloud, request: Request) -> Response:
    """Experiments that match a filter, newest first unless asked otherwise."""
    given = asked(request)
    matches = matcher(given.get("filter"), views.lookup_experiment)
    shown = [views.show_experiment(one) for one in experiments.all_experiments(cloud)]
    found = [
        one
        for one in shown
        if matches(one) and _in_view(given, "view_type", one["lifecycle_stage"])
    ]
    orders = given.get("order_by") or ["creation_time DESC"]
    orders = [orders] if isinstance(orders, str) else orders
    return json_response(
        page(given, ordered(found, orders, views.lookup_experiment), "experiments")
    )


@mlflow_route(router, "POST", "experiments/set-experiment-tag")
def set_experiment_tag(cloud: Cloud, request: Request) -> Response:
    """Set a tag of an experiment."""
    given = asked(request, "experiment_id", "key")
    name = views.existing_experiment(cloud, given["experiment_id"])["name"]
    experiments.add_tags(cloud, name, {str(given["key"]): str(given.get("value", ""))})
    return json_response({})


@mlflow_route(router, "POST", "experiments/delete")
@mlflow_route(router, "POST", "experiments/restore")
def archive_experiment(cloud: Cloud, request: Request) -> Response:
    """Archive an experiment, which is what deleting means here, or bring it back."""
    given = asked(request, "experiment_id")
    name = views.existing_experiment(cloud, given["experiment_id"])["name"]
    time = cloud.ml_timestamp() if request.path.endswith("delete") else None
    experiments.archive(cloud, name, time)
    return json_response({})


# --- runs -----------------------------------------------------------------------------------------


@mlflow_route(router, "POST", "runs/create")
def create_run(cloud: Cloud, request: Request) -> Response:
    """Begin a run."""
    given = asked(request)
    experiment = views.existing_experiment(cloud, str(given.get("experiment_id") or "0"))
    tags = list(given.get("tags") or [])
    pairs = {one["key"]: one.get("value", "") for one in tags}
    parent = pairs.get("mlflow.parentRunId")
    if parent:
        views.existing_run(cloud, parent)
    run_id = str(uuid.uuid4())
    start = views.time_of(given.get("start_time")) or cloud.ml_timestamp()
    runs.create_run(
        cloud,
        experiment=experiment["name"],
        run_id=run_id,
        parentRunId=parent,
        displayName=given.get("run_name") or pairs.get("mlflow.runName") or "",
        status="Running",
        startTimeUtc=start,
        target="local",
        runType="mlflow",
    )
    views.set_tags(cloud, run_id, [one for one in tags if one["key"] != "mlflow.parentRunId"])
    return _shown(cloud, run_id)


def _shown(cloud: Cloud, run_id: str) -> Response:
    return json_response({"run": views.show_run(cloud, views.existing_run(cloud, run_id))})


def _run_id(cloud: Cloud, given: Mapping[str, Any]) -> str:
    run_id = str(given.get("run_id") or given.get("run_uuid") or "")
    if not run_id:
        raise ServiceError(
            400, "INVALID_PARAMETER_VALUE", "Missing value for required parameter 'run_id'."
        )
    return views.existing_run(cloud, run_id)["runId"]


@mlflow_route(router, "GET", "runs/get")
def get_run(cloud: Cloud, request: Request) -> Response:
    """A run."""
    return _shown(cloud, _run_id(cloud, asked(request)))


@mlflow_route(router, "POST", "runs/update")
def update_run(cloud: Cloud, request: Request) -> Response:
    """Change the status, end or name of a run."""
    given = asked(request)
    run_id = _run_id(cloud, given)
    status = given.get("status")
    if status is not None and str(status) not in views.FROM_STATUS:
        raise ServiceError(400, "INVALID_PARAMETER_VALUE", f"There is no status '{status}'.")
    ended = views.time_of(given.get("end_time"))
    change: RunChange = {"endTimeUtc": ended}
    if status is not None:
        change["status"] = views.FROM_STATUS[str(status)]
        if change["status"] in runs.TERMINAL and ended is None:
            change["endTimeUtc"] = cloud.ml_timestamp()
    if given.get("run_name") is not None:
        change["displayName"] = str(given["run_name"])
    run = runs.update_run(cloud, run_id, **change)
    return json_response({"run_info": views.info(cloud, run)})


@mlflow_route(router, "POST", "runs/delete")
@mlflow_route(router, "POST", "runs/restore")
def hide_run(cloud: Cloud, request: Request) -> Response:
    """Hide a run, which is what deleting means here, or bring it back."""
    run_id = _run_id(cloud, asked(request))
    runs.update_run(cloud, run_id, hidden=request.path.endswith("delete"))
    return json_response({})


@mlflow_route(router, "POST", "runs/set-tag")
def set_tag(cloud: Cloud, request: Request) -> Response:
    """Set a tag of a run."""
    given = asked(request, "key")
    views.set_tags(cloud, _run_id(cloud, given), [views.one_of(given)])
    return json_response({})


@mlflow_route(router, "POST", "runs/delete-tag")
def delete_tag(cloud: Cloud, request: Request) -> Response:
    """Remove a tag of a run."""
    given = asked(request, "key")
    views.delete_tag(cloud, _run_id(cloud, given), str(given["key"]))
    return json_response({})


@mlflow_route(router, "POST", "runs/log-parameter")
def log_parameter(cloud: Cloud, request: Request) -> Response:
    """Set a parameter of a run."""
    given = asked(request, "key")
    views.set_params(cloud, _run_id(cloud, given), [views.one_of(given)])
    return json_response({})


@mlflow_route(router, "POST", "runs/log-metric")
def log_metric(cloud: Cloud, request: Request) -> Response:
    """Add a value to a metric of a run."""
    given = asked(request, "key", "value")
    views.log_metrics(cloud, _run_id(cloud, given), [views.one_of(given)])
    return json_response({})


@mlflow_route(router, "POST", "runs/log-batch")
@mlflow_route(router, "POST", "runs/log-batch-async")
def log_batch(cloud: Cloud, request: Request) -> Response:
    """Add metrics, parameters and tags to a run; all of it is there when this answers."""
    given = asked(request)
    run_id = _run_id(cloud, given)
    views.set_params(cloud, run_id, given.get("params") or [])
    views.log_metrics(cloud, run_id, given.get("metrics") or [])
    views.set_tags(cloud, run_id, given.get("tags") or [])
    return json_response({})


@mlflow_route(router, "POST", "runs/log-inputs")
def log_inputs(cloud: Cloud, request: Request) -> Response:
    """Add data sets to the inputs of a run. Raises ServiceError 501 for logged models."""
    given = asked(request)
    if given.get("models"):
        raise ServiceError(
            501, "NotImplemented", "The local Azure has no models as inputs of runs."
        )
    views.add_inputs(cloud, _run_id(cloud, given), given.get("datasets") or [])
    return json_response({})


@mlflow_route(router, "POST", "runs/log-model")
def log_model(cloud: Cloud, request: Request) -> Response:
    """Note that an MLflow model is among the artifacts of a run."""
    given = asked(request, "model_json")
    model: dict[str, str | None] = {"mlflow.log-model.history": f"[{given['model_json']}]"}
    runs.update_run(cloud, _run_id(cloud, given), properties=model)
    return json_response({})


@mlflow_route(router, "POST", "runs/search")
def search_runs(cloud: Cloud, request: Request) -> Response:
    """Runs of experiments that match a filter, newest first unless asked otherwise."""
    given = asked(request)
    wanted = {
        views.existing_experiment(cloud, one)["experimentId"]
        for one in given.get("experiment_ids") or []
    }
    lookup = functools.partial(views.lookup_run, cloud)
    matches = matcher(given.get("filter"), lookup)
    equal: dict[str, str | None] = {}
    for clause in equalities(given.get("filter")):
        equal |= views.indexed(clause)
    found = [
        run
        for experiment in sorted(wanted)
        for run in reversed(runs.find_runs(cloud, {**equal, "experimentId": experiment}))
        if _in_view(given, "run_view_type", "active" if views.is_active(run) else "deleted")
        and matches(run)
    ]
    found.sort(key=views.start, reverse=True)
    found = ordered(found, given.get("order_by") or [], lookup)
    show = functools.partial(views.show_run, cloud)
    return json_response(page(given, found, "runs", show))


@mlflow_route(router, "GET", "metrics/get-history")
def get_metric_history(cloud: Cloud, request: Request) -> Response:
    """All values of a metric."""
    given = asked(request, "metric_key")
    values = views.series(cloud, _run_id(cloud, given)).get(given["metric_key"], [])
    given = {**given, "max_results": given.get("max_results") or 25000}
    return json_response(page(given, values, "metrics"))


@mlflow_route(router, "GET", "artifacts/list")
def list_artifacts(cloud: Cloud, request: Request) -> Response:
    """What lies directly below a path of a run's artifacts."""
    given = asked(request)
    run = views.existing_run(cloud, _run_id(cloud, given))
    files = views.artifact_listing(cloud, run["runId"], given.get("path") or "")
    return json_response({"root_uri": views.artifact_uri(cloud, run), "files": files})


@mlflow_route(router, "GET|POST|PATCH|DELETE", "logged-models")
@mlflow_route(router, "GET|POST|PATCH|DELETE", "logged-models/{path:rest}")
def refuse_logged_models(_cloud: Cloud, _request: Request) -> Response:
    """404, as Azure ML answers (Azure/azure-sdk-for-python, issue 44896)."""
    raise ServiceError(
        404,
        "ENDPOINT_NOT_FOUND",
        "Azure ML has no logged models of MLflow 3. Use mlflow<3 where models are logged.",
    )
