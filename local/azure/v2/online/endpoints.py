"""Online endpoints, managed and Kubernetes: names, keys, tokens and traffic.

Shapes: Microsoft.MachineLearningServices 2024-10-01, onlineEndpoints. What runs behind one is in
online_deployments.py, what answers scoring calls in traffic.py.
"""

from __future__ import annotations

import secrets
import time
import uuid
from collections.abc import Mapping
from typing import Any

from local.azure.identity import entra
from local.azure.kernel import bodies
from local.azure.kernel.cloud import Cloud
from local.azure.kernel.http import Request, Response, ServiceError, json_response
from local.azure.serving.service_records import new_keys, set_key
from local.azure.v2 import operations
from local.azure.v2.online import bodies as online_bodies
from local.azure.v2.online import checks, deployment_records, records, rollout
from local.azure.v2.online.records import (
    CREATING_S,
    UPDATING_S,
    Endpoint,
    Identity,
    Progress,
    Properties,
    Shares,
)
from local.azure.v2.resources import (
    PAGED,
    arm_route,
    front_end_router,
    page,
    put_response,
    view,
)

TOKEN_LIFETIME_S = 12 * 3600
REFRESH_AFTER_S = 30
SCORING_AUDIENCE = "azureml"
_TRAFFIC = ("traffic", "mirrorTraffic")


router = front_end_router()


def show(cloud: Cloud, record: Endpoint) -> Mapping[str, object]:
    """An endpoint as Resource Manager shows it; its addresses are there when it is."""
    state = records.state_of(record)
    address = f"https://{record['name']}.{cloud.location}.inference.ml.azure.com"
    tail = f"onlineEndpoints/{record['name']}"
    properties = {
        **record["properties"],
        "properties": {
            **record["properties"]["properties"],
            "azureml.onlineendpointid": f"{cloud.workspace_scope}/{tail}".lower(),
            "AzureAsyncOperationUri": record["operation"],
        },
        "scoringUri": None if state == "Creating" else f"{address}/score",
        "swaggerUri": None if state == "Creating" else f"{address}/swagger.json",
        "provisioningState": state,
    }
    shown = view(
        cloud,
        tail,
        properties,
        created=record["created"],
        modified=record["modified"],
        system_data=("createdAt", "createdBy", "lastModifiedAt"),
    )
    return {
        **shown,
        "tags": record["tags"],
        "location": record["location"],
        "kind": record["kind"],
        "identity": record["identity"],
    }


@arm_route(
    router,
    "GET",
    "onlineEndpoints",
    query=("computeType", "name", "orderBy", "properties", "tags", *PAGED),
)
def list_all(cloud: Cloud, request: Request) -> Response:
    """The endpoints, of one compute type, or with tags or properties when asked for."""
    found = records.every(cloud)
    kind = request.query.get("computeType", "").lower()
    if kind:
        kind = {"kubernetes": "k8s"}.get(kind, kind)
        found = [one for one in found if one["kind"].lower() == kind]
    if request.query.get("name"):
        found = [one for one in found if one["name"] == request.query["name"]]
    for term in filter(None, request.query.get("tags", "").split(",")):
        found = [one for one in found if _has(one["tags"], term)]
    for term in filter(None, request.query.get("properties", "").split(",")):
        found = [one for one in found if _has(one["properties"]["properties"], term)]
    order = request.query.get("orderBy") or "CreatedAtDesc"
    if order not in _ORDERS:
        raise ServiceError(400, "UserError", f"orderBy must be one of {', '.join(_ORDERS)}.")
    found.sort(key=lambda one: str(one.get(_ORDERS[order])), reverse=order.endswith("Desc"))
    return page(request, [show(cloud, one) for one in found])


_ORDERS = {
    "CreatedAtDesc": "created",
    "CreatedAtAsc": "created",
    "UpdatedAtDesc": "modified",
    "UpdatedAtAsc": "modified",
}


def _has(pairs: Mapping[str, str], term: str) -> bool:
    key, equals, value = term.partition("=")
    return key in pairs and (not equals or pairs[key] == value)


@arm_route(router, "GET", "onlineEndpoints/{endpoint}")
def show_endpoint(cloud: Cloud, request: Request) -> Response:
    """An endpoint."""
    return json_response(show(cloud, records.existing(cloud, request.params["endpoint"])))


