"""Models and the assets behind them. Shapes as azureml-core's Model and Asset DTOs.

A model's files are artifacts: its `url` is aml://asset/<id>, and the asset names artifact ids or
prefixes of them.
"""

from __future__ import annotations

import shutil
import uuid
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import Any

from local.azure.history import artifacts
from local.azure.kernel import fields
from local.azure.kernel.cloud import Cloud
from local.azure.kernel.errors import model_management_error
from local.azure.kernel.http import Request, Response, ServiceError, json_response
from local.azure.kernel.web import Router
from local.azure.registry.tables import MODELS, versions_of

_ASSET_SCHEME = "aml://asset/"
_PATCHABLE = (
    "kvTags",
    "description",
    "properties",
    "datasets",
    "sampleInputData",
    "sampleOutputData",
    "resourceRequirements",
)
_OPTIONAL = {
    "description": None,
    "framework": "Custom",
    "frameworkVersion": None,
    "mimeType": "application/x-python",
    "unpack": False,
    "runId": None,
    "experimentName": None,
    "parentModelId": None,
    "derivedModelIds": None,
    "sampleInputData": None,
    "sampleOutputData": None,
    "resourceRequirements": None,
}

router = Router(errors=model_management_error)
_PATH = "/modelmanagement/v1.0{workspace}"


def get_model(cloud: Cloud, model_id: str) -> dict[str, Any] | None:
    """A model by `name:version`, or None."""
    return cloud.store.get(MODELS, model_id)


def asset_of(cloud: Cloud, model: dict[str, Any]) -> dict[str, Any]:
    """The asset that names a model's files. Raises ServiceError 404."""
    return _existing_asset(cloud, str(model["url"]).removeprefix(_ASSET_SCHEME))


def copy_files(cloud: Cloud, model_id: str, destination: Path) -> Path:
    """Copy a model's files below `destination`, as Model.download lays them out.

    Returns the model's file or, when it has several, their folder. Raises ServiceError 404.
    """
    tops = set()
    for source, path in _asset_files(cloud, asset_of(cloud, _existing(cloud, model_id))):
        target = destination / path
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source, target)
        tops.add(path.parts[0])
    if not tops:
        raise ServiceError(404, "ModelNotFound", f"The model '{model_id}' has no files.")
    return destination / tops.pop() if len(tops) == 1 else destination


def _asset_files(cloud: Cloud, asset: dict[str, Any]) -> Iterator[tuple[Path, PurePosixPath]]:
    for reference in asset["artifacts"] or []:
        named = reference.get("id") or reference.get("prefix") or ""
        origin_and_container = named.split("/", 2)[:2]
        base = PurePosixPath(*origin_and_container, PurePosixPath(*named.split("/")[2:]).parent)
        for artifact in artifacts.find(cloud, named):
            file = artifacts.file_of(cloud, artifact["artifactId"])
            if file.is_file():
                yield file, PurePosixPath(artifact["artifactId"]).relative_to(base)


# --- assets -------------------------------------------------------------------------------------


def _existing_asset(cloud: Cloud, asset_id: str) -> dict[str, Any]:
    asset = cloud.store.get("asset", asset_id)
    if asset is None:
        raise ServiceError(404, "AssetNotFound", f"The asset '{asset_id}' was not found.")
    return asset


@router.route("POST", _PATH + "/assets")
def create_asset(cloud: Cloud, request: Request) -> Response:
    """Name a set of artifacts. 400 when there is nothing under one of them."""
    return json_response(_add_asset(cloud, request.json_object()))


def _add_asset(cloud: Cloud, body: dict[str, Any]) -> dict[str, Any]:
    asset: dict[str, Any] = {
        "id": uuid.uuid4().hex,
        "name": fields.text(body, "name"),
        "type": body.get("type"),
        "description": body.get("description"),
        "artifacts": fields.objects(body, "artifacts"),
        "kvTags": fields.texts(body, "kvTags"),
        "properties": fields.texts(body, "properties"),
        "runid": body.get("runid"),
        "meta": body.get("meta"),
        "createdTime": cloud.ml_timestamp(),
    }
    for reference in asset["artifacts"]:
        named = fields.optional_text(reference, "id") or fields.text(reference, "prefix")
        if not artifacts.find(cloud, named):
            raise ServiceError(400, "ArtifactNotFound", f"There is no artifact '{named}'.")
    cloud.store.insert("asset", asset["id"], asset)
    return asset


