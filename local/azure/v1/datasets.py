"""Registered data sets of azureml-core: versions of a description of what to read, and how.

Protocol: azureml._restclient.operations.dataset_operations and azureml.data._dataset_rest_helper.
The description is the one that azureml-dataprep wrote; the local Azure reads no data itself.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping
from typing import TypedDict, cast

from local.azure.kernel.cloud import Cloud
from local.azure.kernel.http import Request, Response, ServiceError, json_response, required
from local.azure.kernel.store import AlreadyExists
from local.azure.kernel.tables import Table
from local.azure.kernel.web import Router

router = Router()
_API = "/dataset/v1.0{workspace}/datasets"
_UNREGISTERED = "unregistered-"
_NOT_COVERED = ("registerAsPending", "withDataHash")
_OPTIONS = (*_NOT_COVERED, "ifExistsOk", "updateDefinitionIfExists")


class Name(TypedDict):
    """The name of a data set, with the id of all of its versions."""

    id: str
    name: str
    created: str


class Definition(TypedDict):
    """A version of a data set. dataflow: how to read it, as azureml-dataprep wrote it."""

    dataflow: str
    datasetId: str
    versionId: str
    savedDatasetId: str
    createdTime: str
    modifiedTime: str


class Dataset(TypedDict):
    """A data set with one of its versions. What else a client sends is given back unread."""

    name: str
    datasetId: str
    datasetState: Mapping[str, str]
    createdTime: str
    modifiedTime: str
    latest: Definition


# Versions by `name/version`, oldest first.
_VERSIONS: Table[Dataset] = Table("dataset")
_NAMES: Table[Name] = Table("dataset-name")
# Versions by the saved id of each.
_SAVED: Table[Dataset] = Table("dataset-saved")


@router.route("POST", _API, query=_OPTIONS)
def register(cloud: Cloud, request: Request) -> Response:
    """Register a data set, or the next version of one.

    Raises ServiceError: 409 for a name that is taken, unless the caller asks for a new version.
    """
    asked = request.json_object()
    name = required(asked, "name")
    for option in _NOT_COVERED:
        if _flag(request, option):
            raise ServiceError(501, "NotImplemented", f"The local Azure does not cover {option}.")
    definition = asked.get("latest") or {}
    dataflow = required(definition, "dataflow")
    _written_by_dataprep(dataflow)
    now = cloud.timestamp()
    named: Name = {"id": str(uuid.uuid4()), "name": name, "created": now}
    try:
        _NAMES.insert(cloud, name, named)
    except AlreadyExists:
        if not (_flag(request, "ifExistsOk") and _flag(request, "updateDefinitionIfExists")):
            raise ServiceError(
                409, "Conflict", f"There is already a dataset registered under name '{name}'."
            ) from None
        named = _NAMES.get(cloud, name) or named
    version = str(cloud.store.next_number(f"dataset {name}"))
    saved_id = str(uuid.uuid4())
    own = {
        "datasetId": named["id"],
        "datasetState": {"state": "active"},
        "createdTime": named["created"],
        "modifiedTime": now,
        "latest": {
            **definition,
            "datasetId": named["id"],
            "versionId": version,
            "savedDatasetId": saved_id,
            "createdTime": now,
            "modifiedTime": now,
        },
    }
    record = cast("Dataset", {**asked, **own})
    _SAVED.put(cloud, saved_id, record)
    _VERSIONS.put(cloud, f"{name}/{version}", record)
    return json_response(record)


@router.route(
    "GET", _API + "/query/name={name}", query=("versionId", "includeLatestDefinition=true")
)
def get_by_name(cloud: Cloud, request: Request) -> Response:
    """A version of a data set; without a version, the newest one."""
    name, version = request.params["name"], request.query.get("versionId")
    versions = _VERSIONS.list(cloud, f"{name}/")
    found = [one for one in versions if version in (None, one["latest"]["versionId"])]
    if not found:
        raise _missing(name, version)
    return json_response(found[-1])


@router.route("GET", _API + "/{id}")
def get_by_id(cloud: Cloud, request: Request) -> Response:
    """The newest version of the data set with an id."""
    versions = _VERSIONS.list(cloud)
    found = [one for one in versions if one["datasetId"] == request.params["id"]]
    if not found:
        raise _missing(request.params["id"], None)
    return json_response(found[-1])


@router.route(
    "GET",
    "/data/v1.0{workspace}/dataversion/{name}/versions/{version}",
    query=("includeSavedDatasets=true",),
)
def get_dataflow(cloud: Cloud, request: Request) -> Response:
    """How to read a data set, as YAML; asked for by `unregistered-` and its saved id."""
    name = request.params["name"]
    saved = _SAVED.get(cloud, name.removeprefix(_UNREGISTERED))
    if saved is None or not name.startswith(_UNREGISTERED):
        raise _missing(name, request.params["version"])
    return json_response({"legacyDataflow": _written_by_dataprep(saved["latest"]["dataflow"])})


def _written_by_dataprep(dataflow: str) -> str:
    """The YAML in a data flow. Raises ServiceError 501 for the older form, which has none."""
    try:
        written = json.loads(dataflow)["meta"]["RsDataflow"]
    except (ValueError, KeyError, TypeError):
        written = None
    if not isinstance(written, str):
        raise ServiceError(
            501,
            "NotImplemented",
            "The local Azure covers data flows with the member RsDataflow, which azureml-dataprep "
            "5 writes: use that version.",
        )
    return written


def _flag(request: Request, name: str) -> bool:
    return request.query.get(name, "").lower() == "true"


def _missing(name: str, version: str | None) -> ServiceError:
    what = f"'{name}'" if version is None else f"'{name}', version '{version}',"
    return ServiceError(404, "NotFound", f"The dataset {what} is not registered in the workspace.")
