"""Deployments of online endpoints: create, update, scale, logs, delete.

Shapes: Microsoft.MachineLearningServices 2024-10-01, onlineEndpoints/deployments. What brings one
up is in online_rollout.py.
"""

from __future__ import annotations

import sys
from typing import Any

from local.azure.kernel import bodies
from local.azure.kernel.cloud import Cloud
from local.azure.kernel.http import Request, Response, ServiceError, json_response
from local.azure.kernel.web import ARM_HOST, Router
from local.azure.resources.regions import find_vm_size
from local.azure.v2.assets import environments
from local.azure.v2.online import bodies as online_bodies
from local.azure.v2.online import rollout
from local.azure.v2.online.endpoints import check_name
from local.azure.v2.online.endpoints import existing as existing_endpoint
from local.azure.v2.online.rollout import KIND, key_of
from local.azure.v2.resources import (
    arm_route,
    deletion_headers,
    finish_operation,
    missing,
    operation_headers,
    page,
    start_operation,
    view,
)

router = Router(host=ARM_HOST)
_ALL = "onlineEndpoints/{endpoint}/deployments"
_ONE = _ALL + "/{deployment}"

# What a new process is needed for; anything else changes in place.
_CONTENT = ("model", "environmentId", "codeConfiguration", "environmentVariables", "instanceType")


@router.at_start
def start_again(cloud: Cloud) -> None:
    """Start the deployments that were in service when the server ended."""
    rollout.start_again(cloud)


@router.at_stop
def stop(cloud: Cloud) -> None:
    """End all deployments."""
    rollout.fleet.stop_all(cloud)


def show(cloud: Cloud, record: dict[str, Any]) -> dict[str, Any]:
    """A deployment as Resource Manager shows it."""
    tail = f"onlineEndpoints/{record['endpoint']}/deployments/{record['name']}"
    properties = {**record["properties"], "provisioningState": record["state"]}
    return {
        **view(cloud, tail, properties, created=record["created"], modified=record["modified"]),
        **{name: record[name] for name in ("location", "tags", "identity", "kind", "sku")},
    }


@arm_route(router, "GET", _ALL)
def list_all(cloud: Cloud, request: Request) -> Response:
    """The deployments of an endpoint."""
    endpoint = existing_endpoint(cloud, request.params["endpoint"])
    found = rollout.deployments_of(cloud, endpoint["name"])
    return page(request, [show(cloud, one) for one in found])


@arm_route(router, "GET", _ONE)
def show_deployment(cloud: Cloud, request: Request) -> Response:
    """A deployment."""
    return json_response(show(cloud, _existing(cloud, request)))


@arm_route(router, "PUT", _ONE)
def put_deployment(cloud: Cloud, request: Request) -> Response:
    """Create or change a deployment; what changes its content is rolled out beside the old one."""
    endpoint = existing_endpoint(cloud, request.params["endpoint"])
    name = request.params["deployment"]
    body = bodies.check(online_bodies.DEPLOYMENT, request.json())
    properties = online_bodies.filled(body["properties"])
    key = key_of(endpoint["name"], name)
    before = cloud.store.get(KIND, key)
    if before is None:
        check_name(name, "deployment")
    _check_settled(key, name)
    _check(cloud, endpoint, name, properties)
    now = cloud.timestamp()
    operation = start_operation(cloud)
    record = {
        "endpoint": endpoint["name"],
        "name": before["name"] if before else name,
        "location": body.get("location") or cloud.location,
        "tags": body.get("tags") or {},
        "identity": body.get("identity"),
        "kind": properties["endpointComputeType"],
        "sku": {"name": "Default", "capacity": 1, **(body.get("sku") or {})},
        "properties": properties,
        "state": "Updating" if before else "Creating",
        "error": None,
        "revision": before["revision"] if before else None,
        "operation": operation,
        "created": before["created"] if before else now,
        "modified": now,
    }
    if before and before["state"] == "Succeeded" and _same_content(before, record):
        record["state"] = "Succeeded"
        cloud.store.put(KIND, key, record)
        finish_operation(cloud, operation)
    else:
        cloud.store.put(KIND, key, record)
        rollout.start(cloud, record, operation)
    headers = operation_headers(cloud, operation)
    return json_response(show(cloud, record), 200 if before else 201, headers)