@router.route("GET", _PATH + "/assets")
def list_assets(cloud: Cloud, request: Request) -> Response:
    """Assets by name or run."""
    wanted = {
        field: request.query[key]
        for key, field in (("name", "name"), ("runId", "runid"), ("type", "type"))
        if request.query.get(key)
    }
    found = [
        asset
        for asset in cloud.store.list("asset")
        if all(asset[field] == value for field, value in wanted.items())
        and _has(asset["properties"], request.query.get("properties"))
    ]
    return json_response({"value": found, "nextLink": None})


@router.route("GET", _PATH + "/assets/{asset}")
def show_asset(cloud: Cloud, request: Request) -> Response:
    """An asset by id."""
    return json_response(_existing_asset(cloud, request.params["asset"]))


# --- models -------------------------------------------------------------------------------------


def _existing(cloud: Cloud, model_id: str) -> dict[str, Any]:
    model = get_model(cloud, model_id)
    if model is None:
        raise ServiceError(404, "ModelNotFound", f"The model '{model_id}' was not found.")
    return model


@router.route("POST", _PATH + "/models")
def register_model(cloud: Cloud, request: Request) -> Response:
    """Register the next version of a model; a version number is never given twice."""
    body = request.json_object()
    name, url = fields.text(body, "name"), fields.text(body, "url")
    if body.get("unpack"):
        raise ServiceError(501, "NotImplemented", "The local Azure keeps no packed models.")
    if not url.startswith(_ASSET_SCHEME):
        raise ServiceError(400, "BadRequest", f"A model's url starts with {_ASSET_SCHEME}.")
    _existing_asset(cloud, url.removeprefix(_ASSET_SCHEME))
    version = cloud.store.next_number(versions_of(name))
    return json_response(_insert_model(cloud, name, version, url, body))


def add_model(
    cloud: Cloud, name: str, version: str, prefix: str, given: dict[str, Any]
) -> dict[str, Any]:
    """Register a version that the caller chose, made of the artifacts below `prefix`.

    given: of the DTO, by their JSON names. Raises store.AlreadyExists.
    """
    named = {"name": name, "artifacts": [{"prefix": prefix}], "runid": given.get("runId")}
    asset = _add_asset(cloud, named)
    number = int(version) if version.isdecimal() else None
    if number is not None:
        cloud.store.raise_number(versions_of(name), number)
    url = _ASSET_SCHEME + str(asset["id"])
    return _insert_model(cloud, name, version if number is None else number, url, given)


def _insert_model(
    cloud: Cloud, name: str, version: int | str, url: str, given: dict[str, Any]
) -> dict[str, Any]:
    now = cloud.ml_timestamp()
    model = {
        **{key: given.get(key) or default for key, default in _OPTIONAL.items()},
        "id": f"{name}:{version}",
        "name": name,
        "version": version,
        "url": url,
        "kvTags": fields.texts(given, "kvTags"),
        "properties": fields.texts(given, "properties"),
        "datasets": fields.objects(given, "datasets"),
        "createdTime": now,
        "modifiedTime": now,
        "createdBy": {
            "userObjectId": cloud.object_id,
            "userTenantId": cloud.tenant_id,
            "userName": cloud.client_id,
        },
    }
    cloud.store.insert(MODELS, str(model["id"]), model)
    return model


@router.route("GET", _PATH + "/models")
def list_models(cloud: Cloud, request: Request) -> Response:
    """Models by name, tags and more; newest first unless `orderBy` says otherwise."""
    query = request.query
    equal = {name: query[name] for name in ("name", "runId", "framework") if query.get(name)}
    found = [
        model
        for model in reversed(cloud.store.find(MODELS, equal))
        if _has(model["kvTags"], query.get("tags"))
        and _has(model["kvTags"], query.get("tag"))
        and _has(model["properties"], query.get("properties"))
        and _uses(model, query.get("datasetId"))
    ]
    if query.get("latestVersionOnly", "").lower() == "true":
        latest = {model["name"]: model for model in sorted(found, key=_age)}
        found = [model for model in found if latest[model["name"]] is model]
    return json_response(_page(request, _ordered(found, query.get("orderBy"))))


def _age(model: dict[str, Any]) -> tuple[str, int]:
    """Sorts by time; v2 also has versions that are no numbers, so they say nothing of the age."""
    number = model["version"] if isinstance(model["version"], int) else 0
    return str(model["createdTime"]), number


def _ordered(models: list[dict[str, Any]], order: str | None) -> list[dict[str, Any]]:
    fields = {"createdat": "createdTime", "updatedat": "modifiedTime", "name": "name"}
    text = (order or "CreatedAtDesc").lower()
    descending = text.endswith("desc")
    field = fields.get(text.removesuffix("desc").removesuffix("asc"))
    if field is None:
        raise ServiceError(400, "BadRequest", f"The order '{order}' is not known.")
    return sorted(models, key=lambda model: str(model[field]), reverse=descending)


