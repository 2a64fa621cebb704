"""The names of assets, which the service calls containers: what is said of all versions of one."""

from __future__ import annotations

from local.azure.kernel import bodies
from local.azure.kernel.bodies import DESCRIBED, Object, boolean, text
from local.azure.kernel.cloud import Cloud
from local.azure.kernel.http import Request, Response, json_response
from local.azure.kernel.web import Router
from local.azure.v2.assets.kinds import AssetKind, Record
from local.azure.v2.resources import (
    PAGED,
    ApiVersion,
    api_version,
    arm_route,
    page,
    put_response,
    view,
)

# What was said of an asset's name, by `plural/name`.
KIND = "v2-container"

_CONTAINER = Object(
    name="AssetContainer",
    members={
        **DESCRIBED,
        **dict.fromkeys(("latestVersion", "nextVersion", "provisioningState", "dataType"), text),
        "isArchived": boolean,
    },
)


def _container(cloud: Cloud, kind: AssetKind, name: str, api: ApiVersion) -> Record:
    versions = [one for one in kind.listed(cloud, name) if not is_anonymous(one)]
    kept = cloud.store.get(KIND, f"{kind.plural}/{name}") or {}
    if not versions and not kept:
        raise kind.missing(name, None)
    latest = versions[-1] if versions else None
    empty: Record | None = None if kind.plural == "data" else {}
    properties = {
        "description": kept.get("description"),
        "tags": kept.get("tags") or empty,
        "properties": kept.get("properties") or empty,
        "isArchived": bool(kept.get("isArchived")),
        "latestVersion": latest["version"] if latest else None,
        "nextVersion": _next_version(cloud, kind, versions),
    }
    if kind.plural == "data" and latest:
        properties["dataType"] = latest["properties"]["dataType"]
    elif api.date >= "2023":
        properties["provisioningState"] = "Succeeded"
    if kind.plural == "components" and latest and properties["description"] is None:
        spec = latest["properties"].get("componentSpec") or {}
        properties["description"] = spec.get("description")
    created = kept.get("created") or versions[0]["created"]
    modified = max([created, kept.get("modified") or "", *(one["modified"] for one in versions)])
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


def viewed(request: Request, records: list[Record]) -> list[Record]:
    """The records that `listViewType` asks for."""
    asked = request.query.get("listViewType", "ActiveOnly").lower()
    archived = {"activeonly": (False,), "archivedonly": (True,)}.get(asked, (True, False))
    return [one for one in records if bool(one["properties"].get("isArchived")) in archived]


def declare(routes: Router, kind: AssetKind) -> None:
    """Declare the routes for the names of a kind."""

    @arm_route(routes, "GET", kind.plural, query=("listViewType", *PAGED))
    def list_names(cloud: Cloud, request: Request) -> Response:
        shown = (one for one in kind.listed(cloud, None) if not is_anonymous(one))
        names = dict.fromkeys(record["name"] for record in shown)
        kept = cloud.store.list(KIND, f"{kind.plural}/")
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
        given = bodies.check(bodies.resource(_CONTAINER), request.json())["properties"]
        key = f"{kind.plural}/{name}"
        before = cloud.store.get(KIND, key)
        now = cloud.ml_timestamp()
        kept = {key: given.get(key) for key in ("description", "tags", "properties", "isArchived")}
        is_new = before is None and not kind.listed(cloud, name)
        record = {"name": name, "created": now, **(before or {}), **kept, "modified": now}
        if before is None and not is_new:
            record["created"] = kind.listed(cloud, name)[0]["created"]
        cloud.store.put(KIND, key, record)
        shown = _container(cloud, kind, name, api_version(request))
        return put_response(request, shown, new=is_new)
