"""Azure Resource Manager: subscriptions, resource groups, the workspace, and service discovery.

Shapes: learn.microsoft.com/rest/api/resources and .../azureml/workspaces (api-version 2022-05-01).
"""

from __future__ import annotations

from typing import Any

from local.azure.kernel.cloud import PROVIDER, Cloud
from local.azure.kernel.http import Request, Response, ServiceError, json_response
from local.azure.kernel.web import ARM_HOST, DATA_PLANE_HOST, Router

# What azureml-core looks up by name; here all of them answer under one base URL.
_SERVICES = (
    "api",
    "catalog",
    "execution",
    "experimentation",
    "history",
    "hyperdrive",
    "inference",
    "metrics",
    "mlflow",
    "modelmanagement",
    "notebooks",
    "pipelines",
    "studio",
)

CREATION_TIME = "2026-01-01T00:00:00.0000000Z"

router = Router(host=ARM_HOST)


@router.route("GET", "/subscriptions")
def list_subscriptions(cloud: Cloud, _request: Request) -> Response:
    """The one subscription."""
    return json_response({"value": [_subscription(cloud)]})


@router.route("GET", "/subscriptions/{subscription}")
def get_subscription(cloud: Cloud, request: Request) -> Response:
    """The subscription by id."""
    check_subscription(cloud, request)
    return json_response(_subscription(cloud))


@router.route("GET", "/subscriptions/{subscription}/resourceGroups")
def list_resource_groups(cloud: Cloud, request: Request) -> Response:
    """The one resource group."""
    check_subscription(cloud, request)
    return json_response({"value": [_resource_group(cloud)]})


@router.route("GET", "/subscriptions/{subscription}/resourceGroups/{group}")
def get_resource_group(cloud: Cloud, request: Request) -> Response:
    """The resource group by name."""
    check_subscription(cloud, request)
    _check_group(cloud, request)
    return json_response(_resource_group(cloud))


@router.route(
    "GET",
    "/subscriptions/{subscription}/resourceGroups/{group}/providers/" + PROVIDER + "/workspaces",
)
def list_workspaces_of_group(cloud: Cloud, request: Request) -> Response:
    """The workspaces of the resource group."""
    check_subscription(cloud, request)
    _check_group(cloud, request)
    return json_response({"value": [_workspace(cloud)]})


@router.route("GET", "/subscriptions/{subscription}/providers/" + PROVIDER + "/workspaces")
def list_workspaces(cloud: Cloud, request: Request) -> Response:
    """The workspaces of the subscription."""
    check_subscription(cloud, request)
    return json_response({"value": [_workspace(cloud)]})


@router.route("GET", "/subscriptions/{subscription}/resources")
@router.route("GET", "/subscriptions/{subscription}/resourceGroups/{group}/resources")
def list_resources(cloud: Cloud, request: Request) -> Response:
    """Resources of the type workspaces, which is how Workspace.list looks for them."""
    check_subscription(cloud, request)
    if "group" in request.params:
        _check_group(cloud, request)
    wanted = f"resourceType eq '{PROVIDER}/workspaces'"
    if request.query.get("$filter", "").lower() != wanted.lower():
        raise ServiceError(501, "NotImplemented", f"The local Azure lists resources by {wanted}.")
    return json_response({"value": [_workspace(cloud)]})


@router.route("GET", "{workspace}")
def get_workspace(cloud: Cloud, _request: Request) -> Response:
    """The workspace."""
    return json_response(_workspace(cloud))


@router.route(
    "GET", "/discovery/workspaces/{workspace_id}", authenticated=False, host=DATA_PLANE_HOST
)
def discover_services(cloud: Cloud, request: Request) -> Response:
    """Base URLs of Azure ML's services; asked without a token, as `discoveryUrl` says."""
    if request.params["workspace_id"] != cloud.workspace_id:
        raise ServiceError(404, "WorkspaceNotFound", "There is no workspace with this id.")
    return json_response(dict.fromkeys(_SERVICES, cloud.base_url))


def check_subscription(cloud: Cloud, request: Request) -> None:
    """Raises ServiceError 404 for another subscription than the one there is."""
    asked = request.params["subscription"]
    if asked.lower() != cloud.subscription_id:
        raise ServiceError(
            404, "SubscriptionNotFound", f"The subscription '{asked}' could not be found."
        )


def _check_group(cloud: Cloud, request: Request) -> None:
    asked = request.params["group"]
    if asked.lower() != cloud.resource_group.lower():
        raise ServiceError(
            404, "ResourceGroupNotFound", f"Resource group '{asked}' could not be found."
        )


def _subscription(cloud: Cloud) -> dict[str, Any]:
    return {
        "id": f"/subscriptions/{cloud.subscription_id}",
        "subscriptionId": cloud.subscription_id,
        "displayName": "Local Azure",
        "tenantId": cloud.tenant_id,
        "state": "Enabled",
    }


def _resource_group(cloud: Cloud) -> dict[str, Any]:
    return {
        "id": f"/subscriptions/{cloud.subscription_id}/resourceGroups/{cloud.resource_group}",
        "name": cloud.resource_group,
        "type": "Microsoft.Resources/resourceGroups",
        "location": cloud.location,
        "tags": {},
        "properties": {"provisioningState": "Succeeded"},
    }


def _workspace(cloud: Cloud) -> dict[str, Any]:
    group = f"/subscriptions/{cloud.subscription_id}/resourceGroups/{cloud.resource_group}"
    return {
        "id": cloud.workspace_scope,
        "name": cloud.workspace_name,
        "type": f"{PROVIDER}/workspaces",
        "location": cloud.location,
        "tags": {},
        "kind": "Default",
        "sku": {"name": "Basic", "tier": "Basic"},
        "identity": {
            "type": "SystemAssigned",
            "principalId": cloud.object_id,
            "tenantId": cloud.tenant_id,
        },
        "properties": {
            "workspaceId": cloud.workspace_id,
            "friendlyName": cloud.workspace_name,
            "description": "A workspace of the local Azure.",
            "creationTime": CREATION_TIME,
            "provisioningState": "Succeeded",
            "storageAccount": (
                f"{group}/providers/Microsoft.Storage/storageAccounts/{cloud.storage_account}"
            ),
            "keyVault": f"{group}/providers/Microsoft.KeyVault/vaults/kv-local",
            "applicationInsights": f"{group}/providers/Microsoft.Insights/components/ai-local",
            "containerRegistry": None,
            "mlFlowTrackingUri": cloud.mlflow_tracking_uri,
            "publicNetworkAccess": "Enabled",
            "v1LegacyMode": False,
            "tenantId": cloud.tenant_id,
            "discoveryUrl": f"{cloud.base_url}/discovery/workspaces/{cloud.workspace_id}",
            "hbiWorkspace": False,
        },
    }
