"""Models of v1: register, list, change, delete. Shapes: see model_records.py.

Protocol: azureml._restclient (model management, "MMS").
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from local.azure.kernel import fields
from local.azure.kernel.cloud import Cloud
from local.azure.kernel.errors import model_management_error
from local.azure.kernel.http import Request, Response, ServiceError, json_response
from local.azure.kernel.web import Router
from local.azure.registry import model_records
from local.azure.registry.model_records import ASSET_SCHEME, MODELS, Model, existing_model

_PATCHABLE = (
    *("kvTags", "description", "properties", "datasets"),
    *("sampleInputData", "sampleOutputData", "resourceRequirements"),
)
_ORDERS = {"createdat": "createdTime", "updatedat": "modifiedTime", "name": "name"}

_FILTERS = (
    *("name", "runId", "framework", "tag", "tags", "properties", "datasetId"),
    *("latestVersionOnly", "orderBy", "count", "offset", "$skipToken"),
)
router = Router(errors=model_management_error)
_PATH = "/modelmanagement/v1.0{workspace}"


@router.route("POST", _PATH + "/models")
def register_model(cloud: Cloud, request: Request) -> Response:
    """Register the next version of a model; a version number is never given twice."""
    body = request.json_object()
    name, url = fields.text(body, "name"), fields.text(body, "url")
    if body.get("unpack"):
        raise ServiceError(501, "NotImplemented", "The local Azure keeps no packed models.")
    if not url.startswith(ASSET_SCHEME):
        raise ServiceError(400, "BadRequest", f"A model's url starts with {ASSET_SCHEME}.")
    model_records.existing_asset(cloud, url.removeprefix(ASSET_SCHEME))
    version = model_records.next_version(cloud, name)
    return json_response(model_records.insert_model(cloud, name, version, url, body))


@router.route("GET", _PATH + "/models", query=_FILTERS)
def list_models(cloud: Cloud, request: Request) -> Response:
    """Models by name, tags and more; newest first unless `orderBy` says otherwise."""
    query = request.query
    equal = {name: query[name] for name in ("name", "runId", "framework") if query.get(name)}
    found = [
        model
        for model in reversed(MODELS.find(cloud, equal))
        if has_pairs(model["kvTags"], query.get("tags"))
        and has_pairs(model["kvTags"], query.get("tag"))
        and has_pairs(model["properties"], query.get("properties"))
        and _uses(model, query.get("datasetId"))
    ]
    if query.get("latestVersionOnly", "").lower() == "true":
        latest = {model["name"]: model for model in sorted(found, key=_age)}
        found = [model for model in found if latest[model["name"]] is model]
    return json_response(_page(request, _ordered(found, query.get("orderBy"))))


def _age(model: Model) -> tuple[str, int]:
    """Sorts by time; v2 also has versions that are no numbers, so they say nothing of the age."""
    number = model["version"] if isinstance(model["version"], int) else 0
    return str(model["createdTime"]), number


def _ordered(models: Sequence[Model], order: str | None) -> list[Model]:
    text = (order or "CreatedAtDesc").lower()
    descending = text.endswith("desc")
    field = _ORDERS.get(text.removesuffix("desc").removesuffix("asc"))
    if field is None:
        raise ServiceError(400, "BadRequest", f"The order '{order}' is not known.")
    return sorted(models, key=lambda model: str(model.get(field)), reverse=descending)


def _page(request: Request, found: Sequence[Model]) -> Mapping[str, object]:
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


def has_pairs(pairs: Mapping[str, str | None], wanted: str | None) -> bool:
    """Whether all of `key`, `key=value`, ... (joined by commas) are among the pairs."""
    for term in (wanted or "").split(","):
        key, equals, value = term.partition("=")
        if key and (key not in pairs or (equals and pairs[key] != value)):
            return False
    return True


def _uses(model: Model, dataset: str | None) -> bool:
    return not dataset or any(one.get("id") == dataset for one in model["datasets"])


@router.route("GET", _PATH + "/models/{model}")
def show_model(cloud: Cloud, request: Request) -> Response:
    """A model by `name:version`, or the newest of a name."""
    name = request.params["model"]
    if ":" not in name:
        versions = model_records.versions_of(cloud, name)
        if versions:
            return json_response(versions[-1])
    return json_response(existing_model(cloud, name))


@router.route("PATCH", _PATH + "/models/{model}")
def patch_model(cloud: Cloud, request: Request) -> Response:
    """Apply a JSON Patch (RFC 6902: add, replace, remove) to what may be changed."""
    model_id = existing_model(cloud, request.params["model"])["id"]
    operations = request.json()
    if not isinstance(operations, list):
        raise ServiceError(400, "BadRequest", "The body must be a JSON Patch, which is a list.")

    operations = fields.objects({"operations": operations}, "operations")

    def change(model: Model) -> None:
        for operation in operations:
            _apply(model, operation)
        model["modifiedTime"] = cloud.ml_timestamp()

    return json_response(MODELS.update(cloud, model_id, change))


def _apply(model: Model, operation: Mapping[str, object]) -> None:
    kind = fields.text(operation, "op")
    name, *inner = [
        part.replace("~1", "/").replace("~0", "~")
        for part in fields.text(operation, "path").lstrip("/").split("/")
    ]
    of_map = name in ("kvTags", "properties")
    known = kind in ("add", "replace", "remove") and len(inner) <= int(of_map)
    if not known or name not in _PATCHABLE:
        raise ServiceError(400, "BadRequest", f"The operation {operation} cannot be applied.")
    value = operation.get("value")
    given = fields.texts({name: {inner[0]: value} if inner else value}, name) if of_map else {}
    match name:
        case "kvTags":
            model["kvTags"] = _change_tags(model["kvTags"], kind, given, whole=not inner)
        case "properties":
            model["properties"] = _add_properties(model["properties"], kind, given)
        case "datasets":
            kept = model["datasets"] if kind == "add" else []
            model["datasets"] = [*kept, *model_records.datasets_of({name: value}, name)]
        case "description":
            described: Mapping[str, object] = {name: None if kind == "remove" else value}
            model["description"] = fields.optional_text(described, name)
        case "sampleInputData" | "sampleOutputData" | "resourceRequirements":
            model[name] = None if kind == "remove" else value


def _change_tags(
    present: dict[str, str | None], kind: str, given: dict[str, str | None], *, whole: bool
) -> dict[str, str | None]:
    if kind == "remove":
        return {} if whole else {key: one for key, one in present.items() if key not in given}
    return given if whole else {**present, **given}


def _add_properties(
    present: dict[str, str | None], kind: str, given: dict[str, str | None]
) -> dict[str, str | None]:
    if kind == "remove" or any(present.get(key, text) != text for key, text in given.items()):
        raise ServiceError(400, "BadRequest", "Properties can be added but not changed.")
    return {**present, **given}


@router.route("DELETE", _PATH + "/models/{model}")
def delete_model(cloud: Cloud, request: Request) -> Response:
    """Forget a model that no service uses; its files stay with the run or upload they came from.

    That a model in service cannot be deleted is documented; the answer's status and text are ours.
    """
    model_id = existing_model(cloud, request.params["model"])["id"]
    user = model_records.user_of(cloud, model_id)
    if user is not None:
        raise ServiceError(
            409, "Conflict", f"The model '{model_id}' is used by the service '{user}'."
        )
    MODELS.delete(cloud, model_id)
    return json_response({})
