"""v2's view of datastores and their secrets, and the metadata of the cloud.

local/azure/storage/datastores.py keeps them.
"""

from __future__ import annotations

from collections.abc import Mapping

from local.azure.kernel import bodies
from local.azure.kernel.bodies import (
    DESCRIBED,
    Choice,
    Object,
    number,
    text,
)
from local.azure.kernel.cloud import Cloud, ml_time
from local.azure.kernel.http import Request, Response, ServiceError, json_response
from local.azure.kernel.web import ARM_HOST, LOGIN_HOST
from local.azure.resources.arm import CREATION_TIME
from local.azure.storage import blob_auth
from local.azure.storage import datastores as v1
from local.azure.v2.resources import (
    CREATED_AND_MODIFIED,
    PAGED,
    Resource,
    arm_route,
    front_end_router,
    page,
    put_response,
    view,
)

router = front_end_router()

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
_FILE = Object(
    name="AzureFileDatastore",
    members={
        **{name: shape for name, shape in _BLOB.members.items() if name != "containerName"},
        "fileShareName": text,
    },
    required=("accountName", "fileShareName", "credentials"),
)
DATASTORE = bodies.resource(Choice(by="datastoreType", choices={v1.BLOB: _BLOB, v1.FILE: _FILE}))
ASKED_SECRETS = Object(
    name="SecretExpiry", members={"expirableSecret": bodies.boolean, "expireAfterHours": number}
)
# Of what the service itself registered, it does not say who did.
_OWN = ("createdAt", "lastModifiedAt", "lastModifiedBy", "lastModifiedByType")


@arm_route(
    router,
    "GET",
    "datastores",
    query=("isDefault", "names", "orderBy", "orderByAsc", "searchText", *PAGED),
)
def list_datastores(cloud: Cloud, request: Request) -> Response:
    """All datastores, the newest first, or the default one."""
    found = [_show(cloud, one) for one in v1.all_datastores(cloud)]
    wanted = request.query.get("isDefault", "").lower()
    if wanted:
        found = [one for one in found if one["properties"]["isDefault"] == (wanted == "true")]
    names = [name for name in request.query.get("names", "").split(",") if name]
    searched = request.query.get("searchText", "").lower()
    found = [one for one in found if not names or one["name"] in names]
    found = [one for one in found if searched in one["name"].lower()]
    if request.query.get("orderBy", "createdtime").lower() == "name":
        found.sort(key=lambda one: str(one["name"]), reverse=True)
    if request.query.get("orderByAsc", "").lower() == "true":
        found.reverse()
    return page(request, found)


@arm_route(router, "GET", "datastores/{name}")
def show_datastore(cloud: Cloud, request: Request) -> Response:
    """A datastore by name."""
    return json_response(_show(cloud, _existing(cloud, request.params["name"])))


@arm_route(router, "POST", "datastores/{name}/listSecrets")
def list_secrets(cloud: Cloud, request: Request) -> Response:
    """What opens a datastore: the account's key, or for a while only a SAS made with it."""
    asked = bodies.check(ASKED_SECRETS, request.json_object())
    section = _existing(cloud, request.params["name"])["azureStorageSection"]
    if section.get("sasToken"):
        return json_response({"secretsType": "Sas", "sasToken": section["sasToken"]})
    # (Credential-less datastores have no secrets: the SDK goes on with its own credential.)
    if section["credentialType"] == "None":
        raise ServiceError(400, "UserError", "The datastore has no credentials.")
    if str(asked.get("expirableSecret")).lower() == "true":
        hours = float(asked.get("expireAfterHours") or 1)
        sas = blob_auth.make_account_sas(
            section["accountName"], section.get("accountKey") or "", hours=hours
        )
        return json_response({"secretsType": "Sas", "sasToken": f"?{sas}"})
    return json_response({"secretsType": "AccountKey", "key": section.get("accountKey")})


@arm_route(router, "PUT", "datastores/{name}", query=("skipValidation",))
def put_datastore(cloud: Cloud, request: Request) -> Response:
    """Register a blob container or a file share, or change the registration.

    Unless `skipValidation` is asked for, it must be a container of the workspace's own account.
    """
    name = request.params["name"]
    given = bodies.check(DATASTORE, request.json())["properties"]
    secrets = (given.get("credentials") or {}).get("secrets") or {}
    new = v1.get_datastore(cloud, name) is None
    v1.put_datastore(
        cloud,
        name,
        {
            "dataStoreType": given["datastoreType"],
            "tags": given.get("tags") or {},
            "description": given.get("description"),
            "azureStorageSection": {
                "accountName": given["accountName"],
                "containerName": given.get("containerName") or given.get("fileShareName"),
                "endpoint": given.get("endpoint"),
                "protocol": given.get("protocol"),
                "credentialType": given["credentials"]["credentialsType"],
                "accountKey": secrets.get("key"),
                "sasToken": secrets.get("sasToken"),
            },
        },
        check=request.query.get("skipValidation", "").lower() != "true",
    )
    return put_response(request, _show(cloud, _existing(cloud, name)), new=new)


@arm_route(router, "DELETE", "datastores/{name}")
def delete_datastore(cloud: Cloud, request: Request) -> Response:
    """Forget a registered datastore; its container stays. 204 when there is none."""
    name = request.params["name"]
    if v1.get_datastore(cloud, name) is None:
        return Response(status=204)
    v1.forget_datastore(cloud, name)
    return Response(status=200)


def _existing(cloud: Cloud, name: str) -> v1.Datastore:
    found = v1.get_datastore(cloud, name)
    if found is None:
        raise ServiceError(
            404,
            "UserError",
            f"Could not find datastore: {name}",
            inner=("NotFoundError", "DatastoreNotFound"),
        )
    return found


def _show(cloud: Cloud, found: v1.Datastore) -> Resource[Mapping[str, object]]:
    section = found["azureStorageSection"]
    is_own = "createdTime" not in found
    is_blob = found["dataStoreType"] == v1.BLOB
    is_first = found["name"] == v1.DEFAULT
    properties = {
        "description": found.get("description"),
        "tags": None if is_own else found.get("tags") or {},
        "properties": None,
        "isDefault": found.get("isDefault", False),
        "credentials": {"credentialsType": section["credentialType"]},
        "subscriptionId": cloud.subscription_id if is_first else None,
        "resourceGroup": cloud.resource_group if is_first else None,
        "datastoreType": found["dataStoreType"],
        "accountName": section["accountName"],
        "containerName" if is_blob else "fileShareName": section["containerName"],
        "endpoint": section["endpoint"],
        "protocol": section["protocol"],
        "serviceDataAccessAuthIdentity": "None",
    }
    return view(
        cloud,
        f"datastores/{found['name']}",
        properties,
        created=found.get("createdTime") or ml_time(CREATION_TIME),
        modified=found.get("modifiedTime"),
        system_data=_OWN if is_own else CREATED_AND_MODIFIED,
    )


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
