"""Azure Resource Manager: subscriptions, resource groups, the workspace, and service discovery.

Shapes: learn.microsoft.com/rest/api/resources and .../azureml/workspaces (api-version 2022-05-01).
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from datetime import datetime, timezone

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

CREATION_TIME = datetime(2026, 1, 1, tzinfo=timezone.utc)
# What a region tells without a workspace.
_REGIONAL_SERVICES = (
    *("api", "catalog", "experimentation", "history", "hyperdrive", "labeling"),
    *("modelmanagement", "pipelines"),
)
_CREATED = "2026-01-01T00:00:00.0000000Z"

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
    return json_response({"value": [_workspace(each) for each in cloud.workspaces]})


@router.route("GET", "/subscriptions/{subscription}/providers/" + PROVIDER + "/workspaces")
def list_workspaces(cloud: Cloud, request: Request) -> Response:
    """The workspaces of the subscription."""
    check_subscription(cloud, request)
    return json_response({"value": [_workspace(each) for each in cloud.workspaces]})


@router.route("GET", "/subscriptions/{subscription}/resources", query=("$filter",))
@router.route(
    "GET", "/subscriptions/{subscription}/resourceGroups/{group}/resources", query=("$filter",)
)
def list_resources(cloud: Cloud, request: Request) -> Response:
    """Resources of the type workspaces, which is how Workspace.list looks for them."""
    check_subscription(cloud, request)
    if "group" in request.params:
        _check_group(cloud, request)
    wanted = f"resourceType eq '{PROVIDER}/workspaces'"
    if request.query.get("$filter", "").lower() != wanted.lower():
        raise ServiceError(501, "NotImplemented", f"The local Azure lists resources by {wanted}.")
    return json_response({"value": [_workspace(each) for each in cloud.workspaces]})


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


@router.route("GET", "/discovery", authenticated=False, host=DATA_PLANE_HOST, query=())
def discover(cloud: Cloud, _request: Request) -> Response:
    """Base URLs of the services of a region, whatever the workspace."""
    return json_response(
        {
            **dict.fromkeys(_REGIONAL_SERVICES, cloud.base_url),
            "studio": "https://ml.azure.com",
        }
    )


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


def _subscription(cloud: Cloud) -> Mapping[str, object]:
    return {
        "id": f"/subscriptions/{cloud.subscription_id}",
        "subscriptionId": cloud.subscription_id,
        "displayName": "Local Azure",
        "tenantId": cloud.tenant_id,
        "state": "Enabled",
    }


def _resource_group(cloud: Cloud) -> Mapping[str, object]:
    return {
        "id": f"/subscriptions/{cloud.subscription_id}/resourceGroups/{cloud.resource_group}",
        "name": cloud.resource_group,
        "type": "Microsoft.Resources/resourceGroups",
        "location": cloud.location,
        "tags": {},
        "properties": {"provisioningState": "Succeeded"},
    }


def _workspace(cloud: Cloud) -> Mapping[str, object]:
    group = f"/subscriptions/{cloud.subscription_id}/resourceGroups/{cloud.resource_group}"
    return {
        "id": cloud.workspace_scope,
        "name": cloud.workspace_name,
        "type": f"{PROVIDER}/workspaces",
        "location": cloud.location,
        "tags": {},
        "etag": None,
        "kind": "Default",
        "sku": {"name": "Basic", "tier": "Basic"},
        "identity": {
            "type": "SystemAssigned",
            "principalId": cloud.object_id,
            "tenantId": cloud.tenant_id,
        },
        "properties": _properties(cloud, group),
        "systemData": {
            "createdAt": _CREATED,
            "createdBy": cloud.client_id,
            "createdByType": "Application",
            "lastModifiedAt": _CREATED,
            "lastModifiedBy": cloud.client_id,
            "lastModifiedByType": "Application",
        },
    }


def _properties(cloud: Cloud, group: str) -> Mapping[str, object]:
    """What is known of the workspace, as the previews of 2024-10 show it."""
    provider = f"{group}/providers"
    short = cloud.workspace_id.replace("-", "")
    return {
        "workspaceId": cloud.workspace_id,
        "friendlyName": cloud.workspace_name,
        "description": "A workspace of the local Azure.",
        "creationTime": _CREATED,
        "provisioningState": "Succeeded",
        "storageAccount": (f"{provider}/Microsoft.Storage/storageAccounts/{cloud.storage_account}"),
        "keyVault": f"{provider}/Microsoft.KeyVault/vaults/kv-local",
        "applicationInsights": f"{provider}/Microsoft.Insights/components/ai-local",
        "containerRegistry": f"{provider}/Microsoft.ContainerRegistry/registries/{short}",
        "mlFlowTrackingUri": cloud.mlflow_tracking_uri,
        "publicNetworkAccess": "Enabled",
        "v1LegacyMode": False,
        "tenantId": cloud.tenant_id,
        "discoveryUrl": f"{cloud.base_url}/discovery",
        "hbiWorkspace": False,
        "imageBuildCompute": None,
        "managedNetwork": {
            "changeableIsolationModes": ["AllowInternetOutbound", "AllowOnlyApprovedOutbound"],
            "isolationMode": "Disabled",
            "enableNetworkMonitor": False,
            "enableFirewallLog": False,
        },
        "allowRoleAssignmentOnRG": False,
        "softDeleteEnabled": False,
        "notebookInfo": {
            "resourceId": short,
            "fqdn": f"ml-{cloud.workspace_name}-{cloud.location}-{cloud.workspace_id}"
            f".{cloud.location}.notebooks.azure.net",
            "isPrivateLinkEnabled": False,
            "notebookPreparationError": None,
        },
        "storageHnsEnabled": False,
        "linkedModelInventoryArmId": None,
        "privateLinkCount": 0,
        "ipAllowlist": [],
        "networkAcls": {
            "defaultAction": "Allow",
            "bypass": "AzureServices",
            "ipRules": [],
            "resourceAccessRules": [],
        },
        "serverlessComputeSettings": None,
        "EnableSoftwareBillOfMaterials": False,
        "sdkTelemetryAppInsightsKey": str(uuid.uuid5(uuid.UUID(cloud.workspace_id), "telemetry")),
        "enableDataIsolation": False,
        "systemDatastoresAuthMode": "accesskey",
        "enableServiceSideCMKEncryption": False,
    }
