"""Run history: runs, their tags, children, queries and details.

Shapes as azureml-core's RunDto, CreateRunDto and RunDetailsDto; every path exists under
/experiments/{name} and /experimentids/{id}.
"""

from __future__ import annotations

import contextlib
import uuid
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from local.azure.history import artifacts
from local.azure.history.experiments import (
    BY_ID,
    BY_NAME,
    HISTORY,
    ensure_experiment,
    existing_experiment,
    order_text,
    page,
)
from local.azure.history.filters import equalities, parse_filter, sort_by
from local.azure.history.run_views import shown
from local.azure.history.tables import RUNS
from local.azure.identity import entra
from local.azure.kernel import fields
from local.azure.kernel.cloud import Cloud
from local.azure.kernel.http import Request, Response, ServiceError, json_response
from local.azure.kernel.store import AlreadyExists
from local.azure.kernel.web import Handler, Router

TERMINAL = frozenset({"Completed", "Failed", "Canceled"})
RUN_TOKEN_LIFETIME = timedelta(hours=8)

_MERGED = ("tags", "properties")
# What only the service itself sets.
_FIXED = ("runId", "runNumber", "runUuid", "experimentId", "rootRunId", "createdUtc")
_DETAILS = (
    "runId",
    "target",
    "status",
    "startTimeUtc",
    "endTimeUtc",
    "error",
    "warnings",
    "properties",
    "runDefinition",
)
# What queries look up instead of reading all runs.
_INDEXED = ("runId", "parentRunId", "rootRunId", "runType", "status", "target", *_MERGED)
router = Router()


def create_run(cloud: Cloud, *, experiment: str, run_id: str, **fields: Any) -> dict[str, Any]:
    """Create a run; `fields` are those of RunDto by their JSON names (parentRunId, runType, ...).

    The experiment is made when absent. Raises store.AlreadyExists.
    """
    folder = ensure_experiment(cloud, experiment)
    parent = cloud.store.get(RUNS, fields.get("parentRunId") or "")
    run = {
        "runNumber": cloud.store.next_number(f"run {folder['experimentId']}"),
        "runId": run_id,
        "runUuid": str(uuid.uuid4()),
        "rootRunId": parent["rootRunId"] if parent else fields.get("parentRunId") or run_id,
        "rootRunUuid": parent["rootRunUuid"] if parent else None,
        "parentRunId": None,
        "parentRunUuid": parent["runUuid"] if parent else None,
        "experimentId": folder["experimentId"],
        "experimentName": folder["name"],
        "createdUtc": cloud.ml_timestamp(),
        "createdBy": {
            "userObjectId": cloud.object_id,
            "userTenantId": cloud.tenant_id,
            "userName": cloud.client_id,
        },
        "userId": cloud.object_id,
        "token": None,
        "tokenExpiryTimeUtc": None,
        "status": "NotStarted",
        "startTimeUtc": None,
        "endTimeUtc": None,
        "heartbeatEnabled": False,
        "options": {"generateDataContainerIdIfNotSpecified": True},
        "name": None,
        "displayName": None,
        "dataContainerId": artifacts.container_of_run(run_id),
        "description": None,
        "hidden": False,
        "runType": None,
        "runTypeV2": None,
        "properties": {},
        "scriptName": None,
        "target": None,
        "tags": {},
        "runDefinition": None,
        "createdFrom": None,
        "cancelUri": None,
        "completeUri": None,
        "diagnosticsUri": None,
        "error": None,
        "warnings": None,
        "lastModifiedUtc": cloud.ml_timestamp(),
    }
    run["rootRunUuid"] = run["rootRunUuid"] or run["runUuid"]
    _merge(run, fields)
    run["displayName"] = run["displayName"] or run_id
    cloud.store.insert(RUNS, run_id, run)
    return run


def get_run(cloud: Cloud, run_id: str) -> dict[str, Any] | None:
    """A run, or None."""
    return cloud.store.get(RUNS, run_id)


def update_run(cloud: Cloud, run_id: str, **fields: Any) -> dict[str, Any]:
    """Change fields of a run; tags and properties are merged, None changes nothing.

    Raises KeyError when there is no such run.
    """

    def change(run: dict[str, Any]) -> None:
        _merge(run, fields)
        run["lastModifiedUtc"] = cloud.ml_timestamp()

    return cloud.store.update(RUNS, run_id, change)


def children_of(cloud: Cloud, run_id: str) -> list[dict[str, Any]]:
    """The direct children of a run, oldest first."""
    return cloud.store.find(RUNS, {"parentRunId": run_id})


def _merge(run: dict[str, Any], fields: dict[str, Any]) -> None:
    for name, value in fields.items():
        if value is None or name in _FIXED:
            continue
        if name in _MERGED:
            run[name] = {**run[name], **{key: _text(one) for key, one in value.items()}}
        else:
            run[name] = value


def _text(value: Any) -> str | None:
    return value if value is None or isinstance(value, str) else str(value)


def run_route(
    methods: str, suffix: str = "", *, target: Router | None = None
) -> Callable[[Handler], Handler]:
    """Declare a handler for a run under both of its addresses."""

    def declare(handler: Handler) -> Handler:
        for experiment in (BY_NAME, BY_ID):
            (target or router).route(methods, experiment + "/runs/{run}" + suffix)(handler)
        return handler

    return declare