@arm_route(router, "PATCH", _ONE)
def patch_deployment(cloud: Cloud, request: Request) -> Response:
    """Change the tags or the number of instances of a deployment."""
    record = _existing(cloud, request)
    key = key_of(record["endpoint"], record["name"])
    _check_settled(key, record["name"])
    body = bodies.check(online_bodies.DEPLOYMENT_PATCH, request.json())

    def change(known: dict[str, Any]) -> None:
        known["tags"] = body.get("tags") or known["tags"]
        known["sku"].update(body.get("sku") or {})
        known["modified"] = cloud.timestamp()

    changed = cloud.store.update(KIND, key, change)
    operation = start_operation(cloud)
    finish_operation(cloud, operation)
    return json_response(show(cloud, changed), 200, operation_headers(cloud, operation))


@arm_route(router, "DELETE", _ONE)
def delete_deployment(cloud: Cloud, request: Request) -> Response:
    """End a deployment, which must take no traffic. 204 when there is none."""
    endpoint = existing_endpoint(cloud, request.params["endpoint"])
    record = cloud.store.get(KIND, key_of(endpoint["name"], request.params["deployment"]))
    if record is None:
        return Response(status=204)
    traffic = endpoint["properties"]["traffic"]
    if traffic.get(record["name"]):
        raise ServiceError(
            400,
            "UserError",
            f"The deployment '{record['name']}' takes {traffic[record['name']]} % of the traffic "
            f"of the endpoint '{endpoint['name']}'. Set that to 0 before deleting it.",
        )
    rollout.remove(cloud, record)
    rollout.forget_traffic(cloud, record)
    operation = start_operation(cloud)
    finish_operation(cloud, operation)
    return Response(status=202, headers=deletion_headers(cloud, operation))


@arm_route(router, "POST", _ONE + "/getLogs")
def get_logs(cloud: Cloud, request: Request) -> Response:
    """The end of the log of the newest revision; of the storage initializer: what was placed."""
    record = _existing(cloud, request)
    asked = bodies.check(online_bodies.LOGS, request.json_object())
    tail = int(asked.get("tail") or 100)
    if str(asked.get("containerType")).lower() == "storageinitializer":
        text = rollout.placed_text(cloud, record)
    else:
        text = rollout.log_text(cloud, record)
    return json_response({"content": "".join(text.splitlines(keepends=True)[-tail:])})


def _existing(cloud: Cloud, request: Request) -> dict[str, Any]:
    endpoint = existing_endpoint(cloud, request.params["endpoint"])
    name = request.params["deployment"]
    found = cloud.store.get(KIND, key_of(endpoint["name"], name))
    if found is None:
        raise missing(f"deployment {name} of endpoint {endpoint['name']}")
    return found


def _check_settled(key: str, name: str) -> None:
    if rollout.fleet.under_way(key):
        raise ServiceError(
            409,
            "Conflict",
            f"The deployment '{name}' is being created or updated. Wait for that to end, or delete "
            "it.",
        )


def _same_content(before: dict[str, Any], record: dict[str, Any]) -> bool:
    return all(
        before["properties"].get(field) == record["properties"].get(field) for field in _CONTENT
    )


def _check(cloud: Cloud, endpoint: dict[str, Any], name: str, properties: dict[str, Any]) -> None:
    """Everything that can be seen to be wrong without doing it. Raises ServiceError."""
    if sys.platform == "win32":
        raise ServiceError(
            501, "NotImplemented", "The local Azure serves models with gunicorn: not on Windows."
        )
    kind = "Kubernetes" if endpoint["properties"]["compute"] else "Managed"
    if properties["endpointComputeType"] != kind:
        raise ServiceError(
            400,
            "UserError",
            f"The deployment '{name}' is {properties['endpointComputeType']}, and the endpoint "
            f"'{endpoint['name']}' is {kind}.",
        )
    size = properties.get("instanceType")
    if kind == "Managed" and (not size or find_vm_size(size) is None):
        raise ServiceError(
            400, "UserError", f"The instance type '{size}' of '{name}' is not supported."
        )
    if properties["scaleSettings"]["scaleType"].lower() != "default" and kind == "Managed":
        raise ServiceError(
            400,
            "UserError",
            "A managed deployment has the scale type Default; use autoscale rules.",
        )
    if not properties["codeConfiguration"] and not properties["environmentId"]:
        rollout.mlflow_definition(cloud, properties["model"])
        return
    if not properties["environmentId"] or not (properties["codeConfiguration"] or {}).get("codeId"):
        raise ServiceError(
            501,
            "NotImplemented",
            f"Without code and an environment the deployment '{name}' would be an image of its "
            "own, which the local Azure cannot run. Give both, or an MLflow model and neither.",
        )
    rollout.code_folder(cloud, properties["codeConfiguration"]["codeId"])
    if properties["model"]:
        rollout.model_id(cloud, properties["model"])
    try:
        environments.definition(cloud, properties["environmentId"])
    except ServiceError as error:
        if error.code != "ImageBuildFailure":  # which is heard of when it is deployed
            raise
