"""MLflow's model registry over the models of the workspace: a version is a model of both SDKs.

Protocol: MLflow's REST API 2.0, registered-models and model-versions. Versions that MLflow makes
are of the type mlflow_model, with the next number. No aliases, no renaming, and no
deletion of versions: Azure ML archives.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, NotRequired, TypedDict, TypeVar

from local.azure.history.artifacts import container_of_run
from local.azure.kernel.cloud import Cloud
from local.azure.kernel.http import Request, Response, ServiceError, json_response
from local.azure.kernel.tables import Table
from local.azure.kernel.web import Router
from local.azure.registry import model_records
from local.azure.storage.datastores import ARTIFACT_STORE
from local.azure.v2.assets import models, uris
from local.azure.v2.assets import versions as assets
from local.azure.v2.assets.kinds import Properties, Record
from local.azure.v2.mlflow.protocol import asked, mlflow_route, page
from local.azure.v2.mlflow.search import matcher, ordered
from local.azure.v2.mlflow.shapes import Pair
from local.azure.v2.mlflow.views import milliseconds, not_found

router = Router()


class Name(TypedDict):
    """A name that was registered before any version, or described apart from them."""

    name: str
    description: str
    tags: dict[str, str]
    created: str


class Version(TypedDict):
    """A version of a model as MLflow has it. Times are in ms."""

    name: str
    version: str
    creation_timestamp: int | None
    last_updated_timestamp: int | None
    current_stage: str
    description: str
    source: str
    status: str
    tags: list[Pair]
    run_id: NotRequired[str]


class Registered(TypedDict):
    """A name as MLflow has it, with the newest version of each stage. Times are in ms."""

    name: str
    creation_timestamp: int | None
    last_updated_timestamp: int | None
    description: str
    latest_versions: list[Version]
    tags: list[Pair]


_NAMES: Table[Name] = Table("mlflow-model")
R = TypeVar("R", Version, Registered)
_RUN_ARTIFACTS = re.compile(r"azureml://[^/]+/mlflow/.*/runs/([^/]+)/artifacts/?(.*)")
_ARTIFACTS = "azureml://artifacts/"
_STAGES = {stage.lower(): stage for stage in ("None", "Staging", "Production", "Archived")}


def _versions(cloud: Cloud, name: str) -> list[Version]:
    return [_show(cloud, record) for record in models.KIND.listed(cloud, name)]


def _show(cloud: Cloud, record: Record) -> Version:
    properties = record["properties"]
    shown: Version = {
        "name": record["name"],
        "version": record["version"],
        "creation_timestamp": milliseconds(record["created"]),
        "last_updated_timestamp": milliseconds(record["modified"]),
        "current_stage": properties.get("stage") or "None",
        "description": properties.get("description") or "",
        "source": _download_uri(cloud, record),
        "status": "READY",
        "tags": _pairs(properties.get("tags")),
    }
    run_id = properties.get("jobName")
    if run_id:
        shown["run_id"] = run_id
    return shown


def _download_uri(cloud: Cloud, record: Record) -> str:
    model = model_records.existing_model(cloud, f"{record['name']}:{record['version']}")
    named = next(iter(model_records.names_of_files(model_records.asset_of(cloud, model))), "")
    return f"{_ARTIFACTS}{named}".rstrip("/")


def _pairs(tags: Mapping[str, str | None] | None) -> list[Pair]:
    return [{"key": key, "value": value or ""} for key, value in (tags or {}).items()]


def _registered(cloud: Cloud, name: str) -> Registered:
    versions = _versions(cloud, name)
    made = _NAMES.get(cloud, name)
    if made is None and not versions:
        raise not_found(f"Registered Model with name={name} not found")
    created = milliseconds(made["created"]) if made else versions[0]["creation_timestamp"]
    return {
        "name": name,
        "creation_timestamp": created,
        "last_updated_timestamp": versions[-1]["last_updated_timestamp"] if versions else created,
        "description": made["description"] if made else "",
        "latest_versions": _latest(versions, ()),
        "tags": _pairs(made["tags"] if made else {}),
    }


def _latest(versions: Sequence[Version], stages: tuple[str, ...]) -> list[Version]:
    """The newest version of each stage."""
    newest = {one["current_stage"]: one for one in versions}
    return [one for stage, one in newest.items() if not stages or stage.lower() in stages]


def _existing(cloud: Cloud, given: Mapping[str, Any]) -> Record:
    found = models.KIND.get(cloud, str(given["name"]), str(given["version"]))
    if found is None:
        raise not_found(
            f"Model Version (name={given['name']}, version={given['version']}) not found"
        )
    return found


@mlflow_route(router, "POST", "registered-models/create")
def create_name(cloud: Cloud, request: Request) -> Response:
    """Register a name that versions can be made of."""
    given = asked(request, "name")
    name = str(given["name"])
    if _NAMES.get(cloud, name) or models.KIND.listed(cloud, name):
        raise ServiceError(
            400, "RESOURCE_ALREADY_EXISTS", f"Registered Model (name={name}) already exists."
        )
    record: Name = {
        "name": name,
        "description": given.get("description") or "",
        "tags": {str(one["key"]): str(one.get("value", "")) for one in given.get("tags") or []},
        "created": cloud.ml_timestamp(),
    }
    _NAMES.put(cloud, name, record)
    return json_response({"registered_model": _registered(cloud, name)})


@mlflow_route(router, "GET", "registered-models/get")
def get_name(cloud: Cloud, request: Request) -> Response:
    """A name, with its newest versions."""
    name = asked(request, "name")["name"]
    return json_response({"registered_model": _registered(cloud, name)})


@mlflow_route(router, "PATCH|POST", "registered-models/update")
def describe_name(cloud: Cloud, request: Request) -> Response:
    """Change the description of a name."""
    given = asked(request, "name")
    record = _named(cloud, str(given["name"]))
    _NAMES.put(cloud, record["name"], {**record, "description": given.get("description") or ""})
    return json_response({"registered_model": _registered(cloud, record["name"])})


@mlflow_route(router, "POST", "registered-models/set-tag")
def set_tag_of_name(cloud: Cloud, request: Request) -> Response:
    """Set a tag of a name."""
    given = asked(request, "name", "key")
    record = _named(cloud, str(given["name"]))
    record["tags"][str(given["key"])] = str(given.get("value", ""))
    _NAMES.put(cloud, record["name"], record)
    return json_response({})


@mlflow_route(router, "DELETE", "registered-models/delete-tag")
def delete_tag_of_name(cloud: Cloud, request: Request) -> Response:
    """Remove a tag of a name; one that is not there is no fault."""
    given = asked(request, "name", "key")
    record = _named(cloud, str(given["name"]))
    record["tags"].pop(str(given["key"]), None)
    _NAMES.put(cloud, record["name"], record)
    return json_response({})


@mlflow_route(router, "DELETE", "registered-models/delete")
def delete_name(cloud: Cloud, request: Request) -> Response:
    """Forget a name. Raises ServiceError 501 for a name with versions."""
    name = str(asked(request, "name")["name"])
    if _registered(cloud, name)["latest_versions"]:
        raise ServiceError(
            501,
            "NotImplemented",
            f"The local Azure deletes no versions by MLflow, and '{name}' has some: delete them "
            "with azureml-core's Model.delete, or archive them.",
        )
    _NAMES.delete(cloud, name)
    return json_response({})


def _named(cloud: Cloud, name: str) -> Name:
    """What is kept of a name, also of one that only has versions. Raises ServiceError 404."""
    shown = _registered(cloud, name)
    versions = models.KIND.listed(cloud, name)
    made = _NAMES.get(cloud, name)
    return made or {
        "name": name,
        "description": shown["description"],
        "tags": {},
        "created": versions[0]["created"],
    }


@mlflow_route(router, "GET|POST", "registered-models/get-latest-versions")
def get_latest_versions(cloud: Cloud, request: Request) -> Response:
    """The newest version of each stage."""
    given = asked(request, "name")
    stages = given.get("stages") or []
    wanted = tuple(stage.lower() for stage in ([stages] if isinstance(stages, str) else stages))
    found = _latest(_versions(cloud, _registered(cloud, given["name"])["name"]), wanted)
    return json_response({"model_versions": found})


@mlflow_route(router, "GET|POST", "registered-models/search")
def search_names(cloud: Cloud, request: Request) -> Response:
    """Names that match a filter."""
    given = asked(request)
    names = dict.fromkeys(
        [record["name"] for record in models.KIND.listed(cloud, None)]
        + [record["name"] for record in _NAMES.find(cloud)]
    )
    return _search(given, [_registered(cloud, name) for name in names], "registered_models")


@mlflow_route(router, "GET|POST", "model-versions/search")
def search_versions(cloud: Cloud, request: Request) -> Response:
    """Versions that match a filter."""
    shown = [_show(cloud, record) for record in models.KIND.listed(cloud, None)]
    return _search(asked(request), shown, "model_versions")


def _search(given: Mapping[str, Any], shown: Sequence[R], name: str) -> Response:
    matches = matcher(given.get("filter"), _look_up)
    orders = given.get("order_by") or ["name ASC"]
    found = ordered(
        [one for one in shown if matches(one)],
        [orders] if isinstance(orders, str) else orders,
        _look_up,
    )
    return json_response(page(given, found, name))


def _look_up(shown: R, entity: str, name: str) -> object:
    if entity == "tags":
        # MLflow 3 asks for what is not a prompt of its own: nothing here is one.
        default = "false" if name == "mlflow.prompt.is_prompt" else None
        return {one["key"]: one["value"] for one in shown["tags"]}.get(name, default)
    aliases = {"version_number": "version", "timestamp": "creation_timestamp"}
    name = aliases.get(name, name)
    if entity != "attributes" or name not in (*shown, "run_id"):
        raise ServiceError(
            400, "INVALID_PARAMETER_VALUE", f"Invalid attribute key '{name}' specified."
        )
    return shown.get(name)


@mlflow_route(router, "POST", "model-versions/create")
def create_version(cloud: Cloud, request: Request) -> Response:
    """Register the next version of a model from artifacts of a run, or from an upload."""
    given = asked(request, "name", "source")
    name = str(given["name"])
    version = str(model_records.next_version(cloud, name))
    tags: dict[str, str | None] = {
        str(one["key"]): str(one.get("value", "")) for one in given.get("tags") or []
    }
    properties: Properties = {
        "modelUri": _uri(cloud, str(given["source"])),
        "modelType": "mlflow_model",
        "jobName": given.get("run_id"),
        "description": given.get("description"),
        "tags": tags,
    }
    record = assets.register(cloud, models.KIND, name, version, properties)
    return json_response({"model_version": _show(cloud, record)})


def _uri(cloud: Cloud, source: str) -> str:
    """A source in the form that v2's models take."""
    found = _RUN_ARTIFACTS.fullmatch(source)
    if found:
        path = f"ExperimentRun/{container_of_run(found[1])}/{found[2]}"
        return uris.datastore_uri(cloud, ARTIFACT_STORE, path)
    if source.startswith(_ARTIFACTS):
        return uris.datastore_uri(cloud, ARTIFACT_STORE, source.removeprefix(_ARTIFACTS))
    return source


