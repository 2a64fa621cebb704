"""An Azure ML registry: where it answers, the models in it, and models imported from workspaces.

Forms as recorded in sdk/ml/azure-ai-ml/tests/recordings/model of Azure/azure-sdk-for-python
(test_promote_model): discovery, 404, import, its operation, and a version. Which operations there
are: azure.ai.ml._utils._registry_utils. What a registry has beside models, and uploads to it, are
not covered.
"""

from __future__ import annotations

import re
import shutil
import uuid
from pathlib import Path
from typing import TypedDict

from local.azure.kernel import bodies
from local.azure.kernel.bodies import Object, text
from local.azure.kernel.cloud import PROVIDER, REGISTRY_NAME, Cloud
from local.azure.kernel.errors import management_frontend_error
from local.azure.kernel.http import Request, Response, ServiceError, json_response
from local.azure.kernel.store import AlreadyExists
from local.azure.kernel.tables import Table
from local.azure.kernel.web import ARM_HOST, DATA_PLANE_HOST, Router
from local.azure.resources.arm import check_subscription
from local.azure.storage import blob_auth
from local.azure.v2.assets import kinds, models, uris
from local.azure.v2.resources import PAGED, Resource, archived_states, page

FRONT_END_HOST = "cert-*.experiments.azureml.net"
API_VERSION = "2021-10-01-dataplanepreview"
_ADDRESS = re.compile(r"azureml://registries/([^/]+)/models/([^/]+)/versions/([^/]+)")
_SOURCE = re.compile(r"azureml://locations/([^/]+)/workspaces/([^/]+)/models/([^/]+)/versions/(.+)")


class Properties(kinds.Properties, TypedDict):
    """The properties of a version in the registry."""

    originAssetId: str


class Operation(TypedDict):
    """An import. asked: whether a client asked for its end before."""

    asked: bool


# By `name:version`.
_MODELS: Table[Resource[Properties]] = Table("registry-model")
_OPERATIONS: Table[Operation] = Table("registry-operation")

router = Router(host=FRONT_END_HOST, errors=management_frontend_error)
_PATH = (
    "/mferp/managementfrontend/subscriptions/{subscription}/resourceGroups/{group}/providers/"
    f"{PROVIDER}/registries/{{registry}}"
)
_FILTERS = (*PAGED, "$orderBy", "listViewType")
_IMPORT = bodies.resource(
    Object(
        name="ResourceManagementAssetReference",
        members={
            "referenceType": text,
            "destinationName": text,
            "destinationVersion": text,
            "sourceAssetId": text,
        },
    )
)


@router.route(
    "GET",
    "/registrymanagement/v1.0/registries/{registry}/discovery",
    host=DATA_PLANE_HOST,
    query=(),
)
def discover(cloud: Cloud, request: Request) -> Response:
    """Where a registry answers, asked in any region."""
    _check_name(request.params["registry"])
    identity = _identity(cloud)
    return json_response(
        {
            "registryId": identity,
            "registryName": REGISTRY_NAME,
            "tenantId": cloud.tenant_id,
            "primaryRegion": cloud.location,
            "regions": [cloud.location],
            "subscriptionId": cloud.subscription_id,
            "resourceGroup": cloud.resource_group,
            "workspaceName": None,
            "primaryRegionResourceProviderUri": (
                f"https://cert-{cloud.location}.experiments.azureml.net/"
            ),
            "registryFqdns": {
                cloud.location: {
                    "uri": f"https://{identity}.registry.{cloud.location}.api.azureml.ms"
                }
            },
        }
    )


@router.route(
    "GET", "/subscriptions/{subscription}/providers/" + PROVIDER + "/registries", host=ARM_HOST
)
def list_registries(cloud: Cloud, request: Request) -> Response:
    """The registries of the subscription, as Resource Manager lists them."""
    check_subscription(cloud, request)
    group = f"/subscriptions/{cloud.subscription_id}/resourceGroups/{cloud.resource_group}"
    found = {
        "id": f"{group}/providers/{PROVIDER}/registries/{REGISTRY_NAME}",
        "name": REGISTRY_NAME,
        "type": f"{PROVIDER}/registries",
        "location": cloud.location,
        "properties": {"discoveryUrl": f"{cloud.base_url}/registrymanagement/v1.0/registries"},
    }
    return json_response({"value": [found]})


@router.route("GET", _PATH + "/models/{name}/versions/{version}", query=())
def show_version(cloud: Cloud, request: Request) -> Response:
    """A version of a model."""
    _check(cloud, request)
    name, version = request.params["name"], request.params["version"]
    found = _MODELS.get(cloud, f"{name}:{version}")
    if found is None:
        raise ServiceError(
            404,
            "UserError",
            f"Could not find asset with ID: {_asset_id(name, version)}",
            inner=("NotFoundError",),
        )
    return json_response(found)


@router.route("GET", _PATH + "/models/{name}/versions", query=_FILTERS)
def list_versions(cloud: Cloud, request: Request) -> Response:
    """The versions of a model, the newest first unless `$orderBy` says otherwise.

    None is an empty list: azure-ai-ml, which asks before it shares the first, takes no 404.
    """
    _check(cloud, request)
    found = _MODELS.list(cloud, f"{request.params['name']}:")
    if not request.query.get("$orderBy", "").lower().endswith(" asc"):
        found.reverse()
    archived = archived_states(request)
    return page(request, [one for one in found if one["properties"]["isArchived"] in archived])


