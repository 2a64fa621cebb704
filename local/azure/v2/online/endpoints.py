"""Online endpoints, managed and Kubernetes: names, keys, tokens and traffic.

Shapes: Microsoft.MachineLearningServices 2024-10-01, onlineEndpoints. What runs behind one is in
online_deployments.py, what answers scoring calls in traffic.py.
"""

from __future__ import annotations

import re
import secrets
import time
import uuid
from typing import Any

from local.azure.identity import entra
from local.azure.kernel import bodies
from local.azure.kernel.cloud import Cloud
from local.azure.kernel.http import Request, Response, ServiceError, json_response
from local.azure.kernel.web import ARM_HOST, Router
from local.azure.resources import compute
from local.azure.v2.online import bodies as online_bodies
from local.azure.v2.online import rollout
from local.azure.v2.resources import (
    arm_route,
    deletion_headers,
    finish_operation,
    operation_headers,
    page,
    start_operation,
    view,
)

KIND = rollout.ENDPOINTS
TOKEN_LIFETIME_S = 12 * 3600

_NAME = re.compile(r"[a-zA-Z](?:[-a-zA-Z0-9]{1,30})[a-zA-Z0-9]")
_WITH_SERVICES = ("Kubernetes", "AKS")

router = Router(host=ARM_HOST)


def existing(cloud: Cloud, name: str) -> dict[str, Any]:
    """The record of an endpoint. Raises ServiceError 404."""
    found = cloud.store.get(KIND, name.lower())
    if found is None:
        raise ServiceError(
            404,
            "ResourceNotFound",
            f"The Resource 'Microsoft.MachineLearningServices/workspaces/{cloud.workspace_name}"
            f"/onlineEndpoints/{name}' under resource group '{cloud.resource_group}' was not "
            "found.",
        )
    return found


def check_name(name: str, what: str) -> None:
    """Whether an endpoint or deployment may be called so. Raises ServiceError 400."""
    if not _NAME.fullmatch(name):
        raise ServiceError(
            400,
            "UserError",
            f"The {what} name '{name}' is not valid: 3 to 32 letters, digits and dashes, of which "
            "the first is a letter and the last is no dash.",
        )


def show(cloud: Cloud, record: dict[str, Any]) -> dict[str, Any]:
    """An endpoint as Resource Manager shows it."""
    address = f"https://{record['name']}.{cloud.location}.inference.ml.azure.com"
    properties = {
        **record["properties"],
        "scoringUri": f"{address}/score",
        "swaggerUri": f"{address}/swagger.json",
        "provisioningState": "Succeeded",
    }
    tail = f"onlineEndpoints/{record['name']}"
    return {
        **view(cloud, tail, properties, created=record["created"], modified=record["modified"]),
        **{name: record[name] for name in ("location", "tags", "identity", "kind")},
    }


@arm_route(router, "GET", "onlineEndpoints")
def list_all(cloud: Cloud, request: Request) -> Response:
    """The endpoints, of one compute type or with tags when asked for."""
    found = cloud.store.list(KIND)
    kind = request.query.get("computeType", "").lower()
    if kind:
        kind = {"kubernetes": "k8s"}.get(kind, kind)
        found = [one for one in found if one["kind"].lower() == kind]
    if request.query.get("name"):
        found = [one for one in found if one["name"] == request.query["name"]]
    for term in filter(None, request.query.get("tags", "").split(",")):
        key, equals, value = term.partition("=")
        found = [
            one for one in found if key in one["tags"] and (not equals or one["tags"][key] == value)
        ]
    return page(request, [show(cloud, one) for one in found])


@arm_route(router, "GET", "onlineEndpoints/{endpoint}")
def show_endpoint(cloud: Cloud, request: Request) -> Response:
    """An endpoint."""
    return json_response(show(cloud, existing(cloud, request.params["endpoint"])))