def _page(request: Request, found: list[dict[str, Any]]) -> dict[str, Any]:
    query = request.query
    try:
        start = int(query.get("$skipToken") or query.get("offset") or 0)
        size = int(query.get("count") or 100)
    except ValueError:
        raise ServiceError(400, "BadRequest", "count, offset or $skipToken is not valid.") from None
    end = start + max(size, 1)
    # The SDK takes the token out of the link's query.
    link = f"https://{request.host}{request.raw_path}?$skipToken={end}"
    return {"value": found[start:end], "nextLink": link if end < len(found) else None}


def _has(pairs: dict[str, str], wanted: str | None) -> bool:
    """Whether all of `key`, `key=value`, ... (joined by commas) are among the pairs."""
    for term in (wanted or "").split(","):
        key, equals, value = term.partition("=")
        if key and (key not in pairs or (equals and pairs[key] != value)):
            return False
    return True


def _uses(model: dict[str, Any], dataset: str | None) -> bool:
    return not dataset or any(one.get("id") == dataset for one in model["datasets"])


@router.route("GET", _PATH + "/models/{model}")
def show_model(cloud: Cloud, request: Request) -> Response:
    """A model by `name:version`, or the newest of a name."""
    name = request.params["model"]
    if ":" not in name:
        versions = cloud.store.list(MODELS, name + ":")
        if versions:
            return json_response(versions[-1])
    return json_response(_existing(cloud, name))


@router.route("PATCH", _PATH + "/models/{model}")
def patch_model(cloud: Cloud, request: Request) -> Response:
    """Apply a JSON Patch (RFC 6902: add, replace, remove) to what may be changed."""
    model_id = _existing(cloud, request.params["model"])["id"]
    operations = request.json()
    if not isinstance(operations, list):
        raise ServiceError(400, "BadRequest", "The body must be a JSON Patch, which is a list.")

    operations = fields.objects({"operations": operations}, "operations")

    def change(model: dict[str, Any]) -> None:
        for operation in operations:
            _apply(model, operation)
        model["modifiedTime"] = cloud.ml_timestamp()

    return json_response(cloud.store.update(MODELS, model_id, change))


def _apply(model: dict[str, Any], operation: dict[str, Any]) -> None:
    kind = fields.text(operation, "op")
    parts = [
        part.replace("~1", "/").replace("~0", "~")
        for part in fields.text(operation, "path").lstrip("/").split("/")
    ]
    known = kind in ("add", "replace", "remove") and len(parts) <= 2
    if not known or parts[0] not in _PATCHABLE:
        raise ServiceError(400, "BadRequest", f"The operation {operation} cannot be applied.")
    name = parts[0]
    if name in ("kvTags", "properties"):
        if len(parts) == 2:
            given = fields.texts({name: {parts[1]: operation.get("value")}}, name)
        else:
            given = fields.texts({name: operation.get("value")}, name)
        if name == "properties":
            model[name] = _add_properties(model[name], kind, given)
        else:
            model[name] = _change_tags(model[name], kind, given, whole=len(parts) == 1)
    elif len(parts) == 2:
        raise ServiceError(400, "BadRequest", f"The operation {operation} cannot be applied.")
    elif name == "datasets":
        datasets = fields.objects({name: operation.get("value")}, name)
        model[name] = [*model[name], *datasets] if kind == "add" else datasets
    else:
        model[name] = None if kind == "remove" else operation.get("value")


def _change_tags(
    present: dict[str, Any], kind: str, given: dict[str, Any], *, whole: bool
) -> dict[str, Any]:
    if kind == "remove":
        return {} if whole else {key: one for key, one in present.items() if key not in given}
    return given if whole else {**present, **given}


def _add_properties(present: dict[str, Any], kind: str, given: dict[str, Any]) -> dict[str, Any]:
    if kind == "remove" or any(present.get(key, text) != text for key, text in given.items()):
        raise ServiceError(400, "BadRequest", "Properties can be added but not changed.")
    return {**present, **given}


@router.route("DELETE", _PATH + "/models/{model}")
def delete_model(cloud: Cloud, request: Request) -> Response:
    """Forget a model that no service uses; its files stay with the run or upload they came from.

    That a model in service cannot be deleted is documented; the answer's status and text are ours.
    """
    model_id = _existing(cloud, request.params["model"])["id"]
    for record in cloud.store.list("service"):
        if any(model["id"] == model_id for model in record["service"].get("models") or []):
            raise ServiceError(
                409,
                "Conflict",
                f"The model '{model_id}' is used by the service '{record['service']['name']}'.",
            )
    cloud.store.delete(MODELS, model_id)
    return json_response({})
