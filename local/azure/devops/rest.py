"""The frame of every area: locations, route templates, versions, access, and the form of errors.

Azure DevOps tells its clients where things are: `OPTIONS {organisation}/_apis` lists locations,
each a GUID that is written into clients, and its route template. An area is one module:

    area = Area("build", id="965220d5-5bb9-42cf-8d67-9b146df2a5a4")
    BUILDS = area.location(
        "0cd358e1-9217-4d94-8269-1c1ee6f93dcf",
        "{project}/_apis/build/{resource}/{buildId}",
        resource="Builds",
        version=7,
    )

    @area.on("GET", BUILDS, "project", "buildId")
    def get_build(cloud: Cloud, request: Request) -> Build:
        ...

The names after the location are the template's placeholders that a route has; segments of the
others fall out, as clients do it. List the area in `routers.py`. Locations and templates are those
of the service (Azure/azure-devops-cli-extension, recordings of OPTIONS).
"""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import Any, TypedDict, TypeVar

from local.azure.devops.contracts import Contract, contract_of
from local.azure.devops.errors import error_answer, invalid
from local.azure.devops.organization.access import authenticate
from local.azure.identity.organization import ORGANIZATION_HOST, organization
from local.azure.kernel.cloud import Cloud
from local.azure.kernel.http import Request, Response, ServiceError
from local.azure.kernel.web import ANY, Handler, Router

logger = logging.getLogger(__name__)
LATEST = 7.2
RELEASED = 7.1
# msrest finds `application/json` by this prefix.
_JSON = "application/json; charset=utf-8"
_VERSION = re.compile(r"(\d+(?:\.\d+)?)(-preview(?:\.\d+)?)?")
_ACCEPTED = re.compile(r"api-version=([^;,\s]+)")
_PLACEHOLDER = re.compile(r"\{(\*?)(\w+)\}")
H = TypeVar("H", bound=Callable[..., Any])


class OptionsQuery(TypedDict, total=False):
    """Whose locations are asked for: those of all host types are the same."""

    allHostTypes: bool


@dataclass(frozen=True, kw_only=True)
class Location:
    """One entry of `OPTIONS _apis`. `released`: 0.0 where the service has previews only."""

    id: str
    area: str
    resource: str
    template: str
    version: int
    minimum: float
    released: float

    def document(self) -> dict[str, Any]:
        """As the service writes it (ApiResourceLocation)."""
        return {
            "id": self.id,
            "area": self.area,
            "resourceName": self.resource,
            "routeTemplate": self.template,
            "resourceVersion": self.version,
            "minVersion": f"{self.minimum:.1f}",
            "maxVersion": f"{LATEST:.1f}",
            "releasedVersion": f"{self.released:.1f}",
        }

    def path(self, present: Iterable[str]) -> str:
        """The template as a path of `web.Router`, with the placeholders in `present` only."""
        kept = set(present)
        segments = []
        for segment in self.template.split("/"):
            found = _PLACEHOLDER.fullmatch(segment)
            if found is None:
                segments.append(segment)
            elif found[2] == "area":
                segments.append(self.area)
            elif found[2] == "resource":
                segments.append(self.resource)
            elif found[2] in kept:
                kept.remove(found[2])
                segments.append("{" + found[2] + (":rest}" if found[1] else "}"))
        if kept:
            raise ValueError(f"the template {self.template} has no {sorted(kept)}")
        return "/{organization}/" + "/".join(segments)


