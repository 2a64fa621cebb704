"""Models and the assets that name their files, as they are kept.

Shapes: Model and Asset of azureml._restclient.models. A model's `url` is aml://asset/<id>; the
asset names artifact ids, or prefixes of them.
"""

from __future__ import annotations

import shutil
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import TypedDict, cast

from local.azure.history import artifacts
from local.azure.kernel import fields
from local.azure.kernel.cloud import Cloud
from local.azure.kernel.http import ServiceError
from local.azure.kernel.tables import Table

ASSET_SCHEME = "aml://asset/"


class ArtifactReference(TypedDict, total=False):
    """One artifact by its id, or all whose ids start with a prefix."""

    id: str
    prefix: str


class Asset(TypedDict):
    """A named set of artifacts."""

    id: str
    name: str
    type: str | None
    description: str | None
    artifacts: list[ArtifactReference]
    kvTags: dict[str, str | None]
    properties: dict[str, str | None]
    runid: str | None
    meta: object
    createdTime: str


class Creator(TypedDict):
    """Who made a model."""

    userObjectId: str
    userTenantId: str
    userName: str


class Dataset(TypedDict, total=False):
    """A dataset that a model was made with."""

    name: str
    id: str


class Model(TypedDict):
    """A version of a model. version: a whole number, or any text where v2 registered it."""

    id: str
    name: str
    version: int | str
    url: str
    description: str | None
    framework: str
    frameworkVersion: str | None
    mimeType: str
    unpack: bool
    runId: str | None
    experimentName: str | None
    parentModelId: str | None
    derivedModelIds: object
    sampleInputData: object
    sampleOutputData: object
    resourceRequirements: object
    kvTags: dict[str, str | None]
    properties: dict[str, str | None]
    datasets: list[Dataset]
    createdTime: str
    modifiedTime: str
    createdBy: Creator


MODELS: Table[Model] = Table("model")
_ASSETS: Table[Asset] = Table("asset")

# Each tells which service uses a model, by its id; None: none does.
_uses: list[Callable[[Cloud, str], str | None]] = []


def uses_models(find: Callable[[Cloud, str], str | None]) -> Callable[[Cloud, str], str | None]:
    """Declare a function that names the service that uses a model: it is asked before deletion."""
    _uses.append(find)
    return find


def user_of(cloud: Cloud, model_id: str) -> str | None:
    """The name of a service that uses a model, or None."""
    return next((name for find in _uses if (name := find(cloud, model_id))), None)


def get_model(cloud: Cloud, model_id: str) -> Model | None:
    """A model by `name:version`, or None."""
    return MODELS.get(cloud, model_id)


def existing_model(cloud: Cloud, model_id: str) -> Model:
    """A model by `name:version`. Raises ServiceError 404."""
    model = get_model(cloud, model_id)
    if model is None:
        raise ServiceError(404, "ModelNotFound", f"The model '{model_id}' was not found.")
    return model


def versions_of(cloud: Cloud, name: str) -> list[Model]:
    """The versions of a model, oldest first."""
    return MODELS.list(cloud, f"{name}:")


def next_version(cloud: Cloud, name: str) -> int:
    """The number of the next version of a model; none is given twice."""
    return cloud.store.next_number(_counter(name))


def _counter(name: str) -> str:
    return f"model {name}"


def existing_asset(cloud: Cloud, asset_id: str) -> Asset:
    """An asset by its id. Raises ServiceError 404."""
    asset = _ASSETS.get(cloud, asset_id)
    if asset is None:
        raise ServiceError(404, "AssetNotFound", f"The asset '{asset_id}' was not found.")
    return asset


def asset_of(cloud: Cloud, model: Model) -> Asset:
    """The asset that names a model's files. Raises ServiceError 404."""
    return existing_asset(cloud, model["url"].removeprefix(ASSET_SCHEME))


def assets(cloud: Cloud) -> list[Asset]:
    """All assets, oldest first."""
    return _ASSETS.list(cloud)


def add_asset(cloud: Cloud, body: Mapping[str, object]) -> Asset:
    """Keep a new asset. Raises ServiceError 400 when one of its artifacts does not exist."""
    references = [_reference(one) for one in fields.objects(body, "artifacts")]
    asset: Asset = {
        "id": uuid.uuid4().hex,
        "name": fields.text(body, "name"),
        "type": fields.optional_text(body, "type"),
        "description": fields.optional_text(body, "description"),
        "artifacts": references,
        "kvTags": fields.texts(body, "kvTags"),
        "properties": fields.texts(body, "properties"),
        "runid": fields.optional_text(body, "runid"),
        "meta": body.get("meta"),
        "createdTime": cloud.ml_timestamp(),
    }
    for reference in references:
        named = _named(reference)
        if not artifacts.find(cloud, named):
            raise ServiceError(400, "ArtifactNotFound", f"There is no artifact '{named}'.")
    _ASSETS.insert(cloud, asset["id"], asset)
    return asset


