"""The names of assets, which the service calls containers: what is said of all versions of one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypedDict, TypeVar

from local.azure.kernel import bodies
from local.azure.kernel.bodies import DESCRIBED, Object, boolean, text
from local.azure.kernel.cloud import Cloud
from local.azure.kernel.http import Request, Response, json_response
from local.azure.kernel.tables import Table
from local.azure.kernel.web import Router
from local.azure.v2.assets.kinds import AssetKind, Described, Record
from local.azure.v2.resources import (
    PAGED,
    ApiVersion,
    Resource,
    api_version,
    archived_states,
    arm_route,
    page,
    put_response,
    view,
)


class Said(Described, TypedDict):
    """What was said of an asset's name."""

    name: str
    created: str
    modified: str


# By `plural/name`.
_CONTAINERS: Table[Said] = Table("v2-container")

CONTAINER = Object(
    name="AssetContainer",
    members={
        **DESCRIBED,
        **dict.fromkeys(("latestVersion", "nextVersion", "provisioningState", "dataType"), text),
        "isArchived": boolean,
    },
)


class Properties(Described, TypedDict, total=False):
    """The properties of an asset's name."""

    latestVersion: str | None
    nextVersion: str
    dataType: str


def said_of(cloud: Cloud, kind: AssetKind, name: str) -> Said | None:
    """What was said of an asset's name, or None."""
    return _CONTAINERS.get(cloud, f"{kind.plural}/{name}")


def _container(cloud: Cloud, kind: AssetKind, name: str, api: ApiVersion) -> Resource[Properties]:
    versions = [one for one in kind.listed(cloud, name) if not is_anonymous(one)]
    kept = said_of(cloud, kind, name)
    if not versions and not kept:
        raise kind.missing(name, None)
    latest = versions[-1] if versions else None
    empty: dict[str, str | None] | None = None if kind.plural == "data" else {}
    said: Described = kept or {}
    properties: Properties = {
        "description": said.get("description"),
        "tags": said.get("tags") or empty,
        "properties": said.get("properties") or empty,
        "isArchived": bool(said.get("isArchived")),
        "latestVersion": latest["version"] if latest else None,
        "nextVersion": _next_version(cloud, kind, versions),
    }
    if kind.plural == "data" and latest:
        properties["dataType"] = latest["properties"]["dataType"]
    elif api.date >= "2023":
        properties["provisioningState"] = "Succeeded"
    if kind.plural == "components" and latest and properties["description"] is None:
        properties["description"] = latest["properties"]["componentSpec"].get("description")
    created = kept["created"] if kept else versions[0]["created"]
    modified = max(
        [created, *([kept["modified"]] if kept else []), *(one["modified"] for one in versions)]
    )
    return view(
        cloud,
        f"{kind.plural}/{name}",
        properties,
        created=created,
        modified=modified,
        system_data=kind.system_data,
    )


def _next_version(cloud: Cloud, kind: AssetKind, versions: list[Record]) -> str:
    """A time for components, otherwise the next whole number."""
    if kind.plural == "components":
        return f"{cloud.now():%Y-%m-%d-%H-%M-%S-%f}0"
    numbers = [int(one["version"]) for one in versions if one["version"].isdigit()]
    return str(max(numbers, default=0) + 1)


def is_anonymous(record: Record) -> bool:
    """Whether an asset was made of what a job holds inline; lists leave such ones out."""
    return str(record["properties"].get("isAnonymous")).lower() == "true"


R = TypeVar("R", Record, Resource[Properties])


def viewed(request: Request, records: Sequence[R]) -> list[R]:
    """The records that `listViewType` asks for."""
    archived = archived_states(request)
    return [one for one in records if bool(one["properties"].get("isArchived")) in archived]


def declare(routes: Router, kind: AssetKind) -> None:
    """Declare the routes for the names of a kind."""

    @arm_route(routes, "GET", kind.plural, query=("listViewType", *PAGED))
    def list_names(cloud: Cloud, request: Request) -> Response:
        shown = (one for one in kind.listed(cloud, None) if not is_anonymous(one))
        names = dict.fromkeys(record["name"] for record in shown)
        kept = _CONTAINERS.list(cloud, f"{kind.plural}/")
        names |= dict.fromkeys(one["name"] for one in kept)
        api = api_version(request)
        found = [_container(cloud, kind, name, api) for name in names]
        return page(request, viewed(request, found))

    @arm_route(routes, "GET", kind.plural + "/{name}")
    def show_container(cloud: Cloud, request: Request) -> Response:
        name = request.params["name"]
        return json_response(_container(cloud, kind, name, api_version(request)))

    @arm_route(routes, "PUT", kind.plural + "/{name}")
    def put_container(cloud: Cloud, request: Request) -> Response:
        name = request.params["name"]
        given = bodies.check(bodies.resource(CONTAINER), request.json())["properties"]
        key = f"{kind.plural}/{name}"
        before = _CONTAINERS.get(cloud, key)
        now = cloud.ml_timestamp()
        versions = kind.listed(cloud, name)
        is_new = before is None and not versions
        first = before or (versions[0] if versions else None)
        record: Said = {
            "name": name,
            "created": first["created"] if first else now,
            "modified": now,
            "description": given.get("description"),
            "tags": given.get("tags"),
            "properties": given.get("properties"),
            "isArchived": bool(given.get("isArchived")),
        }
        _CONTAINERS.put(cloud, key, record)
        shown = _container(cloud, kind, name, api_version(request))
        return put_response(request, shown, new=is_new)