def existing_run(cloud: Cloud, request: Request) -> dict[str, Any]:
    """The run that a request's path names. Raises ServiceError 404."""
    run = get_run(cloud, request.params["run"])
    experiment = request.params.get("experiment")
    if run is None or (
        experiment is not None and experiment not in (run["experimentId"], run["experimentName"])
    ):
        where = f" in experiment {experiment}" if experiment else ""
        raise ServiceError(404, "UserError", f"Run {request.params['run']}{where} was not found.")
    return run


@run_route("GET")
@router.route("GET", HISTORY + "/runs/{run}")
def show_run(cloud: Cloud, request: Request) -> Response:
    """A run."""
    return json_response(shown(cloud, existing_run(cloud, request)))


@run_route("PATCH")
def patch_run(cloud: Cloud, request: Request) -> Response:
    """Change a run, or create it."""
    body = request.json_object()
    body.pop("runId", None)
    run = _create_or_update(cloud, request, request.params["run"], body)
    return json_response(shown(cloud, run))


@router.route("PATCH", BY_NAME + "/batch/runs")
def patch_runs(cloud: Cloud, request: Request) -> Response:
    """Change or create several runs."""
    runs = {}
    for body in fields.objects(request.json_object(), "runs"):
        run_id = fields.text(body, "runId")
        runs[run_id] = shown(cloud, _create_or_update(cloud, request, run_id, body))
    return json_response({"runs": runs, "errors": {}})


def _create_or_update(
    cloud: Cloud, request: Request, run_id: str, body: dict[str, Any]
) -> dict[str, Any]:
    experiment = existing_experiment(cloud, request.params["experiment"])
    values = {name: value for name, value in body.items() if name != "runId"}
    for name in _MERGED:
        values[name] = fields.texts(body, name)
    if get_run(cloud, run_id) is None:
        # Two clients may create the same run at once; the second one updates it.
        with contextlib.suppress(AlreadyExists):
            return create_run(cloud, experiment=experiment["name"], run_id=run_id, **values)
    known = Request(**{**vars(request), "params": {**request.params, "run": run_id}})
    existing_run(cloud, known)
    return update_run(cloud, run_id, **values)


@run_route("GET", "/children")
def list_children(cloud: Cloud, request: Request) -> Response:
    """The direct children of a run."""
    run = existing_run(cloud, request)
    asked = {name.removeprefix("$"): value for name, value in request.query.items()}
    return json_response(_query(cloud, {"parentRunId": run["runId"]}, asked))


@router.route("POST", BY_NAME + "/runs:query")
@router.route("POST", BY_ID + "/runs:query")
def query_runs(cloud: Cloud, request: Request) -> Response:
    """Runs of an experiment that match a filter, page by page."""
    experiment = existing_experiment(cloud, request.params["experiment"])
    of_experiment = {"experimentId": experiment["experimentId"]}
    return json_response(_query(cloud, of_experiment, request.json_object()))


@router.route("GET", HISTORY + "/computes/{compute}/runs")
def query_runs_of_compute(cloud: Cloud, request: Request) -> Response:
    """Runs that were sent to a compute target."""
    asked = {name.removeprefix("$"): value for name, value in request.query.items()}
    return json_response(_query(cloud, {"target": request.params["compute"]}, asked))


def _query(cloud: Cloud, wanted: dict[str, str], asked: dict[str, Any]) -> dict[str, Any]:
    """One page of the runs with the values wanted that match the filter asked for."""
    text = fields.optional_text(asked, "filter")
    matches = parse_filter(text)
    runs = cloud.store.find(RUNS, {**equalities(text, _INDEXED), **wanted})
    found = sorted(filter(matches, runs), key=lambda run: -int(run["runNumber"]))
    part = page(sort_by(found, order_text(asked)), asked)
    values = [shown(cloud, run) for run in part["value"]]
    # What is null is left out: that was all.
    more = {name: value for name, value in part.items() if name != "value" and value is not None}
    return {"value": values, **more}


@run_route("DELETE", "/tags")
def delete_tags(cloud: Cloud, request: Request) -> Response:
    """Remove tags; the body is a list of their names."""
    existing_run(cloud, request)
    names = request.json()
    if not isinstance(names, list):
        raise ServiceError(400, "UserError", "The body must be a list of tag names.")

    def change(run: dict[str, Any]) -> None:
        for name in names:
            run["tags"].pop(name, None)

    return json_response(shown(cloud, cloud.store.update(RUNS, request.params["run"], change)))


@run_route("GET", "/details")
def show_details(cloud: Cloud, request: Request) -> Response:
    """A run's outcome with links to its logs."""
    run = existing_run(cloud, request)
    details = {name: run[name] for name in _DETAILS}
    details |= {
        "services": {},
        "inputDatasets": [],
        "outputDatasets": [],
        "logFiles": artifacts.log_urls(cloud, run["runId"]),
    }
    return json_response(details)


@run_route("GET|POST", "/token")
def renew_token(cloud: Cloud, request: Request) -> Response:
    """A token with which the code of a run speaks for it."""
    run = existing_run(cloud, request)
    token = issue_run_token(cloud, run["runId"])
    expiry = (cloud.now() + RUN_TOKEN_LIFETIME).isoformat().replace("+00:00", "Z")
    return json_response({"token": token, "expiryTimeUtc": expiry})


def issue_run_token(cloud: Cloud, run_id: str) -> str:
    """The token of a run, as in AZUREML_RUN_TOKEN; good for the data planes only."""
    return entra.issue_token(
        cloud,
        audience=entra.RUN_AUDIENCE,
        lifetime_s=RUN_TOKEN_LIFETIME.total_seconds(),
        iss="azureml",
        runid=run_id,
        scope=cloud.workspace_scope,
    )
