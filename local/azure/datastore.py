"""Datastores: names for blob containers. Shapes as azureml-core's datastore client reads them."""

from __future__ import annotations

from typing import Any

from local.azure import blob, fields
from local.azure.azure import Azure
from local.azure.store import AlreadyExists
from local.azure.web import (
    Request,
    Response,
    Router,
    ServiceError,
    json_response,
)

DEFAULT = "workspaceblobstore"
ARTIFACT_STORE = "workspaceartifactstore"
ARTIFACT_CONTAINER = "azureml"

router = Router()
_PATH = "/datastore/v1.0{workspace}"


def default_container(azure: Azure) -> str:
    """The container behind `workspaceblobstore`, named as Azure ML names it."""
    return f"azureml-blobstore-{azure.workspace_id}"


@router.at_start
def make_containers(azure: Azure) -> None:
    """The containers that a new workspace has."""
    for name in (default_container(azure), ARTIFACT_CONTAINER):
        (azure.root / "blobs" / name).mkdir(parents=True, exist_ok=True)


def get_datastore(azure: Azure, name: str) -> dict[str, Any] | None:
    """A datastore with its credential, or None."""
    containers = {DEFAULT: default_container(azure), ARTIFACT_STORE: ARTIFACT_CONTAINER}
    if name in containers:
        found: dict[str, Any] | None = _own(azure, name, containers[name])
    else:
        found = azure.store.get("datastore", name)
    if found:
        found["isDefault"] = found["name"] == _default_name(azure)
    return found


def all_datastores(azure: Azure) -> list[dict[str, Any]]:
    """All datastores with their credentials; the workspace's own come first."""
    names = [DEFAULT, ARTIFACT_STORE, *(known["name"] for known in azure.store.list("datastore"))]
    return [found for name in names if (found := get_datastore(azure, name))]


def container_of(azure: Azure, name: str) -> str:
    """The container behind a datastore. Raises ServiceError 404."""
    section = _existing(azure, name)["azureStorageSection"]
    return str(section["containerName"])


def _default_name(azure: Azure) -> str:
    chosen = azure.store.get("datastore-default", "name")
    return chosen["name"] if chosen else DEFAULT


@router.route("GET", _PATH + "/default")
def get_default(azure: Azure, _request: Request) -> Response:
    """The default datastore."""
    return json_response(_existing(azure, _default_name(azure)))


@router.route("PUT", _PATH + "/default/{name}")
def set_default(azure: Azure, request: Request) -> Response:
    """Make another datastore the default one."""
    name = _existing(azure, request.params["name"])["name"]
    azure.store.put("datastore-default", "name", {"name": name})
    return json_response({})


@router.route("GET", _PATH + "/datastores")
def list_datastores(azure: Azure, _request: Request) -> Response:
    """All datastores."""
    return json_response({"value": all_datastores(azure), "continuationToken": None})


@router.route("GET", _PATH + "/datastores/{name}")
def show_datastore(azure: Azure, request: Request) -> Response:
    """A datastore by name."""
    return json_response(_existing(azure, request.params["name"]))


@router.route("POST", _PATH + "/datastores")
def create_datastore(azure: Azure, request: Request) -> Response:
    """Register a blob container of the workspace's own storage account."""
    body = request.json_object()
    name = fields.text(body, "name")
    _check(azure, name, body, make=request.query.get("createIfNotExists", "").lower() == "true")
    try:
        if get_datastore(azure, name) is not None:
            raise AlreadyExists(name)
        azure.store.insert("datastore", name, body)
    except AlreadyExists:
        raise ServiceError(
            400, "UserError", "Another datastore with the same name already exists."
        ) from None
    return json_response(_existing(azure, name))


@router.route("PUT", _PATH + "/datastores/{name}")
def update_datastore(azure: Azure, request: Request) -> Response:
    """Change a registered datastore."""
    name = _existing(azure, request.params["name"])["name"]
    make = request.query.get("createIfNotExists", "").lower() == "true"
    put_datastore(azure, name, request.json_object(), make=make)
    return json_response(_existing(azure, name))


def put_datastore(azure: Azure, name: str, body: dict[str, Any], *, make: bool = False) -> None:
    """Register a datastore or change it. make: its container too. Raises ServiceError 400."""
    _check_own(name)
    body = {**body, "name": name}
    _check(azure, name, body, make=make)
    azure.store.put("datastore", name, body)


def _check_own(name: str) -> None:
    if name in (DEFAULT, ARTIFACT_STORE):
        raise ServiceError(400, "UserError", f"The datastore '{name}' belongs to the workspace.")


@router.route("DELETE", _PATH + "/datastores/{name}")
def delete_datastore(azure: Azure, request: Request) -> Response:
    """Forget a registered datastore; its container stays."""
    forget_datastore(azure, request.params["name"])
    return json_response({})


def forget_datastore(azure: Azure, name: str) -> None:
    """Forget a registered datastore. Raises ServiceError 400 for the workspace's own."""
    _check_own(name)
    azure.store.delete("datastore", name)


def _check(azure: Azure, name: str, body: dict[str, Any], *, make: bool) -> None:
    section = fields.mapping(body, "azureStorageSection")
    if (
        body.get("dataStoreType") != "AzureBlob"
        or section.get("accountName") != azure.storage_account
    ):
        raise ServiceError(
            400,
            "UserError",
            f"The datastore '{name}' cannot be registered: the local Azure has blob containers of "
            f"the account '{azure.storage_account}' only.",
        )
    section.setdefault("credentialType", "AccountKey")
    for field, default in (("endpoint", "core.windows.net"), ("protocol", "https")):
        section[field] = section.get(field) or default
    if section["credentialType"] == "AccountKey":
        section["accountKey"] = section.get("accountKey") or section.get("credential")
    elif section["credentialType"] == "Sas":
        section["sasToken"] = section.get("sasToken") or section.get("credential")
    folder = blob.path_of(azure, fields.text(section, "containerName"), "any").parent
    if make:
        folder.mkdir(exist_ok=True)
    if not folder.is_dir():
        raise ServiceError(
            400, "UserError", f"The container '{section['containerName']}' does not exist."
        )


def _existing(azure: Azure, name: str) -> dict[str, Any]:
    found = get_datastore(azure, name)
    if found is None:
        raise ServiceError(404, "UserError", f"Could not find datastore with name {name}.")
    return found


def _own(azure: Azure, name: str, container: str) -> dict[str, Any]:
    return {
        "name": name,
        "dataStoreType": "AzureBlob",
        "hasBeenValidated": True,
        "tags": {},
        "azureStorageSection": {
            "accountName": azure.storage_account,
            "containerName": container,
            "endpoint": "core.windows.net",
            "protocol": "https",
            "credentialType": "AccountKey",
            "credential": azure.storage_key,
            "accountKey": azure.storage_key,
            "sasToken": None,
            "isSas": False,
            "areWorkspaceManagedIdentitiesAllowed": False,
            "clientCredentials": None,
            "subscriptionId": azure.subscription_id,
            "resourceGroup": azure.resource_group,
        },
    }
