"""Run history: runs, their tags, children, queries and details.

Shapes as azureml-core's RunDto, CreateRunDto and RunDetailsDto; every path exists under
/experiments/{name} and /experimentids/{id}.
"""

from __future__ import annotations

import contextlib
import uuid
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Unpack, cast

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
from local.azure.history.records import RUNS, Run, RunChange
from local.azure.history.run_views import shown
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
_PAGE = tuple(
    mark + name for mark in ("$", "") for name in ("filter", "orderby", "top", "continuationToken")
)
router = Router()


def create_run(cloud: Cloud, *, experiment: str, run_id: str, **change: Unpack[RunChange]) -> Run:
    """Create a run; `change` has members of RunDto by their names (parentRunId, runType, ...).

    The experiment is made when absent. Raises store.AlreadyExists.
    """
    folder = ensure_experiment(cloud, experiment)
    parent = RUNS.get(cloud, change.get("parentRunId") or "")
    run_uuid = str(uuid.uuid4())
    run: Run = {
        "runNumber": cloud.store.next_number(f"run {folder['experimentId']}"),
        "runId": run_id,
        "runUuid": run_uuid,
        "rootRunId": parent["rootRunId"] if parent else change.get("parentRunId") or run_id,
        "rootRunUuid": parent["rootRunUuid"] if parent else run_uuid,
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
        "displayName": "",
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
    _merge(run, change)
    run["displayName"] = run["displayName"] or run_id
    RUNS.insert(cloud, run_id, run)
    return run


def get_run(cloud: Cloud, run_id: str) -> Run | None:
    """A run, or None."""
    return RUNS.get(cloud, run_id)


def update_run(cloud: Cloud, run_id: str, **change: Unpack[RunChange]) -> Run:
    """Change fields of a run; tags and properties are merged, None changes nothing.

    Raises KeyError when there is no such run.
    """

    def merge(run: Run) -> None:
        _merge(run, change)
        run["lastModifiedUtc"] = cloud.ml_timestamp()

    return RUNS.update(cloud, run_id, merge)


def children_of(cloud: Cloud, run_id: str) -> Sequence[Run]:
    """The direct children of a run, oldest first."""
    return find_runs(cloud, {"parentRunId": run_id})


def find_runs(cloud: Cloud, wanted: Mapping[str, str | None]) -> Sequence[Run]:
    """The runs with these values by path (see store.find), oldest first: to read only."""
    return RUNS.find(cloud, wanted)


def change_run(cloud: Cloud, run_id: str, change: Callable[[Run], None]) -> None:
    """Let `change` edit a run in place, atomically. Raises KeyError."""
    RUNS.update(cloud, run_id, change)


def delete_run(cloud: Cloud, run_id: str) -> None:
    """Forget a run; its files stay."""
    RUNS.delete(cloud, run_id)


def _merge(run: Run, change: RunChange) -> None:
    given = {name: value for name, value in change.items() if name not in (*_FIXED, *_MERGED)}
    run |= cast("Run", {name: value for name, value in given.items() if value is not None})
    run["tags"] |= _texts(change.get("tags"))
    run["properties"] |= _texts(change.get("properties"))


def _texts(values: Mapping[str, object] | None) -> dict[str, str | None]:
    return {name: _text(one) for name, one in (values or {}).items()}


def _text(value: object) -> str | None:
    return value if value is None or isinstance(value, str) else str(value)


def run_route(
    methods: str, suffix: str = "", *, target: Router | None = None, query: Iterable[str] = ()
) -> Callable[[Handler], Handler]:
    """Declare a handler for a run under both of its addresses."""

    def declare(handler: Handler) -> Handler:
        for experiment in (BY_NAME, BY_ID):
            path = experiment + "/runs/{run}" + suffix
            (target or router).route(methods, path, query=query)(handler)
        return handler

    return declare


def of_run(request: Request, run_id: str) -> Request:
    """A request for several runs, as one for a single run."""
    return replace(request, params={**request.params, "run": run_id})


def existing_run(cloud: Cloud, request: Request) -> Run:
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
    cloud: Cloud, request: Request, run_id: str, body: Mapping[str, object]
) -> Run:
    experiment = existing_experiment(cloud, request.params["experiment"])
    values = cast("RunChange", {name: one for name, one in body.items() if name != "runId"})
    values["tags"], values["properties"] = (fields.texts(body, name) for name in _MERGED)
    if get_run(cloud, run_id) is None:
        # Two clients may create the same run at once; the second one updates it.
        with contextlib.suppress(AlreadyExists):
            return create_run(cloud, experiment=experiment["name"], run_id=run_id, **values)
    existing_run(cloud, of_run(request, run_id))
    return update_run(cloud, run_id, **values)


@run_route("GET", "/children", query=_PAGE)
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


@router.route("GET", HISTORY + "/computes/{compute}/runs", query=_PAGE)
def query_runs_of_compute(cloud: Cloud, request: Request) -> Response:
    """Runs that were sent to a compute target."""
    asked = {name.removeprefix("$"): value for name, value in request.query.items()}
    return json_response(_query(cloud, {"target": request.params["compute"]}, asked))


def _query(
    cloud: Cloud, wanted: Mapping[str, str], asked: Mapping[str, object]
) -> Mapping[str, object]:
    """One page of the runs with the values wanted that match the filter asked for."""
    text = fields.optional_text(asked, "filter")
    matches = parse_filter(text)
    runs = RUNS.find(cloud, {**equalities(text, _INDEXED), **wanted})
    found = sorted(filter(matches, runs), key=lambda run: -run["runNumber"])
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

    def change(run: Run) -> None:
        for name in names:
            run["tags"].pop(name, None)

    return json_response(shown(cloud, RUNS.update(cloud, request.params["run"], change)))


@run_route("GET", "/details")
def show_details(cloud: Cloud, request: Request) -> Response:
    """A run's outcome with links to its logs."""
    run = existing_run(cloud, request)
    details: dict[str, object] = {name: run.get(name) for name in _DETAILS}
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
