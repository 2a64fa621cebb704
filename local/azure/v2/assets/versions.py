"""Named and versioned assets: what all kinds of them have in common.

Shapes: Microsoft.MachineLearningServices 2024-10-01, workspaceRP.json and mfe.json. An asset's
content never changes once it is registered; tags, description and archived state do.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from typing import cast

import yaml

from local.azure.kernel import bodies
from local.azure.kernel.bodies import (
    DESCRIBED,
    Shape,
    boolean,
    text,
)
from local.azure.kernel.cloud import Cloud
from local.azure.kernel.http import Request, Response, ServiceError, json_response
from local.azure.kernel.web import Router
from local.azure.storage import blob_auth
from local.azure.v2.assets import component_specs, containers, kinds, uris
from local.azure.v2.assets.kinds import AssetKind, Properties, Record, find
from local.azure.v2.resources import (
    PAGED,
    ApiVersion,
    Resource,
    api_version,
    arm_route,
    page,
    put_response,
    view,
)

ASSET: dict[str, Shape] = {
    **DESCRIBED,
    "isAnonymous": boolean,
    "isArchived": boolean,
    "autoDeleteSetting": bodies.anything,
}
# Most kinds have one of these or both.
STAGE: dict[str, Shape] = {"stage": text}
STATE: dict[str, Shape] = {"provisioningState": text}
# Members that only those versions have that were given them.
_SHOWN_IF_GIVEN = ("build", "inferenceConfig", "imageDetails", "referencedUris")
_VERSION_FILTERS = (
    *("$orderBy", "orderBy", "hash", "hashVersion", "listViewType", "stage", "tags", "version"),
    *PAGED,
)

# What may change after an asset was registered.
_CHANGEABLE = ("description", "properties", "tags", "isArchived", "stage", "isAnonymous")


def existing(
    cloud: Cloud, kind: AssetKind, name: str, version: str | None, label: str | None = None
) -> Record:
    """An asset by version or label. Raises ServiceError 404."""
    found = find(cloud, kind, name, version, label)
    if found is None:
        raise kind.missing(name, version or label)
    return found


def register(cloud: Cloud, kind: AssetKind, name: str, version: str, given: Properties) -> Record:
    """Register an asset, or change what may change of one. Raises ServiceError 409 or 400."""
    present = kind.get(cloud, name, version)
    now = cloud.ml_timestamp()
    if present is None:
        properties = kind.prepare(cloud, name, version, given.copy())
        record: Record = {
            "name": name,
            "version": version,
            "properties": properties,
            "created": now,
            "modified": now,
        }
        kind.put(cloud, record)
        return existing(cloud, kind, name, version)
    properties = present["properties"]
    differs = _changed_content(cloud, kind, given, properties)
    if differs and not properties.get("isAnonymous"):
        raise kind.unchangeable(name, version, differs)
    changed = _changeable(given)
    if "componentSpec" in given:
        changed["componentSpec"] = {**given["componentSpec"], "name": name, "version": version}
    kind.put(cloud, {**present, "properties": {**properties, **changed}, "modified": now})
    return existing(cloud, kind, name, version)


def _changed_content(
    cloud: Cloud, kind: AssetKind, given: Mapping[str, object], kept: Mapping[str, object]
) -> list[str]:
    return [
        field
        for part in kind.content
        if given.get(part) is not None
        for field in _differing(cloud, part, given[part], kept.get(part))
    ]


def _changeable(given: Properties) -> Properties:
    sent: Mapping[str, object] = given
    changed = cast("Properties", {name: sent[name] for name in _CHANGEABLE if name in sent})
    if "tags" in changed:
        changed["tags"] = changed["tags"] or {}
    if "properties" in changed:
        changed["properties"] = changed["properties"] or {}
    return changed


# What never changes in the specification of a component; anything else describes it, or was
# written by the service and sent back.
_FIXED_IN_SPECS = (
    *("type", "command", "code", "environment", "environment_variables", "inputs", "outputs"),
    *("distribution", "is_deterministic", "jobs"),
)


def _differing(cloud: Cloud, field: str, given: object, kept: object) -> list[str]:
    """The fields of the content that differ: a specification is compared member by member."""
    if field != "componentSpec" or not isinstance(given, dict) or not isinstance(kept, dict):
        return [] if _same(cloud, field, given, kept) else [field]
    return [
        name
        for name in _FIXED_IN_SPECS
        if not _same_in_spec(cloud, name, given.get(name), kept.get(name))
    ]


def _same_in_spec(cloud: Cloud, name: str, given: object, kept: object) -> bool:
    if name in ("code", "environment") and given and kept:
        kind = kinds.KINDS["codes" if name == "code" else "environments"]
        return kinds.full_id(cloud, kind, str(given)) == kinds.full_id(cloud, kind, str(kept))
    return bool(component_specs.normal(given) == component_specs.normal(kept))


def _same(cloud: Cloud, field: str, given: object, kept: object) -> bool:
    if given == kept:
        return True
    if not isinstance(given, str) or not isinstance(kept, str):
        return False
    if field == "condaFile":  # sent as YAML, shown as JSON, which is YAML too
        left, right = (yaml.safe_load(text) for text in (given, kept))
        return bool(left == right)
    try:
        return uris.resolve(cloud, given).rstrip("/") == uris.resolve(cloud, kept).rstrip("/")
    except ServiceError:
        return False


def show(
    cloud: Cloud, kind: AssetKind, record: Record, version: ApiVersion
) -> Resource[Mapping[str, object]]:
    """A version as Resource Manager shows it to callers of an api-version."""
    tail = f"{kind.plural}/{record['name']}/versions/{record['version']}"
    properties: Mapping[str, object] = kind.shown(cloud, record)
    return view(
        cloud,
        tail,
        {name: properties.get(name) for name in kind.members(version)}
        | {name: value for name, value in properties.items() if name in _SHOWN_IF_GIVEN and value},
        created=record["created"],
        modified=record["modified"],
        system_data=kind.system_data,
    )


def declare(routes: Router, kind: AssetKind) -> None:
    """Declare the routes that every kind of asset has."""
    kinds.KINDS[kind.plural] = kind
    versions = f"{kind.plural}/{{name}}/versions"

    containers.declare(routes, kind)

    @arm_route(routes, "GET", versions, query=_VERSION_FILTERS)
    def list_versions(cloud: Cloud, request: Request) -> Response:
        return page(request, _versions(cloud, kind, request))

    @arm_route(routes, "GET", versions + "/{version}")
    def show_version(cloud: Cloud, request: Request) -> Response:
        found = existing(cloud, kind, request.params["name"], request.params["version"])
        return json_response(show(cloud, kind, found, api_version(request)))

    @arm_route(routes, "GET", kind.plural + "/{name}/labels/{label}")
    def show_label(cloud: Cloud, request: Request) -> Response:
        found = existing(cloud, kind, request.params["name"], None, request.params["label"])
        return json_response(show(cloud, kind, found, api_version(request)))

    @arm_route(routes, "PUT", versions + "/{version}")
    def put_version(cloud: Cloud, request: Request) -> Response:
        name, version = request.params["name"], request.params["version"]
        body = bodies.check(bodies.resource(kind.shape), request.json())
        is_anonymous_one = body["properties"].get("isAnonymous") is True
        if kind.plural == "components" and is_anonymous_one:
            version = component_specs.anonymous_version(body["properties"]["componentSpec"])
        new = is_anonymous_one or kind.get(cloud, name, version) is None
        record = register(cloud, kind, name, version, body["properties"])
        shown = show(cloud, kind, record, api_version(request))
        return put_response(request, shown, new=new)

    @arm_route(routes, "DELETE", versions + "/{version}")
    def delete_version(_cloud: Cloud, _request: Request) -> Response:
        raise ServiceError(
            501, "NotImplemented", f"The local Azure deletes no {kind.plural}: archive it instead."
        )

    @arm_route(routes, "POST", versions + "/{version}/startPendingUpload")
    def start_upload(cloud: Cloud, _request: Request) -> Response:
        return json_response(_upload(cloud))


def _versions(
    cloud: Cloud, kind: AssetKind, request: Request
) -> list[Resource[Mapping[str, object]]]:
    api = api_version(request)
    digest = request.query.get("hash")
    if digest:  # of the content of a code, whatever its name
        found = [
            record
            for record in kind.listed(cloud, None)
            if (record["properties"].get("properties") or {}).get("hash_sha256") == digest
        ]
        return [show(cloud, kind, record, api) for record in found]
    name = request.params["name"]
    everything = kind.listed(cloud, name)
    if not everything and containers.said_of(cloud, kind, name) is None:
        raise kind.missing(name, None)
    order = (request.query.get("$orderBy") or request.query.get("orderBy") or "").lower()
    found = containers.viewed(request, everything)
    if not order.endswith(" asc"):
        found.reverse()
    wanted = request.query.get("version")
    found = [
        record
        for record in found
        if _tagged(record, request.query.get("tags") or "") and wanted in (None, record["version"])
    ]
    return [show(cloud, kind, record, api) for record in found]


def _tagged(record: Record, wanted: str) -> bool:
    """Whether a record has all of `key` and `key=value` (joined by commas)."""
    tags = record["properties"].get("tags") or {}
    for term in filter(None, wanted.split(",")):
        key, equals, value = term.partition("=")
        if key not in tags or (equals and tags[key] != value):
            return False
    return True


def _upload(cloud: Cloud) -> Mapping[str, object]:
    """A container of its own for one upload, signed as a whole."""
    container = f"{cloud.workspace_id[:8]}-{uuid.uuid4()}"
    (cloud.root / "blobs" / container).mkdir(parents=True)
    address = f"https://{blob_auth.account_host(cloud)}/{container}"
    signed = blob_auth.make_sas(cloud, container, "", permissions="rcwl")
    group = f"/subscriptions/{cloud.subscription_id}/resourceGroups/{cloud.resource_group}"
    return {
        "pendingUploadId": str(uuid.uuid4()),
        "pendingUploadType": "None",
        "blobReferenceForConsumption": {
            "blobUri": f"https://{blob_auth.account_host(cloud)}:443/{container}",
            "storageAccountArmId": (
                f"{group}/providers/Microsoft.Storage/storageAccounts/{cloud.storage_account}"
            ),
            "credential": {"credentialType": "SAS", "sasUri": f"{address}?{signed}"},
        },
    }
