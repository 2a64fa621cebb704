"""Deployments of online endpoints: create, update, scale, logs, delete.

Shapes: Microsoft.MachineLearningServices 2024-10-01, onlineEndpoints/deployments. What brings one
up is in online_rollout.py.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import cast

from local.azure.kernel import bodies
from local.azure.kernel.cloud import Cloud
from local.azure.kernel.http import Request, Response, ServiceError, json_response
from local.azure.v2 import operations
from local.azure.v2.online import bodies as online_bodies
from local.azure.v2.online import records, rollout
from local.azure.v2.online.checks import check_deployment, check_name
from local.azure.v2.online.deployment_records import (
    Deployment,
    Progress,
    Properties,
    Sku,
    deployments_of,
    keep,
    key_of,
    record_of,
    state_of,
)
from local.azure.v2.resources import (
    PAGED,
    arm_route,
    front_end_router,
    page,
    parse_asset_id,
    put_response,
    view,
)

router = front_end_router()
_ALL = "onlineEndpoints/{endpoint}/deployments"
_ONE = _ALL + "/{deployment}"

# What a new process is needed for; anything else changes in place.
_CONTENT = (
    *("model", "environmentId", "codeConfiguration", "environmentVariables", "instanceType"),
    "dataCollector",
)


@router.at_start
def start_again(cloud: Cloud) -> None:
    """Start the deployments that were in service when the server ended."""
    rollout.start_again(cloud)


@router.at_stop
def stop(cloud: Cloud) -> None:
    """End all deployments."""
    rollout.fleet.stop_all(cloud)


def show(cloud: Cloud, record: Deployment) -> Mapping[str, object]:
    """A deployment as Resource Manager shows it."""
    tail = f"onlineEndpoints/{record['endpoint']}/deployments/{record['name']}"
    state = state_of(record)
    properties: dict[str, object] = {
        **record["properties"],
        "properties": {
            **record["properties"]["properties"],
            "AzureAsyncOperationUri": record["status_url"],
        },
        "provisioningState": state,
    }
    if state == "Succeeded":
        properties["environmentVariables"] = {
            **_own_variables(record["properties"]),
            **record["properties"]["environmentVariables"],
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
        **({"identity": record["identity"]} if record["identity"] else {}),
        "sku": record["sku"],
    }


def _own_variables(properties: Properties) -> dict[str, str]:
    """The variables that the service itself gives to a container."""
    variables = {}
    if properties["model"]:
        name, version, _ = parse_asset_id(properties["model"], "models")
        variables["AZUREML_MODEL_DIR"] = f"/var/azureml-app/azureml-models/{name}/{version}"
    code = properties["codeConfiguration"]
    if code:
        variables["AZUREML_ENTRY_SCRIPT"] = code["scoringScript"]
        variables["AML_APP_ROOT"] = f"/var/azureml-app/{parse_asset_id(code['codeId'], 'codes')[0]}"
    return variables


@arm_route(router, "GET", _ALL, query=("$orderBy", *PAGED))
def list_all(cloud: Cloud, request: Request) -> Response:
    """The deployments of an endpoint."""
    endpoint = records.existing(cloud, request.params["endpoint"])
    found = deployments_of(cloud, endpoint["name"])
    return page(request, [show(cloud, one) for one in found])


@arm_route(router, "GET", _ONE)
def show_deployment(cloud: Cloud, request: Request) -> Response:
    """A deployment."""
    return json_response(show(cloud, _existing(cloud, request)))


@arm_route(router, "PUT", _ONE)
def put_deployment(cloud: Cloud, request: Request) -> Response:
    """Create or change a deployment; what changes its content is rolled out beside the old one."""
    endpoint = records.existing(cloud, request.params["endpoint"])
    records.check_settled(endpoint, "Updating")
    name = request.params["deployment"]
    body = bodies.check(online_bodies.DEPLOYMENT, request.json())
    properties = _without_own(online_bodies.filled(body["properties"]))
    before = record_of(cloud, endpoint["name"], name)
    if before is None:
        check_name(name, "deployment")
    else:
        _check_settled(before)
    check_deployment(cloud, endpoint, name, properties)
    now = cloud.ml_timestamp()
    record: Deployment = {
        **_at_rest(),
        "endpoint": endpoint["name"],
        "name": before["name"] if before else name,
        "location": body.get("location") or cloud.location,
        "tags": body.get("tags") or {},
        "identity": body.get("identity"),
        "kind": properties["endpointComputeType"],
        "sku": _sku(body.get("sku")),
        "properties": properties,
        "error": None,
        "revision": before["revision"] if before else None,
        "created": before["created"] if before else now,
        "modified": now,
    }
    operation = _carry_out(cloud, request, before, record)
    headers = operations.status_headers(cloud, request, operation)
    return put_response(request, show(cloud, record), new=before is None, headers=headers)


def _carry_out(cloud: Cloud, request: Request, before: Deployment | None, now: Deployment) -> str:
    """Begin a change, with a new process where that is needed; returns the operation."""
    if before and before["state"] == "Succeeded" and _same_content(before, now):
        return _keep_in_place(cloud, request, now)
    return _roll_out(cloud, request, now, is_new=before is None)


def _at_rest() -> Progress:
    return {"state": "Succeeded", "until": None, "operation": "", "status_url": ""}


def _keep_in_place(cloud: Cloud, request: Request, record: Deployment) -> str:
    """Keep a change that needs no new process; returns the operation."""
    lasts_s = records.UPDATING_S
    operation = operations.start(cloud, operations.DEPLOYMENT, running="Updating", lasts_s=lasts_s)
    record["state"], record["until"] = "Succeeded", time.time() + lasts_s
    record["operation"] = operation
    record["status_url"] = operations.status_url(cloud, request, operation)
    keep(cloud, record)
    return operation


def _roll_out(cloud: Cloud, request: Request, record: Deployment, *, is_new: bool) -> str:
    """Bring a new process up in the background; returns the operation."""
    state = "Creating" if is_new else "Updating"
    operation = operations.start(cloud, operations.DEPLOYMENT, running=state)
    record["state"], record["until"] = state, None
    record["operation"] = operation
    record["status_url"] = operations.status_url(cloud, request, operation)
    keep(cloud, record)
    rollout.start(cloud, record, operation)
    return operation


def _without_own(properties: Properties) -> Properties:
    """Without what the service adds: clients send back what they were shown."""
    shown = {"AZUREML_MODEL_DIR", "AZUREML_ENTRY_SCRIPT", "AML_APP_ROOT"}
    variables = properties["environmentVariables"]
    given = properties["properties"]
    return {
        **properties,
        "environmentVariables": {
            name: value
            for name, value in variables.items()
            if name not in shown or not str(value).startswith("/var/azureml-app")
            if name != "AZUREML_ENTRY_SCRIPT"
        },
        "properties": {
            name: value for name, value in given.items() if name != "AzureAsyncOperationUri"
        },
    }


def _sku(asked: Sku | None) -> Sku:
    given = {name: value for name, value in (asked or {}).items() if value is not None}
    return {"name": "Default", "tier": "Standard", "capacity": 1, **cast("Sku", given)}


@arm_route(router, "PATCH", _ONE)
def patch_deployment(cloud: Cloud, request: Request) -> Response:
    """Change the tags, the number of instances or members of the properties of a deployment."""
    record = _existing(cloud, request)
    _check_settled(record)
    body = bodies.check(online_bodies.DEPLOYMENT_PATCH, request.json())
    records.check_location(record["location"], body.get("location"))
    properties = record["properties"]
    if body.get("properties"):
        given = {name: value for name, value in body["properties"].items() if value is not None}
        properties = _without_own(online_bodies.filled({**properties, **given}))
        endpoint = records.existing(cloud, record["endpoint"])
        check_deployment(cloud, endpoint, record["name"], properties)
    changed: Deployment = {
        **record,
        "properties": properties,
        "tags": record["tags"] if body.get("tags") is None else body["tags"],
        "sku": {**record["sku"], **(body.get("sku") or {})},
        "modified": cloud.ml_timestamp(),
    }
    operation = _carry_out(cloud, request, record, changed)
    headers = operations.deletion_headers(cloud, request, operation)
    return json_response(show(cloud, changed), 202, headers)


@arm_route(router, "DELETE", _ONE)
def delete_deployment(cloud: Cloud, request: Request) -> Response:
    """End a deployment, which must take no traffic. 204 when there is none."""
    endpoint = records.existing(cloud, request.params["endpoint"])
    record = record_of(cloud, endpoint["name"], request.params["deployment"])
    if record is None:
        return Response(status=204)
    if records.traffic_of(endpoint)["traffic"].get(record["name"]):
        records.check_settled(endpoint)
    traffic = endpoint["properties"]["traffic"]
    if traffic.get(record["name"]):
        raise ServiceError(
            400,
            "UserError",
            f"The deployment '{record['name']}' takes {traffic[record['name']]} % of the traffic "
            f"of the endpoint '{endpoint['name']}'. Set that to 0 before deleting it.",
        )
    rollout.remove(cloud, record, lasts_s=records.DELETING_S)
    rollout.forget_traffic(cloud, record)
    operation = operations.start(
        cloud, operations.DEPLOYMENT, running="Deleting", lasts_s=records.DELETING_S
    )
    headers = operations.deletion_headers(cloud, request, operation)
    return Response(status=202, headers={**headers, "content-length": "0"})


@arm_route(router, "GET", _ONE + "/skus", query=PAGED)
def list_skus(cloud: Cloud, request: Request) -> Response:
    """How many instances a deployment may have."""
    record = _existing(cloud, request)
    offered = {
        "resourceType": "Microsoft.MachineLearning.Services/endpoints/deployments",
        "sku": {"name": "default", "tier": "Standard"},
        "capacity": {
            "minimum": 1,
            "maximum": 50,
            "default": record["sku"].get("capacity"),
            "scaleType": "Automatic",
        },
    }
    return page(request, [offered])


@arm_route(router, "POST", _ONE + "/getLogs")
def get_logs(cloud: Cloud, request: Request) -> Response:
    """The end of the log of the newest revision; of the storage initializer: what was placed."""
    record = _existing(cloud, request)
    asked = bodies.check(online_bodies.LOGS, request.json_object())
    tail = int(asked.get("tail") or 100)
    if str(asked.get("containerType")).lower() != "storageinitializer":
        return json_response({"content": rollout.log_text(cloud, record, lines=tail)})
    placed = rollout.placed_text(cloud, record).splitlines(keepends=True)
    return json_response({"content": "".join(placed[-tail:])})


def _existing(cloud: Cloud, request: Request) -> Deployment:
    endpoint = records.existing(cloud, request.params["endpoint"])
    name = request.params["deployment"]
    found = record_of(cloud, endpoint["name"], name)
    if found is None:
        raise ServiceError(
            404,
            "UserError",
            f"A deployment with the name '{name}' does not exist in the endpoint "
            f"'{endpoint['name']}'.",
            inner=("NotFound", "DeploymentNotFound"),
        )
    return found


def _check_settled(record: Deployment) -> None:
    key = key_of(record["endpoint"], record["name"])
    state = state_of(record)
    if rollout.fleet.under_way(key) or state in ("Updating", "Deleting"):
        raise ServiceError(
            409,
            "Conflict",
            f"The deployment '{record['name']}' is {state}. Wait for the end of its operation, "
            "then try again.",
        )


def _same_content(before: Deployment, record: Deployment) -> bool:
    return all(
        before["properties"].get(field) == record["properties"].get(field) for field in _CONTENT
    )
