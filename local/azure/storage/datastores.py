"""Datastores: names for blob containers. Shapes as azureml-core's datastore client reads them.

A workspace has two file shares too: they are listed, and nothing can be read from them here.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NotRequired, TypedDict, cast

from local.azure.kernel import fields
from local.azure.kernel.cloud import Cloud
from local.azure.kernel.http import Request, Response, ServiceError, json_response
from local.azure.kernel.store import AlreadyExists
from local.azure.kernel.tables import Table
from local.azure.kernel.web import Router
from local.azure.storage import blob

DEFAULT = "workspaceblobstore"
ARTIFACT_STORE = "workspaceartifactstore"
ARTIFACT_CONTAINER = "azureml"
FILE_STORE = "workspacefilestore"
WORKING_DIRECTORY = "workspaceworkingdirectory"
BLOB, FILE = "AzureBlob", "AzureFile"

router = Router()


class Section(TypedDict):
    """Where a datastore lies, and what opens it."""

    accountName: str
    containerName: str
    endpoint: str
    protocol: str
    credentialType: str
    credential: NotRequired[str | None]
    accountKey: NotRequired[str | None]
    sasToken: NotRequired[str | None]
    isSas: NotRequired[bool]
    areWorkspaceManagedIdentitiesAllowed: NotRequired[bool]
    clientCredentials: NotRequired[object]
    subscriptionId: NotRequired[str | None]
    resourceGroup: NotRequired[str | None]


class Datastore(TypedDict):
    """A datastore with its credential. Those that a workspace comes with have no times."""

    name: str
    dataStoreType: str
    azureStorageSection: Section
    hasBeenValidated: NotRequired[bool]
    description: NotRequired[str | None]
    tags: NotRequired[dict[str, str | None]]
    isDefault: NotRequired[bool]
    createdTime: NotRequired[str]
    modifiedTime: NotRequired[str]


class Default(TypedDict):
    """The name of the default datastore."""

    name: str


_DATASTORES: Table[Datastore] = Table("datastore")
_DEFAULT: Table[Default] = Table("datastore-default")

_MADE = ("createIfNotExists", "skipValidation")
_PATH = "/datastore/v1.0{workspace}"


def default_container(cloud: Cloud) -> str:
    """The container behind `workspaceblobstore`, named as Azure ML names it."""
    return f"azureml-blobstore-{cloud.workspace_id}"


@router.at_start
def make_containers(cloud: Cloud) -> None:
    """Make the containers that a new workspace has."""
    for name in (default_container(cloud), ARTIFACT_CONTAINER):
        (cloud.root / "blobs" / name).mkdir(parents=True, exist_ok=True)


def get_datastore(cloud: Cloud, name: str) -> Datastore | None:
    """A datastore with its credential, or None."""
    own = _own_places(cloud)
    if name in own:
        found: Datastore | None = _own(cloud, name, *own[name])
    else:
        found = _DATASTORES.get(cloud, name)
    if found:
        found["isDefault"] = found["name"] == _default_name(cloud)
    return found


def _own_places(cloud: Cloud) -> dict[str, tuple[str, str]]:
    """The kind and the container or share of each datastore that a workspace comes with."""
    return {
        WORKING_DIRECTORY: (FILE, f"code-{cloud.workspace_id}"),
        ARTIFACT_STORE: (BLOB, ARTIFACT_CONTAINER),
        FILE_STORE: (FILE, f"azureml-filestore-{cloud.workspace_id}"),
        DEFAULT: (BLOB, default_container(cloud)),
    }


def all_datastores(cloud: Cloud) -> list[Datastore]:
    """All datastores with their credentials: the newest first, the workspace's own last."""
    registered = [known["name"] for known in _DATASTORES.list(cloud)]
    names = [*reversed(registered), *_own_places(cloud)]
    return [found for name in names if (found := get_datastore(cloud, name))]


def container_of(cloud: Cloud, name: str) -> str:
    """The container behind a datastore. Raises ServiceError 404, or 400 for a foreign one."""
    found = _existing(cloud, name)
    section = found["azureStorageSection"]
    if found["dataStoreType"] != BLOB or section["accountName"] != cloud.storage_account:
        raise ServiceError(
            400,
            "UserError",
            f"The datastore '{name}' is not on this machine: the local Azure has blob containers "
            f"of the account '{cloud.storage_account}' only.",
        )
    return section["containerName"]


def _default_name(cloud: Cloud) -> str:
    chosen = _DEFAULT.get(cloud, "name")
    return chosen["name"] if chosen else DEFAULT


@router.route("GET", _PATH + "/default")
def get_default(cloud: Cloud, _request: Request) -> Response:
    """The default datastore."""
    return json_response(_existing(cloud, _default_name(cloud)))


@router.route("PUT", _PATH + "/default/{name}")
def set_default(cloud: Cloud, request: Request) -> Response:
    """Make another datastore the default one."""
    name = _existing(cloud, request.params["name"])["name"]
    _DEFAULT.put(cloud, "name", {"name": name})
    return json_response({})


@router.route(
    "GET", _PATH + "/datastores", query=("count", "continuationToken", "includeSecret=true")
)
def list_datastores(cloud: Cloud, request: Request) -> Response:
    """All datastores, `count` at a time."""
    found = all_datastores(cloud)
    try:
        start = int(request.query.get("continuationToken") or 0)
        end = start + max(1, int(request.query.get("count") or len(found)))
    except ValueError:
        raise ServiceError(400, "UserError", "count or continuationToken is not valid.") from None
    token = str(end) if end < len(found) else None
    return json_response({"value": found[max(0, start) : end], "continuationToken": token})


