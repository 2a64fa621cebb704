"""How clients find the rest: resource areas, locations, and who is signed in (area `Location`)."""

from __future__ import annotations

from collections.abc import Sequence

from local.azure.devops.rest import Area, collection, guarded
from local.azure.identity.organization import organization
from local.azure.kernel.cloud import Cloud
from local.azure.kernel.http import Request, Response, ServiceError, json_response
from local.azure.kernel.web import Router


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

    listed = [area for area in areas if area.id is not None]

    def shown(cloud: Cloud, area: Area) -> dict[str, str | None]:
        url = f"https://{area.host}/{organization(cloud).name}/"
        return {"id": area.id, "name": area.name, "locationUrl": url}

    def options(_cloud: Cloud, _request: Request) -> Response:
        here = [area for area in areas if area.host == host]
        found = [one for area in (own, *here) for one in area.locations]
        return collection([one.document() for one in found])

    own.route("OPTIONS", "/{organization}/_apis", authenticated=False)(guarded(options))

    @own.on("GET", resource_areas)
    def list_areas(cloud: Cloud, _request: Request) -> Response:
        return collection([shown(cloud, area) for area in listed])

    @own.on("GET", resource_areas, "areaId")
    def get_area(cloud: Cloud, request: Request) -> Response:
        asked = request.params["areaId"].lower()
        for area in listed:
            if area.id == asked:
                return json_response(shown(cloud, area))
        raise ServiceError(404, "ResourceAreaNotFoundException", f"There is no area {asked}.")

    @own.on("GET", connection_data)
    def get_connection_data(cloud: Cloud, request: Request) -> Response:
        found = organization(cloud)
        user = {"id": found.user_id, "providerDisplayName": found.user["displayName"]}
        if request.caller:
            user["providerDisplayName"] = f"Build Service ({found.name})"
        return json_response(
            {
                "authenticatedUser": user,
                "authorizedUser": user,
                "instanceId": found.id,
                "deploymentType": "hosted",
            }
        )

    return own
