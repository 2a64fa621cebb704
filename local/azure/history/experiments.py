"""Experiments, the folders of runs. Paths: /history/v1.0/.../experiments and /experimentids."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from typing import Generic, TypedDict, TypeVar

from local.azure.history.filters import parse_filter, sort_by
from local.azure.history.records import EXPERIMENT_IDS, EXPERIMENTS, RUNS, Experiment
from local.azure.kernel import fields
from local.azure.kernel.cloud import Cloud
from local.azure.kernel.http import Request, Response, ServiceError, json_response
from local.azure.kernel.store import AlreadyExists
from local.azure.kernel.web import Router

T = TypeVar("T")
HISTORY = "/history/v1.0{workspace}"
BY_NAME = HISTORY + "/experiments/{experiment}"
BY_ID = HISTORY + "/experimentids/{experiment}"

router = Router()


class Page(TypedDict, Generic[T]):
    """A part of a list. continuationToken: asks for the next part; None where this was the last."""

    value: list[T]
    continuationToken: str | None
    nextLink: None


def named_experiment(cloud: Cloud, name: str) -> Experiment | None:
    """An experiment by its name, or None."""
    return EXPERIMENTS.get(cloud, name)


def experiment_of_id(cloud: Cloud, experiment_id: str) -> Experiment | None:
    """An experiment by its id, or None."""
    pointer = EXPERIMENT_IDS.get(cloud, experiment_id)
    return EXPERIMENTS.get(cloud, pointer["name"]) if pointer else None


def all_experiments(cloud: Cloud) -> Sequence[Experiment]:
    """All experiments, oldest first: to read only."""
    return EXPERIMENTS.find(cloud)


def add_tags(cloud: Cloud, name: str, tags: Mapping[str, str]) -> None:
    """Set tags of an experiment. Raises KeyError."""
    EXPERIMENTS.update(cloud, name, lambda experiment: experiment["tags"].update(tags))


def archive(cloud: Cloud, name: str, time: str | None) -> None:
    """Archive an experiment, or bring it back (None). Raises KeyError."""
    EXPERIMENTS.update(cloud, name, lambda experiment: experiment.update({"archivedTime": time}))


def find_experiment(cloud: Cloud, name_or_id: str) -> Experiment | None:
    """An experiment by its name or its id, or None."""
    return named_experiment(cloud, name_or_id) or experiment_of_id(cloud, name_or_id)


def existing_experiment(cloud: Cloud, name_or_id: str) -> Experiment:
    """An experiment by its name or its id. Raises ServiceError 404."""
    found = find_experiment(cloud, name_or_id)
    if found is None:
        raise ServiceError(404, "UserError", f"Experiment {name_or_id} was not found.")
    return found


def ensure_experiment(cloud: Cloud, name: str) -> Experiment:
    """The experiment of this name, made when absent."""
    experiment: Experiment = {
        "experimentId": str(uuid.uuid4()),
        "name": name,
        "description": None,
        "createdUtc": cloud.ml_timestamp(),
        "archivedTime": None,
        "tags": {},
    }
    try:
        EXPERIMENTS.insert(cloud, name, experiment)
    except AlreadyExists:
        return existing_experiment(cloud, name)
    EXPERIMENT_IDS.put(cloud, experiment["experimentId"], {"name": name})
    return experiment


@router.route("GET", BY_NAME)
@router.route("GET", BY_ID)
def show_experiment(cloud: Cloud, request: Request) -> Response:
    """An experiment."""
    return json_response(existing_experiment(cloud, request.params["experiment"]))


@router.route("POST", BY_NAME)
def create_experiment(cloud: Cloud, request: Request) -> Response:
    """Create, or find the one that exists."""
    return json_response(ensure_experiment(cloud, request.params["experiment"]))


@router.route("PATCH", BY_ID)
def update_experiment(cloud: Cloud, request: Request) -> Response:
    """Add tags, describe, archive or reactivate."""
    name = existing_experiment(cloud, request.params["experiment"])["name"]
    body = request.json_object()
    if body.get("name") not in (None, name):
        raise ServiceError(501, "NotImplemented", "The local Azure does not rename experiments.")

    tags = fields.texts(body, "tags")

    def change(experiment: Experiment) -> None:
        experiment["tags"].update(tags)
        if body.get("description") is not None:
            experiment["description"] = body["description"]
        if body.get("archive") is not None:
            experiment["archivedTime"] = cloud.ml_timestamp() if body["archive"] else None

    return json_response(EXPERIMENTS.update(cloud, name, change))


@router.route("POST", BY_ID + "/tags:delete")
def delete_experiment_tags(cloud: Cloud, request: Request) -> Response:
    """Remove tags."""
    name = existing_experiment(cloud, request.params["experiment"])["name"]
    tags = fields.names(request.json_object(), "tags")

    def change(experiment: Experiment) -> None:
        for tag in tags:
            experiment["tags"].pop(tag, None)

    EXPERIMENTS.update(cloud, name, change)
    return json_response({"errors": {}})


@router.route("DELETE", BY_ID)
def delete_experiment(cloud: Cloud, request: Request) -> Response:
    """Delete an experiment that holds no runs."""
    experiment = existing_experiment(cloud, request.params["experiment"])
    if RUNS.find(cloud, {"experimentId": experiment["experimentId"]}):
        raise ServiceError(
            400, "UserError", f"Only empty Experiments can be deleted; {experiment['name']} is not."
        )
    EXPERIMENT_IDS.delete(cloud, experiment["experimentId"])
    EXPERIMENTS.delete(cloud, experiment["name"])
    return json_response({})


@router.route("POST", HISTORY + "/experiments:query")
def query_experiments(cloud: Cloud, request: Request) -> Response:
    """Experiments that match a filter, page by page."""
    body = request.json_object()
    view = str(body.get("viewType") or "ActiveOnly").lower()
    matches = parse_filter(fields.optional_text(body, "filter"))
    found = [
        experiment
        for experiment in EXPERIMENTS.find(cloud)
        if matches(experiment)
        and (view == "all" or (experiment["archivedTime"] is None) == (view == "activeonly"))
    ]
    return json_response(page(sort_by(found, order_text(body)), body))


def order_text(asked: Mapping[str, object]) -> str:
    """The order expression of a query, which clients send as text or as a list of terms."""
    if isinstance(asked.get("orderby"), list):
        return ",".join(fields.names(asked, "orderby"))
    return fields.optional_text(asked, "orderby") or ""


def page(values: Sequence[T], asked: Mapping[str, object]) -> Page[T]:
    """One page of `values`, as `top` and `continuationToken` in `asked` say."""
    try:
        start = int(fields.optional_text(asked, "continuationToken") or 0)
        size = int(fields.optional_text(asked, "top") or 500)
    except ValueError:
        raise ServiceError(400, "UserError", "top or continuationToken is not valid.") from None
    start, end = max(start, 0), max(start, 0) + max(1, size)
    token = str(end) if end < len(values) else None
    return {"value": list(values[start:end]), "continuationToken": token, "nextLink": None}
