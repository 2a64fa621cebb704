"""How clients find the rest: resource areas, locations, and who is signed in (area `Location`)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypedDict

from local.azure.devops.contracts import Unread
from local.azure.devops.rest import Area, guarded_options
from local.azure.identity.organization import organization
from local.azure.kernel.cloud import Cloud
from local.azure.kernel.http import Request, ServiceError
from local.azure.kernel.web import ANY, Router

_AREA_OF_HOSTS = "00025394-6065-48ca-87d9-7f5672854ef7"
"""What the service says it is: TFS's own instance type."""


class ResourceArea(TypedDict):
    """An area and where it answers."""

    id: str
    name: str
    locationUrl: str


class Identity(TypedDict):
    """Who is signed in."""

    id: str
    descriptor: str
    subjectDescriptor: str
    providerDisplayName: str
    customDisplayName: str
    isActive: bool
    properties: dict[str, Unread]
    resourceVersion: int
    metaTypeId: int


class LocationServiceData(TypedDict):
    """What clients keep of the locations."""

    serviceOwner: str
    defaultAccessMappingMoniker: str
    lastChangeId: int
    lastChangeId64: int


class ConnectionData(TypedDict):
    """The organization and who is signed in."""

    authenticatedUser: Identity
    authorizedUser: Identity
    instanceId: str
    deploymentId: str
    deploymentType: str
    locationServiceData: LocationServiceData


class ConnectionQuery(TypedDict, total=False):
    """What clients know already; the answer is whole in any case."""

    connectOptions: str
    lastChangeId: int
    lastChangeId64: int


class AreasQuery(TypedDict, total=False):
    """Whose areas are asked for: there is one organization."""

    enterpriseName: str
    organizationName: str


def location_service(areas: Sequence[Area]) -> list[Router]:
    """The routers that tell clients of `areas`, one for each host these are on."""
    hosts = sorted({area.host for area in areas})
    return [_service(host, areas) for host in hosts]


def _service(host: str, areas: Sequence[Area]) -> Router:
    own = Area("Location", id=None, host=host)
    resource_areas = own.location(
        "e81700f7-3be2-46de-8624-2eb35882fcaa",
        "_apis/{resource}/{areaId}",
        resource="ResourceAreas",
        minimum=3.2,
        released=0.0,
    )
    connection_data = own.location(
        "00d9565f-ed9c-4a06-9a50-00e7896ccab4",
        "_apis/{resource}",
        resource="ConnectionData",
        released=0.0,
    )
    here = [own, *(area for area in areas if area.host == host)]
    listed = [area for area in areas if area.id is not None]

    def shown(cloud: Cloud, area: Area) -> ResourceArea:
        url = f"https://{area.host}/{organization(cloud).name}/"
        return {"id": area.id or "", "name": area.name, "locationUrl": url}

    def documents(request: Request) -> list[dict[str, Any]]:
        """All locations, or those of the area that the address names."""
        asked = request.params.get("area", "").lower()
        found = [area for area in here if asked in ("", area.name.lower())]
        return [one.document() for area in found for one in area.locations]

    for path in ("/{organization}/_apis", "/{organization}/_apis/{area}"):
        own.route("OPTIONS", path, authenticated=False, query=ANY)(guarded_options(documents))

    @own.on("GET", resource_areas)
    def list_areas(cloud: Cloud, query: AreasQuery) -> list[ResourceArea]:
        del query
        return [shown(cloud, area) for area in listed]

    @own.on("GET", resource_areas, "areaId")
    def get_area(cloud: Cloud, request: Request, query: AreasQuery) -> ResourceArea:
        del query
        asked = request.params["areaId"].lower()
        for area in listed:
            if area.id == asked:
                return shown(cloud, area)
        raise ServiceError(404, "ResourceAreaNotFoundException", f"There is no area {asked}.")

    @own.on("GET", connection_data)
    def get_connection_data(
        cloud: Cloud, request: Request, query: ConnectionQuery
    ) -> ConnectionData:
        del query
        found, user = organization(cloud), _identity(cloud, request)
        return {
            "authenticatedUser": user,
            "authorizedUser": user,
            "instanceId": found.id,
            "deploymentId": found.id,
            "deploymentType": "hosted",
            "locationServiceData": {
                "serviceOwner": _AREA_OF_HOSTS,
                "defaultAccessMappingMoniker": "PublicAccessMapping",
                "lastChangeId": -1,
                "lastChangeId64": -1,
            },
        }

    return own


def _identity(cloud: Cloud, request: Request) -> Identity:
    found = organization(cloud)
    name, account = found.user["displayName"], found.user["uniqueName"]
    if request.caller:
        name = account = f"Build Service ({found.name})"
    return {
        "id": found.user_id,
        "descriptor": f"Microsoft.IdentityModel.Claims.ClaimsIdentity;{found.id}\\{account}",
        "subjectDescriptor": found.user["descriptor"],
        "providerDisplayName": name,
        "customDisplayName": name,
        "isActive": True,
        "properties": {"Account": {"$type": "System.String", "$value": account}},
        "resourceVersion": 2,
        "metaTypeId": 0,
    }
