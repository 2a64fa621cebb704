"""v2's view of models. They are kept in local/azure/registry/models.py, so v1 and v2 see the same.

What only v2 knows of a model (type, URI, flavors, ...) is kept beside it. The files of a model that
v2 registers are linked to artifacts of their own, which is how v1 finds and downloads them.
"""

from __future__ import annotations

import functools
import os
import re
import shutil
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import cast

from local.azure.history import artifacts
from local.azure.kernel import bodies
from local.azure.kernel.bodies import Object, text
from local.azure.kernel.cloud import Cloud
from local.azure.kernel.http import ServiceError
from local.azure.kernel.tables import Table
from local.azure.registry import model_records as v1
from local.azure.registry.model_records import MODELS, Model
from local.azure.storage import datastores
from local.azure.v2.assets import uris
from local.azure.v2.assets.kinds import AssetKind, Properties, Record, exists
from local.azure.v2.assets.versions import ASSET, STAGE, STATE, declare
from local.azure.v2.resources import ApiVersion, front_end_router, missing

router = front_end_router()

# What only v2 knows of a model.
_EXTRAS: Table[Properties] = Table("model-v2")
_OWN = ("modelType", "modelUri", "flavors", "jobName", "isArchived", "isAnonymous", "stage")
_ORIGIN = "Model"


def _get(cloud: Cloud, name: str, version: str) -> Record | None:
    model = v1.get_model(cloud, f"{name}:{version}")
    return _record(cloud, model) if model else None


def _listed(cloud: Cloud, name: str | None) -> list[Record]:
    found = v1.versions_of(cloud, name) if name else MODELS.list(cloud)
    return [_record(cloud, model) for model in found]


def _record(cloud: Cloud, model: Model) -> Record:
    extras = _EXTRAS.get(cloud, model["id"]) or {}
    return {
        "name": model["name"],
        "version": str(model["version"]),
        "created": model["createdTime"],
        "modified": model["modifiedTime"],
        "properties": {
            "modelType": "custom_model",
            "modelUri": extras.get("modelUri") or _artifact_uri(cloud, model),
            # The SDK cannot read null here.
            "flavors": {},
            "jobName": model["runId"],
            "isArchived": False,
            "isAnonymous": False,
            "stage": "Development",
            "provisioningState": "Succeeded",
            **extras,
            "description": model["description"],
            "tags": model["kvTags"],
            "properties": model["properties"],
        },
    }


def _artifact_uri(cloud: Cloud, model: Model) -> str:
    named = next(iter(v1.names_of_files(v1.asset_of(cloud, model))), "")
    return uris.datastore_uri(cloud, datastores.ARTIFACT_STORE, named)


def _prepare(cloud: Cloud, name: str, version: str, given: Properties) -> Properties:
    uri = given.get("modelUri")
    if not uri:
        raise ServiceError(400, "UserError", f"The model '{name}' has no modelUri.")
    job = re.match(r"azureml://jobs/([^/]+)/|runs:/([^/]+)/", uri)
    given["jobName"] = given.get("jobName") or (job and (job[1] or job[2]))
    given["modelUri"] = uris.resolve(cloud, uri)
    if not uris.locate(cloud, given["modelUri"]).exists():
        raise ServiceError(
            400, "UserError", f"There is nothing at '{uri}' to make {name}, {version} of."
        )
    return given


def _put(cloud: Cloud, record: Record) -> None:
    name, version, properties = record["name"], record["version"], record["properties"]
    model_id = f"{name}:{version}"
    extras = _extras_of(properties)
    _EXTRAS.put(cloud, model_id, extras)
    if v1.get_model(cloud, model_id) is None:
        reference = _link_files(cloud, name, version, uris.locate(cloud, properties["modelUri"]))
        run = extras.get("jobName")
        v1.add_version(cloud, name, version, reference, {"runId": run})
    MODELS.update(cloud, model_id, lambda model: _describe(model, record))


def _describe(model: Model, record: Record) -> None:
    properties = record["properties"]
    model["description"] = properties.get("description")
    model["kvTags"] = properties.get("tags") or {}
    model["properties"] = properties.get("properties") or {}
    model["modifiedTime"] = record["modified"]


def _extras_of(properties: Mapping[str, object]) -> Properties:
    own = {name: properties.get(name) for name in _OWN}
    return cast("Properties", {name: value for name, value in own.items() if value is not None})


def _link_files(cloud: Cloud, name: str, version: str, source: Path) -> str:
    """Register the files of a model as artifacts; returns the prefix of their ids."""
    container = f"{name}.{version}"
    base = source.parent
    files = [source] if source.is_file() else sorted(source.rglob("*"))
    for file in files:
        if not file.is_file():
            continue
        artifact = artifacts.register_in(
            cloud, _ORIGIN, container, file.relative_to(base).as_posix()
        )
        target = artifacts.file_of(cloud, artifact["artifactId"])
        target.parent.mkdir(parents=True, exist_ok=True)
        target.unlink(missing_ok=True)
        try:
            os.link(file, target)
        except OSError:  # another file system, or one without links
            shutil.copyfile(file, target)
    return f"{_ORIGIN}/{container}/{source.name}"


_MEMBERS: dict[str, bodies.Shape] = {
    **ASSET,
    **STAGE,
    **STATE,
    "flavors": bodies.anything,
    "jobName": text,
    "modelType": bodies.anything,
    "modelUri": text,
    "datasets": bodies.anything,
    "intellectualProperty": bodies.anything,
    "systemMetadata": bodies.anything,
    "defaultDeploymentTemplate": bodies.anything,
}


def _members_of(api: ApiVersion) -> Iterable[str]:
    is_later_preview = api.is_preview and api.date >= "2023"
    return (
        *("description", "tags", "properties", "isArchived", "isAnonymous"),
        *(("autoDeleteSetting",) if is_later_preview else ()),
        *("flavors", "modelType", "modelUri", "jobName"),
        *(("provisioningState", "stage") if api.date >= "2023" else ()),
        *(("intellectualProperty",) if is_later_preview else ()),
    )


def _shown(_cloud: Cloud, record: Record) -> Properties:
    properties = record["properties"]
    # The service writes this one segment in another case than in the URIs of data.
    uri = str(properties["modelUri"]).replace("/resourcegroups/", "/resourceGroups/")
    return {**properties, "modelUri": uri}


def _missing(name: str, version: str | None) -> ServiceError:
    if version is None:
        return missing(f"Model container with name: {name}", code="ModelNotFound")
    return missing(f"Model with name: {name}, version: {version}", code="ModelNotFound")


KIND = AssetKind(
    plural="models",
    word="model",
    shape=Object(name="ModelVersion", members=_MEMBERS),
    content=("modelUri", "modelType"),
    prepare=_prepare,
    get=_get,
    listed=_listed,
    put=_put,
    members=_members_of,
    shown=_shown,
    missing=_missing,
    unchangeable=functools.partial(exists, "model"),
)
declare(router, KIND)