@mlflow_route(router, "GET", "model-versions/get")
def get_version(cloud: Cloud, request: Request) -> Response:
    """A version of a model."""
    record = _existing(cloud, asked(request, "name", "version"))
    return json_response({"model_version": _show(cloud, record)})


@mlflow_route(router, "GET", "model-versions/get-download-uri")
def get_download_uri(cloud: Cloud, request: Request) -> Response:
    """Where the plug-in azureml-mlflow finds the files of a version."""
    record = _existing(cloud, asked(request, "name", "version"))
    return json_response({"artifact_uri": _download_uri(cloud, record)})


@mlflow_route(router, "PATCH|POST", "model-versions/update")
@mlflow_route(router, "POST", "model-versions/set-tag")
@mlflow_route(router, "POST", "model-versions/transition-stage")
def update_version(cloud: Cloud, request: Request) -> Response:
    """Describe or tag a version, or change its stage."""
    given = asked(request, "name", "version")
    record = _existing(cloud, given)
    properties: Properties = {}
    if given.get("key"):
        known = record["properties"].get("tags") or {}
        properties["tags"] = {**known, str(given["key"]): str(given.get("value", ""))}
    if given.get("description") is not None:
        properties["description"] = given["description"]
    if given.get("stage"):
        if str(given["stage"]).lower() not in _STAGES:
            raise ServiceError(
                400, "INVALID_PARAMETER_VALUE", f"There is no stage '{given['stage']}'."
            )
        properties["stage"] = _STAGES[str(given["stage"]).lower()]
    changed = assets.register(cloud, models.KIND, record["name"], record["version"], properties)
    return json_response({"model_version": _show(cloud, changed)})