class Area(Router):
    """The routes of one resource area."""

    def __init__(self, name: str, *, id: str | None, host: str = ORGANIZATION_HOST) -> None:
        """`id`: what clients look up in ResourceAreas, or None; `host`: where the area is."""
        super().__init__(host)
        self.name = name
        self.id = id
        self.locations: list[Location] = []
        self.contracts: list[Contract] = []

    def location(
        self,
        id: str,
        template: str,
        *,
        resource: str,
        version: int = 1,
        minimum: float = 1.0,
        released: float = RELEASED,
    ) -> Location:
        """Declare a location of this area."""
        made = Location(
            id=id,
            area=self.name,
            resource=resource,
            template=template,
            version=version,
            minimum=minimum,
            released=released,
        )
        self.locations.append(made)
        return made

    def on(
        self, methods: str, location: Location, *present: str, status: int | None = None
    ) -> Callable[[H], H]:
        """Declare the handler of a location for the placeholders that are present.

        Its annotations are the route's contract (see `contracts`). `status`: of its answers, if
        it is neither 200 nor, where nothing is answered, 204.
        """

        def declare(handler: H) -> H:
            contract = contract_of(handler)
            self.contracts.append(contract)
            path = location.path(present)
            self.route(methods, path, authenticated=False, query=ANY)(
                guarded(contract, location, status)
            )
            return handler

        return declare


def guarded(
    contract: Contract, location: Location | None = None, status: int | None = None
) -> Handler:
    """The handler behind the checks of organization, token and api-version."""

    def guard(cloud: Cloud, request: Request) -> Response:
        version = ""
        try:
            _check_organization(cloud, request)
            caller = authenticate(cloud, request)
            if location is not None:
                version = _version(request, location)
            known = replace(request, caller=caller)
            response = contract.answered(known, contract.call(cloud, known), status)
        except ServiceError as error:
            if error.status == 501:
                logger.warning("%s %s%s: %s", request.method, request.host, request.path, error)
            return error_answer(error)
        if version and response.headers.get("content-type", "").startswith("application/json"):
            headers = {**response.headers, "content-type": f"{_JSON}; api-version={version}"}
            return replace(response, headers=headers)
        return response

    return guard


def guarded_options(documents: Callable[[Request], list[dict[str, Any]]]) -> Handler:
    """The answer to OPTIONS: the locations that clients look up. It has no version."""

    def options(_cloud: Cloud, request: Request, query: OptionsQuery) -> list[dict[str, Any]]:
        del query
        return documents(request)

    return guarded(contract_of(options))


def _check_organization(cloud: Cloud, request: Request) -> None:
    asked, found = request.params["organization"], organization(cloud)
    if asked.lower() != found.name:
        raise ServiceError(
            404,
            "HostNotFoundException",
            f"The organization '{asked}' does not exist; the one here is '{found.name}'.",
        )


def number(text: str, what: str) -> int:
    """A whole number from a path or query. Raises ServiceError 400."""
    if not text.isdecimal():
        raise invalid(f"The value '{text}' is not valid for {what}.")
    return int(text)


def _version(request: Request, location: Location) -> str:
    accepted = _ACCEPTED.search(request.headers.get("accept", ""))
    asked = request.query.get("api-version") or (accepted[1] if accepted else "")
    if not asked:
        if request.method in ("GET", "OPTIONS"):
            return f"{location.released or location.minimum:.1f}"
        raise ServiceError(
            400,
            "VssVersionNotSpecifiedException",
            f'No api-version was supplied for the "{request.method}" request. The version must be '
            'supplied either as part of the Accept header (e.g. "application/json; '
            'api-version=1.0") or as a query parameter (e.g. "?api-version=1.0").',
        )
    found = _VERSION.fullmatch(asked)
    if found is None or not location.minimum <= float(found[1]) <= LATEST:
        raise ServiceError(
            400,
            "VssVersionOutOfRangeException",
            f"The requested REST API version of {asked} is out of range for this server. The "
            f"latest REST API version this server supports is {LATEST}.",
        )
    if float(found[1]) > location.released and not found[2]:
        raise ServiceError(
            400,
            "VssInvalidPreviewVersionException",
            f'The requested version "{asked}" of the resource is under preview. The -preview '
            "flag must be supplied in the api-version for such requests. For example: "
            f'"{asked}-preview"',
        )
    return asked
