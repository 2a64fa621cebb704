"""Azure Resource Manager: subscriptions, resource groups, the workspace, and service discovery.

Shapes: learn.microsoft.com/rest/api/resources and .../azureml/workspaces (api-version 2022-05-01).
"""

from __future__ import annotations

from typing import Any

from local.azure.azure import PROVIDER, Azure
from local.azure.web import (
    ARM_HOST,
    DATA_PLANE_HOST,
    Request,
    Response,
    Router,
    ServiceError,
    json_response,
)

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
def list_subscriptions(azure: Azure, _request: Request) -> Response:
    """The one subscription."""
    return json_response({"value": [_subscription(azure)]})


@router.route("GET", "/subscriptions/{subscription}")
def get_subscription(azure: Azure, request: Request) -> Response:
    """The subscription by id."""
    check_subscription(azure, request)
    return json_response(_subscription(azure))


@router.route("GET", "/subscriptions/{subscription}/resourceGroups")
def list_resource_groups(azure: Azure, request: Request) -> Response:
    """The one resource group."""
    check_subscription(azure, request)
    return json_response({"value": [_resource_group(azure)]})


@router.route("GET", "/subscriptions/{subscription}/resourceGroups/{group}")
def get_resource_group(azure: Azure, request: Request) -> Response:
    """The resource group by name."""
    check_subscription(azure, request)
    _check_group(azure, request)
    return json_response(_resource_group(azure))


@router.route(
    "GET",
    "/subscriptions/{subscription}/resourceGroups/{group}/providers/" + PROVIDER + "/workspaces",
)
def list_workspaces_of_group(azure: Azure, request: Request) -> Response:
    """The workspaces of the resource group."""
    check_subscription(azure, request)
    _check_group(azure, request)
    return json_response({"value": [_workspace(azure)]})


@router.route("GET", "/subscriptions/{subscription}/providers/" + PROVIDER + "/workspaces")
def list_workspaces(azure: Azure, request: Request) -> Response:
    """The workspaces of the subscription."""
    check_subscription(azure, request)
    return json_response({"value": [_workspace(azure)]})


@router.route("GET", "/subscriptions/{subscription}/resources")
@router.route("GET", "/subscriptions/{subscription}/resourceGroups/{group}/resources")
def list_resources(azure: Azure, request: Request) -> Response:
    """Resources of the type workspaces, which is how Workspace.list looks for them."""
    check_subscription(azure, request)
    if "group" in request.params:
        _check_group(azure, request)
    wanted = f"resourceType eq '{PROVIDER}/workspaces'"
    if request.query.get("$filter", "").lower() != wanted.lower():
        raise ServiceError(501, "NotImplemented", f"The local Azure lists resources by {wanted}.")
    return json_response({"value": [_workspace(azure)]})


@router.route("GET", "{workspace}")
def get_workspace(azure: Azure, _request: Request) -> Response:
    """The workspace."""
    return json_response(_workspace(azure))


@router.route(
    "GET", "/discovery/workspaces/{workspace_id}", authenticated=False, host=DATA_PLANE_HOST
)
def discover_services(azure: Azure, request: Request) -> Response:
    """Base URLs of Azure ML's services; asked without a token, as `discoveryUrl` says."""
    if request.params["workspace_id"] != azure.workspace_id:
        raise ServiceError(404, "WorkspaceNotFound", "There is no workspace with this id.")
    return json_response(dict.fromkeys(_SERVICES, azure.base_url))


def check_subscription(azure: Azure, request: Request) -> None:
    """Raises ServiceError 404 for another subscription than the one there is."""
    asked = request.params["subscription"]
    if asked.lower() != azure.subscription_id:
        raise ServiceError(
            404, "SubscriptionNotFound", f"The subscription '{asked}' could not be found."
        )


def _check_group(azure: Azure, request: Request) -> None:
    asked = request.params["group"]
    if asked.lower() != azure.resource_group.lower():
        raise ServiceError(
            404, "ResourceGroupNotFound", f"Resource group '{asked}' could not be found."
        )


def _subscription(azure: Azure) -> dict[str, Any]:
    return {
        "id": f"/subscriptions/{azure.subscription_id}",
        "subscriptionId": azure.subscription_id,
        "displayName": "Local Azure",
        "tenantId": azure.tenant_id,
        "state": "Enabled",
    }


def _resource_group(azure: Azure) -> dict[str, Any]:
    return {
        "id": f"/subscriptions/{azure.subscription_id}/resourceGroups/{azure.resource_group}",
        "name": azure.resource_group,
        "type": "Microsoft.Resources/resourceGroups",
        "location": azure.location,
        "tags": {},
        "properties": {"provisioningState": "Succeeded"},
    }


def _workspace(azure: Azure) -> dict[str, Any]:
    group = f"/subscriptions/{azure.subscription_id}/resourceGroups/{azure.resource_group}"
    return {
        "id": azure.workspace_scope,
        "name": azure.workspace_name,
        "type": f"{PROVIDER}/workspaces",
        "location": azure.location,
        "tags": {},
        "kind": "Default",
        "sku": {"name": "Basic", "tier": "Basic"},
        "identity": {
            "type": "SystemAssigned",
            "principalId": azure.object_id,
            "tenantId": azure.tenant_id,
        },
        "properties": {
            "workspaceId": azure.workspace_id,
            "friendlyName": azure.workspace_name,
            "description": "A workspace of the local Azure.",
            "creationTime": CREATION_TIME,
            "provisioningState": "Succeeded",
            "storageAccount": (
                f"{group}/providers/Microsoft.Storage/storageAccounts/{azure.storage_account}"
            ),
            "keyVault": f"{group}/providers/Microsoft.KeyVault/vaults/kv-local",
            "applicationInsights": f"{group}/providers/Microsoft.Insights/components/ai-local",
            "containerRegistry": None,
            "mlFlowTrackingUri": azure.mlflow_tracking_uri,
            "publicNetworkAccess": "Enabled",
            "v1LegacyMode": False,
            "tenantId": azure.tenant_id,
            "discoveryUrl": f"{azure.base_url}/discovery/workspaces/{azure.workspace_id}",
            "hbiWorkspace": False,
        },
    }