@arm_route(router, "PUT", "onlineEndpoints/{endpoint}")
def put_endpoint(cloud: Cloud, request: Request) -> Response:
    """Create an endpoint, or change its traffic, tags and description."""
    name = request.params["endpoint"]
    body = bodies.check(online_bodies.ENDPOINT, request.json())
    before = records.find(cloud, name)
    properties = _properties(cloud, name, body["properties"], before)
    now = cloud.ml_timestamp()
    progress, headers = _begin_change(cloud, request, before)
    record: Endpoint = {
        **progress,
        "id": before["id"] if before else str(uuid.uuid4()),
        "name": before["name"] if before else name,
        "location": body.get("location") or cloud.location,
        "tags": body.get("tags") or {},
        "identity": _identity(cloud, body.get("identity"), before),
        "kind": "K8S" if properties["compute"] else "Managed",
        "properties": properties,
        "keys": before["keys"] if before else new_keys(body["properties"].get("keys")),
        "created": before["created"] if before else now,
        "modified": now,
    }
    records.keep(cloud, record)
    return put_response(request, show(cloud, record), new=before is None, headers=headers)


def _properties(
    cloud: Cloud, name: str, asked: Mapping[str, Any], before: Endpoint | None
) -> Properties:
    """The properties that a PUT asks for, checked. Raises ServiceError."""
    known: Shares = before["properties"] if before else _no_shares()
    own = ("azureml.onlineendpointid", "AzureAsyncOperationUri")
    properties: Properties = {
        "description": asked.get("description"),
        "properties": {
            key: value for key, value in (asked.get("properties") or {}).items() if key not in own
        },
        "authMode": _auth_mode(asked["authMode"]),
        "compute": asked.get("compute"),
        "publicNetworkAccess": asked.get("publicNetworkAccess") or "Enabled",
        "traffic": checks.shares(asked.get("traffic"), known["traffic"]),
        "mirrorTraffic": checks.shares(asked.get("mirrorTraffic"), known["mirrorTraffic"]),
    }
    if before is None:
        checks.check_name(name, "endpoint")
        if properties["compute"]:
            checks.check_compute(cloud, properties["compute"])
    else:
        records.check_settled(before)
        fixed = (before["properties"]["authMode"], before["properties"]["compute"])
        if (properties["authMode"], properties["compute"]) != fixed:
            raise ServiceError(
                400,
                "UserError",
                f"The auth mode and the compute of the endpoint '{name}' cannot be changed. Delete "
                "it first or choose another name.",
            )
    checks.check_traffic(cloud, name, properties)
    return properties


def _no_shares() -> Shares:
    return {"traffic": {}, "mirrorTraffic": {}}


def _begin_change(
    cloud: Cloud, request: Request, before: Endpoint | None
) -> tuple[Progress, dict[str, str]]:
    """Begin to create or change an endpoint. Also returns the headers that lead on."""
    state, lasts_s = ("Updating", UPDATING_S) if before else ("Creating", CREATING_S)
    # Before the operation begins: who is told of its end may rely on the new traffic.
    phase = records.phase(state, lasts_s)
    operation = operations.start(cloud, operations.ENDPOINT, running=state, lasts_s=lasts_s)
    progress: Progress = {
        "phase": phase,
        "before": records.traffic_of(before) if before else _no_shares(),
        "operation": operations.status_url(cloud, request, operation),
    }
    return progress, operations.status_headers(cloud, request, operation)


@arm_route(router, "PATCH", "onlineEndpoints/{endpoint}")
def patch_endpoint(cloud: Cloud, request: Request) -> Response:
    """Change the tags or the traffic of an endpoint."""
    before = records.existing(cloud, request.params["endpoint"])
    records.check_settled(before)
    body = bodies.check(online_bodies.ENDPOINT_PATCH, request.json())
    records.check_location(before["location"], body.get("location"))
    asked = body.get("properties") or {}
    properties: Properties = {
        **before["properties"],
        "traffic": checks.shares(asked.get("traffic"), before["properties"]["traffic"]),
        "mirrorTraffic": checks.shares(
            asked.get("mirrorTraffic"), before["properties"]["mirrorTraffic"]
        ),
    }
    checks.check_traffic(cloud, before["name"], properties)
    tags = before["tags"] if body.get("tags") is None else body["tags"]
    progress, headers = _begin_change(cloud, request, before)
    record: Endpoint = {
        **before,
        **progress,
        "tags": tags,
        "properties": properties,
        "modified": cloud.ml_timestamp(),
    }
    records.keep(cloud, record)
    return json_response(show(cloud, record), 202, headers)


