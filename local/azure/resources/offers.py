"""What a subscription can choose from: providers, regions, the VM sizes of one and their quota.

Shapes: learn.microsoft.com/rest/api/resources/subscriptions/list-locations (2022-12-01) and
.../rest/api/compute/virtual-machine-sizes/list (2024-07-01), .../rest/api/resources/providers/get
(2021-04-01), .../rest/api/azureml/usages/list and
.../quotas/list (2024-04-01).
"""

from __future__ import annotations

from collections.abc import Mapping

from local.azure.kernel import fields
from local.azure.kernel.cloud import PROVIDER, Cloud
from local.azure.kernel.http import Request, Response, ServiceError, json_response
from local.azure.kernel.web import ARM_HOST, Router
from local.azure.resources.arm import check_subscription
from local.azure.resources.compute_records import every_compute
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
# A fault for some families is none of all of them.
_ALL = ""
_SYSTEM_DISK_MB = 1047552
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
                    "osDiskSizeInMB": _SYSTEM_DISK_MB,
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


_LOCATION = f"/subscriptions/{{subscription}}/providers/{PROVIDER}/locations/{{location}}"


@router.route("GET", _LOCATION + "/vmSizes", query=("compute-type", "recommended"))
def list_cluster_sizes(cloud: Cloud, request: Request) -> Response:
    """The VM sizes that a cluster may have. Prices are not known here."""
    check_subscription(cloud, request)
    sizes = [
        {
            "name": size.name,
            "family": size.family,
            "vCPUs": size.cpus,
            "gpus": size.gpus,
            "osVhdSizeMB": _SYSTEM_DISK_MB,
            "maxResourceVolumeMB": size.disk_mb,
            "memoryGB": size.memory_gb,
            "lowPriorityCapable": True,
            "premiumIO": "s" in size.name.split("_")[1][1:].lower(),
            "estimatedVMPrices": {
                "billingCurrency": "USD",
                "unitOfMeasure": "OneHour",
                "values": [],
            },
            "supportedComputeTypes": ["AmlCompute", "ComputeInstance"],
            "generation": "V1",
            "supportsIB": False,
        }
        for size in VM_SIZES.values()
    ]
    if request.query.get("api-version", "") < "2022":  # azureml-core reads another member
        return json_response({"amlCompute": sizes})
    return json_response({"value": sizes})


@router.route("GET", _LOCATION + "/usages", query=())
def list_usages(cloud: Cloud, request: Request) -> Response:
    """The clusters there are, and the cores that those of each VM family may have.

    As many as the fault `quota` says; without one those of low priority are not limited (-1).
    """
    check_subscription(cloud, request)
    scope = f"/subscriptions/{cloud.subscription_id}"
    clusters = len(every_compute(cloud))
    entries = [
        _usage("totalClusters", scope, "TotalClusters", "Total Clusters", clusters, 200),
        _usage(
            "totalDedicatedCores",
            scope,
            "TotalDedicatedCores",
            "Total Cluster Dedicated Regional vCPUs",
            0,
            _cores(cloud, _ALL),
        ),
        _usage(
            "totalLowPriorityCores",
            scope,
            "TotalLowPriorityCores",
            "Total Cluster LowPriority Regional vCPUs",
            0,
            _cores(cloud, _ALL, low_priority=True),
        ),
    ]
    for priority in ("Dedicated", "LowPriority"):
        kind = f"vmFamily/{priority[0].lower()}{priority[1:]}Cores"
        for family in _families():
            name = f"{family} Cluster {priority} vCPUs"
            most = _cores(cloud, family, low_priority=priority == "LowPriority")
            entries.append(_usage(kind, f"{scope}/usages/{family}", family, name, 0, most))
    return json_response({"value": entries})


def _cores(cloud: Cloud, family: str, *, low_priority: bool = False) -> int:
    """The cores that clusters of a family may have; -1 for no limit."""
    found = cloud.faults.quota(family, low_priority=low_priority)
    usual = -1 if low_priority else _DEFAULT_CORES
    return usual if found is None else found


def _usage(
    kind: str, resource_id: str, name: str, shown: str, used: int, limit: int
) -> Mapping[str, object]:
    return {
        "unit": "Count",
        "currentValue": used,
        "limit": limit,
        "name": {"value": name, "localizedValue": shown},
        "type": f"{PROVIDER}/{kind}/usages",
        "id": resource_id,
    }


@router.route("GET", _LOCATION + "/quotas", query=())
def list_quotas(cloud: Cloud, request: Request) -> Response:
    """The cores of each VM family that the subscription and the workspace may have."""
    check_subscription(cloud, request)
    scopes = (
        ("vmFamily", f"/subscriptions/{cloud.subscription_id}", None),
        ("workspaces", cloud.workspace_scope, cloud.location),
    )
    return json_response(
        {
            "value": [
                {
                    "unit": "Count",
                    "limit": _cores(cloud, family) if kind == "vmFamily" else -1,
                    "name": {
                        "value": family,
                        "localizedValue": f"{family} Cluster Dedicated vCPUs",
                    },
                    "type": f"{PROVIDER}/{kind}/dedicatedCores/quotas",
                    "id": f"{scope}/quotas/{family}",
                    "location": location,
                }
                for family in _families()
                for kind, scope, location in scopes
            ]
        }
    )


@router.route("POST", _LOCATION + "/updateQuotas", query=())
def update_quotas(cloud: Cloud, request: Request) -> Response:
    """Change nothing; quota of a workspace cannot be set here."""
    check_subscription(cloud, request)
    if fields.objects(request.json_object(), "value"):
        raise ServiceError(
            501, "NotImplemented", "The local Azure does not change quota; see the fault quota."
        )
    return json_response({"value": []})


def _families() -> list[str]:
    return sorted({size.family for size in VM_SIZES.values()})


def _check_api_version(request: Request, known: str) -> None:
    asked = request.query.get("api-version")
    if asked != known:
        raise ServiceError(
            501, "NotImplemented", f"The local Azure knows api-version {known} here, not {asked}."
        )
