"""Named and versioned assets: what all kinds of them have in common.

Shapes: Microsoft.MachineLearningServices 2024-10-01, workspaceRP.json and mfe.json. An asset's
content never changes once it is registered; tags, description and archived state do.
"""

from __future__ import annotations

import uuid
from typing import Any

from local.azure.kernel import bodies
from local.azure.kernel.bodies import (
    DESCRIBED,
    Object,
    Shape,
    boolean,
    text,
)
from local.azure.kernel.cloud import Cloud
from local.azure.kernel.http import Request, Response, ServiceError, json_response
from local.azure.kernel.web import Router
from local.azure.storage import blob_auth
from local.azure.v2.assets import kinds, uris
from local.azure.v2.assets.kinds import AssetKind, Record, find
from local.azure.v2.resources import arm_route, missing, page, view

ASSET: dict[str, Shape] = {
    **DESCRIBED,
    "isAnonymous": boolean,
    "isArchived": boolean,
    "provisioningState": text,
    "stage": text,
    "autoDeleteSetting": bodies.anything,
}
# What may change after an asset was registered.
_CHANGEABLE = ("description", "properties", "tags", "isArchived", "stage", "isAnonymous")


def existing(
    cloud: Cloud, kind: AssetKind, name: str, version: str | None, label: str | None = None
) -> Record:
    """An asset by version or label. Raises ServiceError 404."""
    found = find(cloud, kind, name, version, label)
    if found is None:
        raise missing(f"{kind.word} {name} (version: {version or label})")
    return found


def register(cloud: Cloud, kind: AssetKind, name: str, version: str, given: Record) -> Record:
    """Register an asset, or change what may change of one. Raises ServiceError 409."""
    present = kind.get(cloud, name, version)
    now = cloud.timestamp()
    if present is None:
        properties = kind.prepare(cloud, name, version, dict(given))
        record = {
            "name": name,
            "version": version,
            "properties": {**properties, "provisioningState": "Succeeded"},
            "created": now,
            "modified": now,
        }
        kind.put(cloud, record)
        return existing(cloud, kind, name, version)
    properties = present["properties"]
    differs = [
        field
        for field in kind.content
        if given.get(field) is not None and not _same(cloud, given[field], properties.get(field))
    ]
    if differs and not properties.get("isAnonymous"):
        raise ServiceError(
            409,
            "Conflict",
            f"A {kind.word} version with this name and version already exists: {name}, {version}. "
            f"Its {', '.join(differs)} cannot be changed; use another version.",
        )
    changed = {field: given[field] for field in _CHANGEABLE if field in given}
    kind.put(cloud, {**present, "properties": {**properties, **_filled(changed)}, "modified": now})
    return existing(cloud, kind, name, version)


def _filled(changed: Record) -> Record:
    for field in ("tags", "properties"):
        if field in changed:
            changed[field] = changed[field] or {}
    return changed


def _same(cloud: Cloud, given: Any, kept: Any) -> bool:
    if given == kept:
        return True
    if not isinstance(given, str) or not isinstance(kept, str):
        return False
    try:
        return uris.resolve(cloud, given).rstrip("/") == uris.resolve(cloud, kept).rstrip("/")
    except ServiceError:
        return False


def show(cloud: Cloud, kind: AssetKind, record: Record) -> Record:
    """A version as Resource Manager shows it."""
    tail = f"{kind.plural}/{record['name']}/versions/{record['version']}"
    return view(
        cloud, tail, record["properties"], created=record["created"], modified=record["modified"]
    )


def _container(cloud: Cloud, kind: AssetKind, name: str) -> Record:
    versions = kind.listed(cloud, name)
    archived = cloud.store.get("v2-container", f"{kind.plural}/{name}")
    if not versions:
        raise missing(f"{kind.word} container {name}")
    numbers = [int(one["version"]) for one in versions if one["version"].isdigit()]
    latest = versions[-1]
    properties = {
        "description": None,
        "tags": {},
        "properties": {},
        "isArchived": bool(archived and archived["isArchived"]),
        "latestVersion": latest["version"],
        "nextVersion": str(max(numbers, default=0) + 1),
        "provisioningState": "Succeeded",
        **({"dataType": latest["properties"]["dataType"]} if kind.plural == "data" else {}),
    }
    return view(cloud, f"{kind.plural}/{name}", properties, created=versions[0]["created"])


_CONTAINER = Object(
    name="AssetContainer",
    members={
        **DESCRIBED,
        **dict.fromkeys(("latestVersion", "nextVersion", "provisioningState", "dataType"), text),
        "isArchived": boolean,
    },
)


def is_anonymous(record: Record) -> bool:
    """Whether an asset was made of what a job holds inline; lists leave such ones out."""
    return str(record["properties"].get("isAnonymous")).lower() == "true"