@arm_route(router, "DELETE", "onlineEndpoints/{endpoint}")
def delete_endpoint(cloud: Cloud, request: Request) -> Response:
    """End an endpoint with all its deployments. 204 when there is none."""
    name = request.params["endpoint"]
    found = records.find(cloud, name)
    if found is None:
        return Response(status=204)
    for record in deployment_records.deployments_of(cloud, name):
        rollout.remove(cloud, record)
    lasts_s = records.DELETING_S
    operation = operations.start(cloud, operations.ENDPOINT, running="Deleting", lasts_s=lasts_s)
    phase = records.phase("Deleting", lasts_s)
    records.change(cloud, name, lambda record: record.update({"phase": phase}))
    return Response(
        status=202,
        headers={
            **operations.deletion_headers(cloud, request, operation),
            "content-length": "0",
        },
    )


@arm_route(router, "POST", "onlineEndpoints/{endpoint}/listKeys")
def list_keys(cloud: Cloud, request: Request) -> Response:
    """Both keys; an endpoint without keys has none to show."""
    record = records.existing(cloud, request.params["endpoint"])
    if record["properties"]["authMode"] != "Key":
        return json_response({"primaryKey": None, "secondaryKey": None})
    return json_response(record["keys"])


@arm_route(router, "POST", "onlineEndpoints/{endpoint}/regenerateKeys")
def regenerate_keys(cloud: Cloud, request: Request) -> Response:
    """Replace one key, by the given value or a new one."""
    record = records.existing(cloud, request.params["endpoint"])
    mode = record["properties"]["authMode"]
    if mode != "Key":
        raise ServiceError(
            400, "UserError", f"The endpoint '{record['name']}' has the auth mode {mode}: no keys."
        )
    asked = bodies.check(online_bodies.REGENERATE, request.json())
    which = f"{str(asked['keyType']).lower()}Key"
    value = asked.get("keyValue")
    # The SDK sends the present key along, and its users expect another one.
    if not value or value == record["keys"].get(which):
        value = secrets.token_urlsafe(24)
    records.change(cloud, record["name"], lambda record: set_key(record["keys"], which, value))
    operation = operations.start(
        cloud, operations.ENDPOINT_KEYS, running="Updating", lasts_s=UPDATING_S
    )
    return operations.accepted(cloud, request, operation)


@arm_route(router, "POST", "onlineEndpoints/{endpoint}/token")
def get_token(cloud: Cloud, request: Request) -> Response:
    """A token that scores on this endpoint only."""
    record = records.existing(cloud, request.params["endpoint"])
    mode = record["properties"]["authMode"]
    if mode == "Key":
        raise ServiceError(
            400, "UserError", f"The endpoint '{record['name']}' has the auth mode Key: no token."
        )
    token = entra.issue_token(
        cloud,
        audience=SCORING_AUDIENCE,
        lifetime_s=TOKEN_LIFETIME_S,
        iss="azureml",
        canRefresh="False",
        workspaceId=cloud.workspace_id,
        actions='["Microsoft.MachineLearningServices/workspaces/onlineEndpoints/score/action"]',
        endpointName=record["name"],
        serviceId=record["id"],
    )
    now = int(time.time())
    return json_response(
        {
            "accessToken": token,
            "tokenType": "Bearer",
            "expiryTimeUtc": now + TOKEN_LIFETIME_S,
            "refreshAfterTimeUtc": now + REFRESH_AFTER_S,
        }
    )


def _auth_mode(asked: str) -> str:
    modes = {mode.lower(): mode for mode in ("Key", "AMLToken", "AADToken")}
    return modes[asked.lower()]


def _identity(cloud: Cloud, asked: Identity | None, before: Endpoint | None) -> Identity:
    identity: Identity = asked or {}
    if identity.get("type", "SystemAssigned").lower() != "systemassigned":
        return identity
    known: Identity = before["identity"] if before else {}
    return {
        **identity,
        "type": "SystemAssigned",
        "principalId": known.get("principalId") or str(uuid.uuid4()),
        "tenantId": cloud.tenant_id,
    }