@arm_route(router, "PUT", "onlineEndpoints/{endpoint}")
def put_endpoint(cloud: Cloud, request: Request) -> Response:
    """Create an endpoint, or change its traffic, tags and description."""
    name = request.params["endpoint"]
    body = bodies.check(online_bodies.ENDPOINT, request.json())
    asked = body["properties"]
    before = cloud.store.get(KIND, name.lower())
    known = before["properties"] if before else {"traffic": {}, "mirrorTraffic": {}}
    properties = {
        "authMode": _auth_mode(asked["authMode"]),
        "compute": asked.get("compute"),
        "description": asked.get("description"),
        "properties": asked.get("properties") or {},
        "publicNetworkAccess": asked.get("publicNetworkAccess") or "Enabled",
        "traffic": _shares(asked.get("traffic"), known["traffic"]),
        "mirrorTraffic": _shares(asked.get("mirrorTraffic"), known["mirrorTraffic"]),
    }
    if before is None:
        check_name(name, "endpoint")
        if properties["compute"]:
            _check_compute(cloud, properties["compute"])
    elif any(properties[field] != known[field] for field in ("authMode", "compute")):
        raise ServiceError(
            400,
            "UserError",
            f"The auth mode and the compute of the endpoint '{name}' cannot be changed. Delete it "
            "first or choose another name.",
        )
    _check_traffic(cloud, name, properties)
    now = cloud.timestamp()
    record = {
        "name": before["name"] if before else name,
        "location": body.get("location") or cloud.location,
        "tags": body.get("tags") or {},
        "identity": _identity(cloud, body.get("identity")),
        "kind": "K8S" if properties["compute"] else "Managed",
        "properties": properties,
        "keys": before["keys"] if before else _new_keys(asked.get("keys") or {}),
        "created": before["created"] if before else now,
        "modified": now,
    }
    cloud.store.put(KIND, name.lower(), record)
    operation = start_operation(cloud)
    finish_operation(cloud, operation)
    return json_response(
        show(cloud, record), 200 if before else 201, operation_headers(cloud, operation)
    )


@arm_route(router, "PATCH", "onlineEndpoints/{endpoint}")
def patch_endpoint(cloud: Cloud, request: Request) -> Response:
    """Change the tags of an endpoint."""
    name = request.params["endpoint"]
    existing(cloud, name)
    body = bodies.check(online_bodies.ENDPOINT_PATCH, request.json())

    def change(record: dict[str, Any]) -> None:
        record["tags"] = body.get("tags") or record["tags"]
        record["modified"] = cloud.timestamp()

    return json_response(show(cloud, cloud.store.update(KIND, name.lower(), change)))


@arm_route(router, "DELETE", "onlineEndpoints/{endpoint}")
def delete_endpoint(cloud: Cloud, request: Request) -> Response:
    """End an endpoint with all its deployments. 204 when there is none."""
    name = request.params["endpoint"]
    if cloud.store.get(KIND, name.lower()) is None:
        return Response(status=204)
    for record in rollout.deployments_of(cloud, name):
        rollout.remove(cloud, record)
    cloud.store.delete(KIND, name.lower())
    operation = start_operation(cloud)
    finish_operation(cloud, operation)
    return Response(status=202, headers=deletion_headers(cloud, operation))


@arm_route(router, "POST", "onlineEndpoints/{endpoint}/listKeys")
def list_keys(cloud: Cloud, request: Request) -> Response:
    """Both keys."""
    return json_response(_with_auth(cloud, request, "Key")["keys"])


@arm_route(router, "POST", "onlineEndpoints/{endpoint}/regenerateKeys")
def regenerate_keys(cloud: Cloud, request: Request) -> Response:
    """Replace one key, by the given value or a new one."""
    record = _with_auth(cloud, request, "Key")
    name = record["name"].lower()
    asked = bodies.check(online_bodies.REGENERATE, request.json())
    which = f"{str(asked['keyType']).lower()}Key"
    value = asked.get("keyValue")
    # The SDK sends the present key along, and its users expect another one.
    if not value or value == record["keys"][which]:
        value = secrets.token_urlsafe(24)
    cloud.store.update(KIND, name, lambda record: record["keys"].update({which: value}))
    operation = start_operation(cloud)
    finish_operation(cloud, operation)
    return Response(status=202, headers=deletion_headers(cloud, operation))