@router.route("GET", _PATH + "/datastores/{name}")
def show_datastore(cloud: Cloud, request: Request) -> Response:
    """A datastore by name."""
    return json_response(_existing(cloud, request.params["name"]))


@router.route("POST", _PATH + "/datastores", query=_MADE)
def create_datastore(cloud: Cloud, request: Request) -> Response:
    """Register a blob container of the workspace's own storage account."""
    body = request.json_object()
    name = fields.text(body, "name")
    made = _filled(body, name)
    if not _flag(request, "skipValidation"):
        _check(cloud, made, make=_flag(request, "createIfNotExists"))
    made["createdTime"] = made["modifiedTime"] = cloud.ml_timestamp()
    try:
        if get_datastore(cloud, name) is not None:
            raise AlreadyExists(name)
        _DATASTORES.insert(cloud, name, made)
    except AlreadyExists:
        raise ServiceError(
            400, "UserError", "Another datastore with the same name already exists."
        ) from None
    return json_response(_existing(cloud, name))


@router.route("PUT", _PATH + "/datastores/{name}", query=_MADE)
def update_datastore(cloud: Cloud, request: Request) -> Response:
    """Change a registered datastore."""
    name = _existing(cloud, request.params["name"])["name"]
    put_datastore(
        cloud,
        name,
        request.json_object(),
        make=_flag(request, "createIfNotExists"),
        check=not _flag(request, "skipValidation"),
    )
    return json_response(_existing(cloud, name))


def put_datastore(
    cloud: Cloud, name: str, body: Mapping[str, object], *, make: bool = False, check: bool = True
) -> None:
    """Register a datastore or change it. make: its container too. check: look whether it is there.

    Raises ServiceError 400.
    """
    _check_own(name)
    now = cloud.ml_timestamp()
    before = _DATASTORES.get(cloud, name)
    made = _filled(body, name)
    made["createdTime"] = before.get("createdTime", now) if before else now
    made["modifiedTime"] = now
    if check:
        _check(cloud, made, make=make)
    _DATASTORES.put(cloud, name, made)


def _flag(request: Request, name: str) -> bool:
    return request.query.get(name, "").lower() == "true"


def _check_own(name: str) -> None:
    if name in (DEFAULT, ARTIFACT_STORE, FILE_STORE, WORKING_DIRECTORY):
        raise ServiceError(400, "UserError", f"The datastore '{name}' belongs to the workspace.")


@router.route("DELETE", _PATH + "/datastores/{name}")
def delete_datastore(cloud: Cloud, request: Request) -> Response:
    """Forget a registered datastore; its container stays."""
    forget_datastore(cloud, request.params["name"])
    return json_response({})


def forget_datastore(cloud: Cloud, name: str) -> None:
    """Forget a registered datastore. Raises ServiceError 400 for the workspace's own."""
    _check_own(name)
    _DATASTORES.delete(cloud, name)


def _filled(body: Mapping[str, object], name: str) -> Datastore:
    """A registration with what it may leave out."""
    section = {**fields.mapping(body, "azureStorageSection")}
    section.setdefault("credentialType", "AccountKey")
    for field, default in (("endpoint", "core.windows.net"), ("protocol", "https")):
        section[field] = section.get(field) or default
    if section["credentialType"] == "AccountKey":
        section["accountKey"] = section.get("accountKey") or section.get("credential")
    elif section["credentialType"] == "Sas":
        section["sasToken"] = section.get("sasToken") or section.get("credential")
    return cast("Datastore", {**body, "name": name, "azureStorageSection": section})


def _check(cloud: Cloud, made: Datastore, *, make: bool) -> None:
    name, section = made["name"], made["azureStorageSection"]
    if made.get("dataStoreType") != BLOB or section.get("accountName") != cloud.storage_account:
        raise ServiceError(
            400,
            "UserError",
            f"The datastore '{name}' cannot be registered: the local Azure has blob containers of "
            f"the account '{cloud.storage_account}' only.",
        )
    folder = blob.path_of(cloud, fields.text(section, "containerName"), "any").parent
    if make:
        folder.mkdir(exist_ok=True)
    if not folder.is_dir():
        raise ServiceError(
            400, "UserError", f"The container '{section['containerName']}' does not exist."
        )


def _existing(cloud: Cloud, name: str) -> Datastore:
    found = get_datastore(cloud, name)
    if found is None:
        raise ServiceError(404, "UserError", f"Could not find datastore with name {name}.")
    return found


def _own(cloud: Cloud, name: str, kind: str, container: str) -> Datastore:
    return {
        "name": name,
        "dataStoreType": kind,
        "hasBeenValidated": True,
        "tags": {},
        "azureStorageSection": {
            "accountName": cloud.storage_account,
            "containerName": container,
            "endpoint": "core.windows.net",
            "protocol": "https",
            "credentialType": "AccountKey",
            "credential": cloud.storage_key,
            "accountKey": cloud.storage_key,
            "sasToken": None,
            "isSas": False,
            "areWorkspaceManagedIdentitiesAllowed": False,
            "clientCredentials": None,
            "subscriptionId": cloud.subscription_id,
            "resourceGroup": cloud.resource_group,
        },
    }
