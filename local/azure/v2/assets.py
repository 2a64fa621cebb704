"""Named and versioned assets: what all kinds of them have in common.

Shapes: Microsoft.MachineLearningServices 2024-10-01, workspaceRP.json and mfe.json. An asset's
content never changes once it is registered; tags, description and archived state do.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from local.azure import blob_auth
from local.azure.azure import Azure
from local.azure.v2 import bodies, uris
from local.azure.v2.bodies import DESCRIBED, Object, Shape, boolean, text
from local.azure.v2.resources import arm_route, missing, page, view
from local.azure.web import Request, Response, Router, ServiceError, json_response

Record = dict[str, Any]

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


@dataclass(frozen=True, kw_only=True)
class AssetKind:
    """A kind of asset: its path segment, body, and where its versions are kept.

    A record holds name, version, properties, created and modified. `listed` gives the records of
    a name (None: of all), oldest first. `content`: the properties that never change.
    """

    plural: str
    word: str
    shape: Shape
    content: tuple[str, ...]
    prepare: Callable[[Azure, str, str, Record], Record]
    get: Callable[[Azure, str, str], Record | None]
    listed: Callable[[Azure, str | None], list[Record]]
    put: Callable[[Azure, Record], None]


def find(
    azure: Azure, kind: AssetKind, name: str, version: str | None, label: str | None = None
) -> Record | None:
    """An asset by version or by the label `latest`, or None."""
    if version is not None:
        return kind.get(azure, name, version)
    if label not in (None, "latest"):
        raise ServiceError(400, "UserError", f"The label '{label}' is not known; 'latest' is.")
    versions = [one for one in kind.listed(azure, name) if not one["properties"].get("isArchived")]
    return versions[-1] if versions else None


def existing(
    azure: Azure, kind: AssetKind, name: str, version: str | None, label: str | None = None
) -> Record:
    """An asset by version or label. Raises ServiceError 404."""
    found = find(azure, kind, name, version, label)
    if found is None:
        raise missing(f"{kind.word} {name} (version: {version or label})")
    return found


def register(azure: Azure, kind: AssetKind, name: str, version: str, given: Record) -> Record:
    """Register an asset, or change what may change of one. Raises ServiceError 409."""
    present = kind.get(azure, name, version)
    now = azure.timestamp()
    if present is None:
        properties = kind.prepare(azure, name, version, dict(given))
        record = {
            "name": name,
            "version": version,
            "properties": {**properties, "provisioningState": "Succeeded"},
            "created": now,
            "modified": now,
        }
        kind.put(azure, record)
        return existing(azure, kind, name, version)
    properties = present["properties"]
    differs = [
        field
        for field in kind.content
        if given.get(field) is not None and not _same(azure, given[field], properties.get(field))
    ]
    if differs and not properties.get("isAnonymous"):
        raise ServiceError(
            409,
            "Conflict",
            f"A {kind.word} version with this name and version already exists: {name}, {version}. "
            f"Its {', '.join(differs)} cannot be changed; use another version.",
        )
    changed = {field: given[field] for field in _CHANGEABLE if field in given}
    kind.put(azure, {**present, "properties": {**properties, **_filled(changed)}, "modified": now})
    return existing(azure, kind, name, version)


def _filled(changed: Record) -> Record:
    for field in ("tags", "properties"):
        if field in changed:
            changed[field] = changed[field] or {}
    return changed


def _same(azure: Azure, given: Any, kept: Any) -> bool:
    if given == kept:
        return True
    if not isinstance(given, str) or not isinstance(kept, str):
        return False
    try:
        return uris.resolve(azure, given).rstrip("/") == uris.resolve(azure, kept).rstrip("/")
    except ServiceError:
        return False


def show(azure: Azure, kind: AssetKind, record: Record) -> Record:
    """A version as Resource Manager shows it."""
    tail = f"{kind.plural}/{record['name']}/versions/{record['version']}"
    return view(
        azure, tail, record["properties"], created=record["created"], modified=record["modified"]
    )


def _container(azure: Azure, kind: AssetKind, name: str) -> Record:
    versions = kind.listed(azure, name)
    archived = azure.store.get("v2-container", f"{kind.plural}/{name}")
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
    return view(azure, f"{kind.plural}/{name}", properties, created=versions[0]["created"])


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
    versions = f"{kind.plural}/{{name}}/versions"

    @arm_route(routes, "GET", kind.plural)
    def list_names(azure: Azure, request: Request) -> Response:
        shown = (one for one in kind.listed(azure, None) if not is_anonymous(one))
        names = dict.fromkeys(record["name"] for record in shown)
        found = [_container(azure, kind, name) for name in names]
        return page(request, _viewed(request, found))

    @arm_route(routes, "GET", kind.plural + "/{name}")
    def show_container(azure: Azure, request: Request) -> Response:
        return json_response(_container(azure, kind, request.params["name"]))

    @arm_route(routes, "PUT", kind.plural + "/{name}")
    def put_container(azure: Azure, request: Request) -> Response:
        name = request.params["name"]
        body = bodies.check(bodies.resource(_CONTAINER), request.json())
        archived = bool(body["properties"].get("isArchived"))
        azure.store.put("v2-container", f"{kind.plural}/{name}", {"isArchived": archived})
        return json_response(_container(azure, kind, name))

    @arm_route(routes, "GET", versions)
    def list_versions(azure: Azure, request: Request) -> Response:
        return page(request, _versions(azure, kind, request))

    @arm_route(routes, "GET", versions + "/{version}")
    def show_version(azure: Azure, request: Request) -> Response:
        found = existing(azure, kind, request.params["name"], request.params["version"])
        return json_response(show(azure, kind, found))

    @arm_route(routes, "GET", kind.plural + "/{name}/labels/{label}")
    def show_label(azure: Azure, request: Request) -> Response:
        found = existing(azure, kind, request.params["name"], None, request.params["label"])
        return json_response(show(azure, kind, found))

    @arm_route(routes, "PUT", versions + "/{version}")
    def put_version(azure: Azure, request: Request) -> Response:
        name, version = request.params["name"], request.params["version"]
        body = bodies.check(bodies.resource(kind.shape), request.json())
        status = 200 if kind.get(azure, name, version) else 201
        record = register(azure, kind, name, version, body["properties"])
        return json_response(show(azure, kind, record), status)

    @arm_route(routes, "DELETE", versions + "/{version}")
    def delete_version(_azure: Azure, _request: Request) -> Response:
        raise ServiceError(
            501, "NotImplemented", f"The local Azure deletes no {kind.plural}: archive it instead."
        )

    @arm_route(routes, "POST", versions + "/{version}/startPendingUpload")
    def start_upload(azure: Azure, _request: Request) -> Response:
        return json_response(_upload(azure))


def _versions(azure: Azure, kind: AssetKind, request: Request) -> list[Record]:
    digest = request.query.get("hash")
    if digest:  # of the content of a code, whatever its name
        found = [
            record
            for record in kind.listed(azure, None)
            if (record["properties"].get("properties") or {}).get("hash_sha256") == digest
        ]
        return [show(azure, kind, record) for record in found]
    order = (request.query.get("$orderBy") or request.query.get("orderBy") or "").lower()
    found = _viewed(request, kind.listed(azure, request.params["name"]))
    if not order.endswith(" asc"):
        found.reverse()
    found = [record for record in found if _tagged(record, request.query.get("tags") or "")]
    return [show(azure, kind, record) for record in found]


def _tagged(record: Record, wanted: str) -> bool:
    """Whether a record has all of `key` and `key=value` (joined by commas)."""
    tags = record["properties"].get("tags") or {}
    for term in filter(None, wanted.split(",")):
        key, equals, value = term.partition("=")
        if key not in tags or (equals and tags[key] != value):
            return False
    return True


def _upload(azure: Azure) -> Record:
    """A container of its own for one upload, signed as a whole."""
    container = f"{azure.workspace_id[:8]}-{uuid.uuid4()}"
    (azure.root / "blobs" / container).mkdir(parents=True)
    address = f"https://{blob_auth.account_host(azure)}/{container}"
    signed = blob_auth.make_sas(azure, container, "", permissions="rcwl")
    group = f"/subscriptions/{azure.subscription_id}/resourceGroups/{azure.resource_group}"
    return {
        "pendingUploadId": str(uuid.uuid4()),
        "pendingUploadType": "TemporaryBlobReference",
        "blobReferenceForConsumption": {
            "blobUri": address,
            "storageAccountArmId": (
                f"{group}/providers/Microsoft.Storage/storageAccounts/{azure.storage_account}"
            ),
            "credential": {"credentialType": "SAS", "sasUri": f"{address}?{signed}"},
        },
    }