@router.route("POST", _PATH + "/import", query=())
def import_asset(cloud: Cloud, request: Request) -> Response:
    """Copy a version of a workspace's model with its files; 202, and an operation to follow."""
    _check(cloud, request)
    given = bodies.check(_IMPORT, request.json())["properties"]
    source_id = str(given.get("sourceAssetId"))
    found = _SOURCE.fullmatch(source_id)
    if found is None:
        raise ServiceError(
            501, "NotImplemented", f"The local Azure imports models only, not '{source_id}'."
        )
    location, workspace, name, version = found.groups()
    if (location, workspace) != (cloud.location, cloud.workspace_id):
        raise ServiceError(404, "UserError", f"There is no workspace of the asset {source_id}.")
    source = models.KIND.get(cloud, name, version)
    if source is None:
        raise models.KIND.missing(name, version)
    _copy(
        cloud,
        source["properties"],
        source_id,
        str(given.get("destinationName") or name),
        str(given.get("destinationVersion") or version),
    )
    operation = str(uuid.uuid4())
    _OPERATIONS.insert(cloud, operation, {"asked": False})
    where = f"{cloud.base_url}/assetstore/v1.0/operations/{operation}"
    headers = {"Location": where, "x-ms-async-operation-timeout": "PT1H", "retry-after-ms": "200"}
    return json_response(None, 202, headers)


@router.route("GET", "/assetstore/v1.0/operations/{id}", host=DATA_PLANE_HOST, query=())
def show_operation(cloud: Cloud, request: Request) -> Response:
    """202 while it runs, then 204."""
    found = _OPERATIONS.get(cloud, request.params["id"])
    if found is None:
        raise ServiceError(404, "NotFound", f"There is no operation {request.params['id']}.")
    if found["asked"]:
        return Response(status=204)
    _OPERATIONS.put(cloud, request.params["id"], {"asked": True})
    return Response(status=202, headers={"retry-after-ms": "200"})


def _copy(cloud: Cloud, source: kinds.Properties, origin: str, name: str, version: str) -> None:
    files = uris.locate(cloud, source["modelUri"])
    container = f"{REGISTRY_NAME}-{uuid.uuid4()}"
    target = cloud.root / "blobs" / container / files.name
    address = f"https://{blob_auth.account_host(cloud)}/{container}/{files.name}"
    now = cloud.ml_timestamp()
    record: Resource[Properties] = {
        "id": _asset_id(name, version),
        "name": name,
        "type": "models",
        "properties": {
            "description": source.get("description"),
            "tags": source.get("tags"),
            "properties": source.get("properties"),
            "isArchived": source.get("isArchived", False),
            "isAnonymous": source.get("isAnonymous", False),
            "flavors": source.get("flavors"),
            "modelType": source["modelType"],
            "modelUri": address,
            "originAssetId": origin,
            # The service does not take over the run of another workspace.
            "jobName": None,
        },
        "systemData": {
            "createdAt": now,
            "createdBy": cloud.client_id,
            "createdByType": "Application",
            "lastModifiedAt": now,
            "lastModifiedBy": cloud.client_id,
            "lastModifiedByType": "Application",
        },
    }
    try:
        _MODELS.insert(cloud, f"{name}:{version}", record)
    except AlreadyExists:
        raise ServiceError(
            409,
            "UserError",
            f"Asset with ID {_asset_id(name, version)} already exists.",
            inner=("Conflict",),
        ) from None
    target.parent.mkdir(parents=True)
    if files.is_dir():
        shutil.copytree(files, target)
    else:
        shutil.copyfile(files, target)


def model_files(cloud: Cloud, reference: str) -> tuple[str, str, kinds.Properties, Path] | None:
    """Name, version, properties and files of a model whose address is one in a registry.

    None for any other address. Raises ServiceError 404.
    """
    found = _ADDRESS.fullmatch(reference)
    if found is None:
        return None
    _check_name(found[1])
    record = _MODELS.get(cloud, f"{found[2]}:{found[3]}")
    if record is None:
        raise ServiceError(404, "UserError", f"Could not find asset with ID: {reference}")
    properties = record["properties"]
    return found[2], found[3], properties, uris.locate(cloud, properties["modelUri"])


def _check(cloud: Cloud, request: Request) -> None:
    params = request.params
    _check_name(params["registry"])
    where = (params["subscription"].lower(), params["group"].lower())
    if where != (cloud.subscription_id, cloud.resource_group.lower()):
        raise ServiceError(404, "ResourceNotFound", "The registry is in another resource group.")
    version = request.query.get("api-version")
    if version != API_VERSION:
        raise ServiceError(
            501, "NotImplemented", f"The local Azure's registry knows no api-version '{version}'."
        )


def _check_name(name: str) -> None:
    if name.lower() != REGISTRY_NAME:
        raise ServiceError(404, "UserError", f"Registry {name} was not found.")


def _identity(cloud: Cloud) -> str:
    return str(uuid.uuid5(uuid.UUID(cloud.subscription_id), REGISTRY_NAME))


def _asset_id(name: str, version: str) -> str:
    return f"azureml://registries/{REGISTRY_NAME}/models/{name}/versions/{version}"
