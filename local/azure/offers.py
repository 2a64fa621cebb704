"""What a subscription can choose from: regions, and the VM sizes of one.

Shapes: learn.microsoft.com/rest/api/resources/subscriptions/list-locations (2022-12-01) and
.../rest/api/compute/virtual-machine-sizes/list (2024-07-01).
"""

from __future__ import annotations

from local.azure.arm import check_subscription
from local.azure.azure import Azure
from local.azure.regions import REGIONS, VM_SIZES
from local.azure.web import ARM_HOST, Request, Response, Router, ServiceError, json_response

router = Router(host=ARM_HOST)

# Places that are no data centres: there to be left out by who looks for regions.
_LOGICAL = {"europe": "Europe", "global": "Global", "unitedstates": "United States"}


@router.route("GET", "/subscriptions/{subscription}/locations")
def list_locations(azure: Azure, request: Request) -> Response:
    """All locations, physical and logical."""
    check_subscription(azure, request)
    _check_api_version(request, "2022-12-01")
    return json_response(
        {
            "value": [
                {
                    "id": f"/subscriptions/{azure.subscription_id}/locations/{name}",
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
def list_vm_sizes(azure: Azure, request: Request) -> Response:
    """The sizes of virtual machines, and so of the nodes of an AKS cluster."""
    check_subscription(azure, request)
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


def _check_api_version(request: Request, known: str) -> None:
    asked = request.query.get("api-version")
    if asked != known:
        raise ServiceError(
            501, "NotImplemented", f"The local Azure knows api-version {known} here, not {asked}."
        )