@arm_route(router, "POST", "onlineEndpoints/{endpoint}/token")
def get_token(cloud: Cloud, request: Request) -> Response:
    """A token that scores on this endpoint only, for an endpoint with the auth mode AMLToken."""
    record = _with_auth(cloud, request, "AMLToken")
    token = entra.issue_token(
        cloud, audience=token_audience(record), lifetime_s=TOKEN_LIFETIME_S, iss="azureml"
    )
    now = int(time.time())
    return json_response(
        {
            "accessToken": token,
            "expiryTimeUtc": now + TOKEN_LIFETIME_S,
            "refreshAfterTimeUtc": now + TOKEN_LIFETIME_S // 2,
            "tokenType": "Bearer",
        }
    )


def token_audience(record: dict[str, Any]) -> str:
    """Whom a token of an endpoint is meant for; a later endpoint of that name is another."""
    return f"azureml-endpoint/{record['name']}/{record['created']}"


def _with_auth(cloud: Cloud, request: Request, mode: str) -> dict[str, Any]:
    record = existing(cloud, request.params["endpoint"])
    has = record["properties"]["authMode"]
    if has != mode:
        raise ServiceError(
            400, "UserError", f"The endpoint '{record['name']}' has the auth mode {has}: no {mode}."
        )
    return record


def _auth_mode(asked: str) -> str:
    modes = {mode.lower(): mode for mode in ("Key", "AMLToken", "AADToken")}
    return modes[asked.lower()]


def _new_keys(given: dict[str, Any]) -> dict[str, str]:
    return {
        which: given.get(which) or secrets.token_urlsafe(24)
        for which in ("primaryKey", "secondaryKey")
    }


def _identity(cloud: Cloud, asked: dict[str, Any] | None) -> dict[str, Any]:
    identity = {"type": "SystemAssigned", **(asked or {})}
    if str(identity["type"]).lower() == "systemassigned":
        identity |= {"principalId": str(uuid.uuid4()), "tenantId": cloud.tenant_id}
    return identity


def _check_compute(cloud: Cloud, compute_id: str) -> None:
    name = compute_id.rpartition("/")[2]
    found = compute.get_compute(cloud, name)
    if found is None:
        raise ServiceError(
            404, "ComputeNotFound", f"The compute '{name}' was not found in the workspace."
        )
    kind = found["properties"]["computeType"]
    if kind not in _WITH_SERVICES:
        raise ServiceError(
            400,
            "UserError",
            f"The compute '{name}' is of type {kind}; an online endpoint needs an attached "
            "Kubernetes cluster.",
        )
    if found["properties"]["provisioningState"] != "Succeeded":
        state = found["properties"]["provisioningState"]
        raise ServiceError(400, "UserError", f"The compute '{name}' is not ready: it is {state}.")


def _shares(asked: dict[str, Any] | None, known: dict[str, int]) -> dict[str, int]:
    """Percentages by deployment; none given leaves what is there."""
    return known if asked is None else {name: int(float(share)) for name, share in asked.items()}


def _check_traffic(cloud: Cloud, name: str, properties: dict[str, Any]) -> None:
    traffic, mirror = properties["traffic"], properties["mirrorTraffic"]
    there = {
        one["name"]: one["revision"] is not None for one in rollout.deployments_of(cloud, name)
    }
    for deployment, share in {**mirror, **traffic}.items():
        if deployment not in there:
            raise ServiceError(
                400,
                "UserError",
                f"The deployment '{deployment}' in the traffic of the endpoint '{name}' does not "
                "exist.",
            )
        if share > 0 and not there[deployment]:
            raise ServiceError(
                400,
                "UserError",
                f"The deployment '{deployment}' of the endpoint '{name}' is not ready, so it can "
                "take no traffic.",
            )
    shares = [*traffic.values(), *mirror.values()]
    if any(share < 0 for share in shares) or sum(traffic.values()) not in (0, 100):
        raise ServiceError(
            400,
            "UserError",
            f"The sum of the traffic of the endpoint '{name}' is {sum(traffic.values())}; it must "
            "be 0 or 100.",
        )
    mirrored = [deployment for deployment, share in mirror.items() if share]
    if mirrored and properties["compute"]:
        raise ServiceError(400, "UserError", "Only managed online endpoints mirror traffic.")
    if len(mirrored) > 1 or any(mirror[one] > 50 or traffic.get(one) for one in mirrored):
        raise ServiceError(
            400,
            "UserError",
            "Mirror traffic can go to one deployment without live traffic, at most 50 percent.",
        )