def _viewed(request: Request, records: list[Record]) -> list[Record]:
    """The records that `listViewType` asks for."""
    asked = request.query.get("listViewType", "ActiveOnly").lower()
    archived = {"activeonly": (False,), "archivedonly": (True,)}.get(asked, (True, False))
    return [one for one in records if bool(one["properties"].get("isArchived")) in archived]


def declare(routes: Router, kind: AssetKind) -> None:
    """Declare the routes that every kind of asset has."""
    kinds.KINDS[kind.plural] = kind
    versions = f"{kind.plural}/{{name}}/versions"

    @arm_route(routes, "GET", kind.plural)
    def list_names(cloud: Cloud, request: Request) -> Response:
        shown = (one for one in kind.listed(cloud, None) if not is_anonymous(one))
        names = dict.fromkeys(record["name"] for record in shown)
        found = [_container(cloud, kind, name) for name in names]
        return page(request, _viewed(request, found))

    @arm_route(routes, "GET", kind.plural + "/{name}")
    def show_container(cloud: Cloud, request: Request) -> Response:
        return json_response(_container(cloud, kind, request.params["name"]))

    @arm_route(routes, "PUT", kind.plural + "/{name}")
    def put_container(cloud: Cloud, request: Request) -> Response:
        name = request.params["name"]
        body = bodies.check(bodies.resource(_CONTAINER), request.json())
        archived = bool(body["properties"].get("isArchived"))
        cloud.store.put("v2-container", f"{kind.plural}/{name}", {"isArchived": archived})
        return json_response(_container(cloud, kind, name))

    @arm_route(routes, "GET", versions)
    def list_versions(cloud: Cloud, request: Request) -> Response:
        return page(request, _versions(cloud, kind, request))

    @arm_route(routes, "GET", versions + "/{version}")
    def show_version(cloud: Cloud, request: Request) -> Response:
        found = existing(cloud, kind, request.params["name"], request.params["version"])
        return json_response(show(cloud, kind, found))

    @arm_route(routes, "GET", kind.plural + "/{name}/labels/{label}")
    def show_label(cloud: Cloud, request: Request) -> Response:
        found = existing(cloud, kind, request.params["name"], None, request.params["label"])
        return json_response(show(cloud, kind, found))

    @arm_route(routes, "PUT", versions + "/{version}")
    def put_version(cloud: Cloud, request: Request) -> Response:
        name, version = request.params["name"], request.params["version"]
        body = bodies.check(bodies.resource(kind.shape), request.json())
        status = 200 if kind.get(cloud, name, version) else 201
        record = register(cloud, kind, name, version, body["properties"])
        return json_response(show(cloud, kind, record), status)

    @arm_route(routes, "DELETE", versions + "/{version}")
    def delete_version(_cloud: Cloud, _request: Request) -> Response:
        raise ServiceError(
            501, "NotImplemented", f"The local Azure deletes no {kind.plural}: archive it instead."
        )

    @arm_route(routes, "POST", versions + "/{version}/startPendingUpload")
    def start_upload(cloud: Cloud, _request: Request) -> Response:
        return json_response(_upload(cloud))


def _versions(cloud: Cloud, kind: AssetKind, request: Request) -> list[Record]:
    digest = request.query.get("hash")
    if digest:  # of the content of a code, whatever its name
        found = [
            record
            for record in kind.listed(cloud, None)
            if (record["properties"].get("properties") or {}).get("hash_sha256") == digest
        ]
        return [show(cloud, kind, record) for record in found]
    order = (request.query.get("$orderBy") or request.query.get("orderBy") or "").lower()
    found = _viewed(request, kind.listed(cloud, request.params["name"]))
    if not order.endswith(" asc"):
        found.reverse()
    found = [record for record in found if _tagged(record, request.query.get("tags") or "")]
    return [show(cloud, kind, record) for record in found]


def _tagged(record: Record, wanted: str) -> bool:
    """Whether a record has all of `key` and `key=value` (joined by commas)."""
    tags = record["properties"].get("tags") or {}
    for term in filter(None, wanted.split(",")):
        key, equals, value = term.partition("=")
        if key not in tags or (equals and tags[key] != value):
            return False
    return True


def _upload(cloud: Cloud) -> Record:
    """A container of its own for one upload, signed as a whole."""
    container = f"{cloud.workspace_id[:8]}-{uuid.uuid4()}"
    (cloud.root / "blobs" / container).mkdir(parents=True)
    address = f"https://{blob_auth.account_host(cloud)}/{container}"
    signed = blob_auth.make_sas(cloud, container, "", permissions="rcwl")
    group = f"/subscriptions/{cloud.subscription_id}/resourceGroups/{cloud.resource_group}"
    return {
        "pendingUploadId": str(uuid.uuid4()),
        "pendingUploadType": "TemporaryBlobReference",
        "blobReferenceForConsumption": {
            "blobUri": address,
            "storageAccountArmId": (
                f"{group}/providers/Microsoft.Storage/storageAccounts/{cloud.storage_account}"
            ),
            "credential": {"credentialType": "SAS", "sasUri": f"{address}?{signed}"},
        },
    }
