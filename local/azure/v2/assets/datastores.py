"""v2's view of datastores and their secrets, and the metadata of the cloud.

The store of local/azure/storage/datastores.py is the truth; there are blob containers only.
"""

from __future__ import annotations

from typing import Any

from local.azure.kernel import bodies
from local.azure.kernel.bodies import (
    DESCRIBED,
    Choice,
    Object,
    text,
)
from local.azure.kernel.cloud import Cloud
from local.azure.kernel.http import Request, Response, ServiceError, json_response
from local.azure.kernel.web import ARM_HOST, LOGIN_HOST, Router
from local.azure.resources.arm import CREATION_TIME
from local.azure.storage import datastores as v1
from local.azure.v2.resources import arm_route, missing, page, view

router = Router(host=ARM_HOST)

_SECRETS = Choice(
    by="secretsType",
    choices={
        "AccountKey": Object(
            name="AccountKeyDatastoreSecrets", members={"secretsType": text, "key": text}
        ),
        "Sas": Object(name="SasDatastoreSecrets", members={"secretsType": text, "sasToken": text}),
    },
)
_CREDENTIALS = Choice(
    by="credentialsType",
    choices={
        name: Object(
            name=f"{name}DatastoreCredentials",
            members={"credentialsType": text, "secrets": _SECRETS},
        )
        for name in ("AccountKey", "Sas", "None")
    },
)
_BLOB = Object(
    name="AzureBlobDatastore",
    members={
        **DESCRIBED,
        **dict.fromkeys(("accountName", "containerName", "datastoreType", "endpoint"), text),
        **dict.fromkeys(("protocol", "serviceDataAccessAuthIdentity"), text),
        **dict.fromkeys(("resourceGroup", "subscriptionId"), text),
        "credentials": _CREDENTIALS,
        "isDefault": bodies.boolean,
        "intellectualProperty": bodies.anything,
    },
    required=("accountName", "containerName", "credentials"),
)
_DATASTORE = bodies.resource(Choice(by="datastoreType", choices={"AzureBlob": _BLOB}))


@arm_route(router, "GET", "datastores")
def list_datastores(cloud: Cloud, request: Request) -> Response:
    """All datastores, or the default one."""
    wanted = request.query.get("isDefault", "").lower()
    found = [_show(cloud, one) for one in v1.all_datastores(cloud)]
    if wanted:
        found = [one for one in found if one["properties"]["isDefault"] == (wanted == "true")]
    return page(request, found)


@arm_route(router, "GET", "datastores/{name}")
def show_datastore(cloud: Cloud, request: Request) -> Response:
    """A datastore by name."""
    return json_response(_show(cloud, _existing(cloud, request.params["name"])))


@arm_route(router, "POST", "datastores/{name}/listSecrets")
def list_secrets(cloud: Cloud, request: Request) -> Response:
    """What opens a datastore: the account's key."""
    section = _existing(cloud, request.params["name"])["azureStorageSection"]
    if section.get("sasToken"):
        return json_response({"secretsType": "Sas", "sasToken": section["sasToken"]})
    # (Credential-less datastores have no secrets: the SDK goes on with its own credential.)
    if section["credentialType"] == "None":
        raise ServiceError(400, "UserError", "The datastore has no credentials.")
    return json_response({"secretsType": "AccountKey", "key": section["accountKey"]})


@arm_route(router, "PUT", "datastores/{name}")
def put_datastore(cloud: Cloud, request: Request) -> Response:
    """Register a blob container of the workspace's own account, or change the registration."""
    name = request.params["name"]
    given = bodies.check(_DATASTORE, request.json())["properties"]
    secrets = (given.get("credentials") or {}).get("secrets") or {}
    new = v1.get_datastore(cloud, name) is None
    v1.put_datastore(
        cloud,
        name,
        {
            "dataStoreType": "AzureBlob",
            "tags": given.get("tags") or {},
            "description": given.get("description"),
            "azureStorageSection": {
                "accountName": given["accountName"],
                "containerName": given["containerName"],
                "endpoint": given.get("endpoint"),
                "protocol": given.get("protocol"),
                "credentialType": given["credentials"]["credentialsType"],
                "accountKey": secrets.get("key"),
                "sasToken": secrets.get("sasToken"),
            },
        },
    )
    return json_response(_show(cloud, _existing(cloud, name)), 201 if new else 200)


@arm_route(router, "DELETE", "datastores/{name}")
def delete_datastore(cloud: Cloud, request: Request) -> Response:
    """Forget a registered datastore; its container stays."""
    v1.forget_datastore(cloud, _existing(cloud, request.params["name"])["name"])
    return Response(status=200)


def _existing(cloud: Cloud, name: str) -> dict[str, Any]:
    found = v1.get_datastore(cloud, name)
    if found is None:
        raise missing(f"datastore {name}")
    return found


def _show(cloud: Cloud, found: dict[str, Any]) -> dict[str, Any]:
    section = found["azureStorageSection"]
    properties = {
        "datastoreType": "AzureBlob",
        "description": found.get("description"),
        "tags": found.get("tags") or {},
        "properties": {},
        "isDefault": found["isDefault"],
        "accountName": section["accountName"],
        "containerName": section["containerName"],
        "endpoint": section["endpoint"],
        "protocol": section["protocol"],
        "credentials": {"credentialsType": section["credentialType"]},
        "subscriptionId": cloud.subscription_id,
        "resourceGroup": cloud.resource_group,
        "serviceDataAccessAuthIdentity": "None",
    }
    return view(cloud, f"datastores/{found['name']}", properties, created=CREATION_TIME)


@router.route("GET", "/metadata/endpoints", authenticated=False)
def cloud_metadata(_cloud: Cloud, _request: Request) -> Response:
    """The public cloud's endpoints, which the SDK asks for before it signs in (2019-05-01)."""
    cloud = {
        "name": "AzureCloud",
        "portal": "https://portal.azure.com",
        "resourceManager": f"https://{ARM_HOST}/",
        "authentication": {
            "loginEndpoint": f"https://{LOGIN_HOST}/",
            "audiences": ["https://management.core.windows.net/", f"https://{ARM_HOST}/"],
            "tenant": "common",
            "identityProvider": "AAD",
        },
        "suffixes": {"storage": "core.windows.net"},
    }
    return json_response([cloud])
