"""What a subscription can choose from: providers, regions, the VM sizes of one and their quota.

Shapes: learn.microsoft.com/rest/api/resources/subscriptions/list-locations (2022-12-01) and
.../rest/api/compute/virtual-machine-sizes/list (2024-07-01), .../rest/api/resources/providers/get
(2021-04-01), .../rest/api/azureml/usages/list (2024-10-01).
"""

from __future__ import annotations

from local.azure.kernel.cloud import PROVIDER, Cloud
from local.azure.kernel.http import Request, Response, ServiceError, json_response
from local.azure.kernel.web import ARM_HOST, Router
from local.azure.resources.arm import check_subscription
from local.azure.resources.regions import REGIONS, VM_SIZES

router = Router(host=ARM_HOST)

_PROVIDERS = (
    PROVIDER,
    "Microsoft.ContainerRegistry",
    "Microsoft.ContainerService",
    "Microsoft.Insights",
    "Microsoft.KeyVault",
    "Microsoft.Storage",
)
# What a new subscription has is decided by Microsoft; here there is room.
_DEFAULT_CORES = 100
# Places that are no data centres: there to be left out by who looks for regions.
_LOGICAL = {"europe": "Europe", "global": "Global", "unitedstates": "United States"}


@router.route("GET", "/subscriptions/{subscription}/locations")
def list_locations(cloud: Cloud, request: Request) -> Response:
    """All locations, physical and logical."""
    check_subscription(cloud, request)
    _check_api_version(request, "2022-12-01")
    return json_response(
        {
            "value": [
                {
                    "id": f"/subscriptions/{cloud.subscription_id}/locations/{name}",
                    "name": name,
                    "type": "Region",
                    "displayName": shown,
                    "regionalDisplayName": shown,
                    "metadata": {"regionType": kind, "regionCategory": "Other"},
                }
                for kind, names in (("Physical", REGIONS), ("Logical", _LOGICAL))
                for name, shown in names.items()
            ]
        }
    )


@router.route(
    "GET",
    "/subscriptions/{subscription}/providers/Microsoft.Compute/locations/{location}/vmSizes",
)
def list_vm_sizes(cloud: Cloud, request: Request) -> Response:
    """The sizes of virtual machines, and so of the nodes of an AKS cluster."""
    check_subscription(cloud, request)
    _check_api_version(request, "2024-07-01")
    location = request.params["location"]
    if location.lower() not in REGIONS:
        raise ServiceError(
            404, "NoRegisteredProviderFound", f"There is no location '{location}' for vmSizes."
        )
    return json_response(
        {
            "value": [
                {
                    "name": size.name,
                    "numberOfCores": size.cpus,
                    "osDiskSizeInMB": 1047552,
                    "resourceDiskSizeInMB": size.disk_mb,
                    "memoryInMB": int(size.memory_gb * 1024),
                    "maxDataDiskCount": size.cpus * 2,
                }
                for size in VM_SIZES.values()
            ]
        }
    )


@router.route("GET", "/subscriptions/{subscription}/providers/{namespace}")
def get_provider(cloud: Cloud, request: Request) -> Response:
    """A resource provider; all that the workspace is made of are registered."""
    check_subscription(cloud, request)
    _check_api_version(request, "2021-04-01")
    namespace = request.params["namespace"]
    if namespace.lower() not in {one.lower() for one in _PROVIDERS}:
        raise ServiceError(
            404, "InvalidResourceNamespace", f"The resource namespace '{namespace}' is invalid."
        )
    return json_response(
        {
            "id": f"/subscriptions/{cloud.subscription_id}/providers/{namespace}",
            "namespace": namespace,
            "registrationState": "Registered",
        }
    )


@router.route(
    "GET", f"/subscriptions/{{subscription}}/providers/{PROVIDER}/locations/{{location}}/usages"
)
def list_usages(cloud: Cloud, request: Request) -> Response:
    """The cores that clusters of each VM family may have: as many as the fault `quota` says."""
    check_subscription(cloud, request)
    _check_api_version(request, "2024-10-01")
    limit = _DEFAULT_CORES if cloud.faults.quota is None else cloud.faults.quota
    return json_response(
        {
            "value": [
                {
                    "id": f"/subscriptions/{cloud.subscription_id}/providers/{PROVIDER}/locations/"
                    f"{request.params['location']}/usages/{family}",
                    "type": f"{PROVIDER}/vmFamily/usages",
                    "unit": "Count",
                    "currentValue": 0,
                    "limit": limit,
                    "name": {"value": family, "localizedValue": family},
                }
                for family in sorted({size.family for size in VM_SIZES.values()})
            ]
        }
    )


def _check_api_version(request: Request, known: str) -> None:
    asked = request.query.get("api-version")
    if asked != known:
        raise ServiceError(
            501, "NotImplemented", f"The local Azure knows api-version {known} here, not {asked}."
        )