def _reference(given: Mapping[str, object]) -> ArtifactReference:
    named = fields.optional_text(given, "id")
    return {"id": named} if named else {"prefix": fields.text(given, "prefix")}


def _named(reference: ArtifactReference) -> str:
    return reference.get("id") or reference.get("prefix") or ""


def names_of_files(asset: Asset) -> Sequence[str]:
    """The ids, or prefixes of ids, of an asset's artifacts."""
    return [_named(reference) for reference in asset["artifacts"]]


def copy_files(cloud: Cloud, model_id: str, destination: Path) -> Path:
    """Copy a model's files below `destination`, as Model.download lays them out.

    Returns the model's file or, when it has several, their folder. Raises ServiceError 404.
    """
    tops = set()
    for source, path in _asset_files(cloud, asset_of(cloud, existing_model(cloud, model_id))):
        target = destination / path
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source, target)
        tops.add(path.parts[0])
    if not tops:
        raise ServiceError(404, "ModelNotFound", f"The model '{model_id}' has no files.")
    return destination / tops.pop() if len(tops) == 1 else destination


def _asset_files(cloud: Cloud, asset: Asset) -> Iterator[tuple[Path, PurePosixPath]]:
    for named in names_of_files(asset):
        origin_and_container = named.split("/", 2)[:2]
        base = PurePosixPath(*origin_and_container, PurePosixPath(*named.split("/")[2:]).parent)
        for artifact in artifacts.find(cloud, named):
            file = artifacts.file_of(cloud, artifact["artifactId"])
            if file.is_file():
                yield file, PurePosixPath(artifact["artifactId"]).relative_to(base)


def add_version(
    cloud: Cloud, name: str, version: str, prefix: str, given: Mapping[str, object]
) -> Model:
    """Register a version that the caller chose, made of the artifacts below `prefix`.

    given: members of Model by their names. Raises store.AlreadyExists.
    """
    named = {"name": name, "artifacts": [{"prefix": prefix}], "runid": given.get("runId")}
    asset = add_asset(cloud, named)
    number = int(version) if version.isdecimal() else None
    if number is not None:
        cloud.store.raise_number(_counter(name), number)
    url = ASSET_SCHEME + asset["id"]
    return insert_model(cloud, name, version if number is None else number, url, given)


def insert_model(
    cloud: Cloud, name: str, version: int | str, url: str, given: Mapping[str, object]
) -> Model:
    """Keep a new version. given: members of Model by their names. Raises store.AlreadyExists."""
    now = cloud.ml_timestamp()
    model: Model = {
        "id": f"{name}:{version}",
        "name": name,
        "version": version,
        "url": url,
        "description": fields.optional_text(given, "description") or None,
        "framework": fields.optional_text(given, "framework") or "Custom",
        "frameworkVersion": fields.optional_text(given, "frameworkVersion") or None,
        "mimeType": fields.optional_text(given, "mimeType") or "application/x-python",
        "unpack": bool(given.get("unpack")),
        "runId": fields.optional_text(given, "runId") or None,
        "experimentName": fields.optional_text(given, "experimentName") or None,
        "parentModelId": fields.optional_text(given, "parentModelId") or None,
        "derivedModelIds": given.get("derivedModelIds"),
        "sampleInputData": given.get("sampleInputData"),
        "sampleOutputData": given.get("sampleOutputData"),
        "resourceRequirements": given.get("resourceRequirements"),
        "kvTags": fields.texts(given, "kvTags"),
        "properties": fields.texts(given, "properties"),
        "datasets": datasets_of(given, "datasets"),
        "createdTime": now,
        "modifiedTime": now,
        "createdBy": {
            "userObjectId": cloud.object_id,
            "userTenantId": cloud.tenant_id,
            "userName": cloud.client_id,
        },
    }
    MODELS.insert(cloud, model["id"], model)
    return model


def datasets_of(given: Mapping[str, object], name: str) -> list[Dataset]:
    """The datasets of a model in a body. Raises ServiceError 400 for what is no list of objects."""
    return cast("list[Dataset]", fields.objects(given, name))
