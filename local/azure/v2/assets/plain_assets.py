"""Assets that only v2 knows: codes, data and components."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable

from local.azure.kernel import bodies
from local.azure.kernel.bodies import Object, Shape, text
from local.azure.kernel.cloud import Cloud
from local.azure.kernel.http import ServiceError
from local.azure.kernel.tables import Table
from local.azure.v2.assets import component_specs, kinds, uris
from local.azure.v2.assets.kinds import AssetKind, Properties, Record, exists, not_found
from local.azure.v2.assets.versions import ASSET, STAGE, STATE, declare
from local.azure.v2.resources import (
    CREATED,
    CREATED_AND_MODIFIED,
    ApiVersion,
    front_end_router,
)

router = front_end_router()

_DESCRIBED = ("description", "tags", "properties", "isArchived", "isAnonymous")


def _stored(
    plural: str,
    word: str,
    shape: Shape,
    content: tuple[str, ...],
    prepare: Callable[[Cloud, str, str, Properties], Properties],
    *,
    members: Callable[[ApiVersion], Iterable[str]],
    shown: Callable[[Cloud, Record], Properties],
    missing: Callable[[str, str | None], ServiceError],
    unchangeable: Callable[[str, str, list[str]], ServiceError] | None = None,
    system_data: tuple[str, ...] = CREATED_AND_MODIFIED,
) -> AssetKind:
    """A kind of asset that only the v2 plane knows."""
    table: Table[Record] = Table(f"v2-{plural}")

    def put(cloud: Cloud, record: Record) -> None:
        table.put(cloud, f"{record['name']}/{record['version']}", record)

    return AssetKind(
        plural=plural,
        word=word,
        shape=shape,
        content=content,
        prepare=prepare,
        get=lambda cloud, name, version: table.get(cloud, f"{name}/{version}"),
        listed=lambda cloud, name: table.list(cloud, f"{name}/" if name else ""),
        put=put,
        members=members,
        shown=shown,
        missing=missing,
        unchangeable=unchangeable or functools.partial(exists, word),
        system_data=system_data,
    )


def _prepare_code(cloud: Cloud, name: str, version: str, given: Properties) -> Properties:
    location = uris.locate(cloud, str(given.get("codeUri") or ""))
    if not location.exists():
        raise ServiceError(
            400, "UserError", f"The code {name}, {version} was not uploaded: nothing is at its URI."
        )
    return given


def _prepare_data(cloud: Cloud, name: str, version: str, given: Properties) -> Properties:
    if uris.is_elsewhere(cloud, str(given["dataUri"])):
        return given  # registered unseen, as in Azure; a job that reads it fails and names it
    given["dataUri"] = uris.resolve(cloud, str(given["dataUri"]))
    if given["dataType"] == "uri_folder" and not given["dataUri"].endswith("/"):
        given["dataUri"] += "/"
    collected = "/paths/modelDataCollector/" in given["dataUri"]  # which a deployment fills later
    if not collected and not uris.locate(cloud, given["dataUri"]).exists():
        raise ServiceError(
            400, "UserError", f"There is nothing at '{given['dataUri']}' ({name}, {version})."
        )
    return given


def _prepare_component(_cloud: Cloud, name: str, version: str, given: Properties) -> Properties:
    spec = given["componentSpec"]
    kind = str(spec.get("type"))
    if kind not in ("command", "pipeline"):
        raise ServiceError(
            501,
            "NotImplemented",
            f"The component '{name}' is of type '{kind}': the local Azure has components of the "
            "types command and pipeline.",
        )
    if not given.get("isAnonymous"):
        given["componentSpec"] = {**spec, "name": name, "version": version}
    return given


def _described(record: Record) -> Properties:
    properties = record["properties"]
    return {
        **properties,
        "isArchived": bool(properties.get("isArchived")),
        "isAnonymous": bool(properties.get("isAnonymous")),
        "tags": properties.get("tags") or {},
        "properties": properties.get("properties") or {},
        "provisioningState": "Succeeded",
    }


def _code_members(api: ApiVersion) -> Iterable[str]:
    return (*_DESCRIBED, "codeUri", *(("provisioningState",) if api.date >= "2023" else ()))


def _missing_code(name: str, version: str | None) -> ServiceError:
    return not_found(f"code {name} (version: {version})" if version else f"code {name}")


CODES = _stored(
    "codes",
    "code",
    Object(name="CodeVersion", members={**ASSET, **STATE, "codeUri": text}, required=("codeUri",)),
    ("codeUri",),
    _prepare_code,
    members=_code_members,
    shown=lambda _cloud, record: _described(record),
    missing=_missing_code,
)
_DATA_MEMBERS = {
    **ASSET,
    **STAGE,
    "dataType": bodies.one_of("uri_file", "uri_folder", "mltable"),
    "dataUri": text,
    "referencedUris": bodies.list_of(text),
    "intellectualProperty": bodies.anything,
}


def _data_members(api: ApiVersion) -> Iterable[str]:
    if api.is_preview and api.date >= "2023":
        more = ("autoDeleteSetting", "dataUri", "stage", "intellectualProperty", "dataType")
        return (*_DESCRIBED, *more)
    return (*_DESCRIBED, "dataUri", "dataType")


def _missing_data(name: str, version: str | None) -> ServiceError:
    return not_found(f"data {name} (version: {version})" if version else f"data {name}")


DATA = _stored(
    "data",
    "data",
    Object(name="DataVersionBase", members=_DATA_MEMBERS, required=("dataType", "dataUri")),
    ("dataType", "dataUri"),
    _prepare_data,
    members=_data_members,
    shown=lambda _cloud, record: _described(record),
    missing=_missing_data,
    system_data=(*CREATED, "lastModifiedAt"),
)


def _component_members(api: ApiVersion) -> Iterable[str]:
    delete = ("autoDeleteSetting",) if api.is_preview and api.date >= "2023" else ()
    state = ("provisioningState", "stage") if api.date >= "2023" else ()
    return (*_DESCRIBED, *delete, "componentSpec", *state)


def _shown_component(cloud: Cloud, record: Record) -> Properties:
    properties = _described(record)
    spec = properties["componentSpec"]
    code, environment = (
        kinds.full_id(cloud, kinds.KINDS[plural], str(reference)) if reference else None
        for reference, plural in (
            (spec.get("code"), "codes"),
            (spec.get("environment"), "environments"),
        )
    )
    return {
        **properties,
        "description": None,  # it stands in the specification
        "stage": properties.get("stage") or "Development",
        "componentSpec": component_specs.written(spec, code=code, environment=environment),
    }


def _missing_component(name: str, version: str | None) -> ServiceError:
    what = f"component {name} (version: {version})" if version else f"component {name}"
    return not_found(what, "ComponentNotFound")


def _unchangeable_component(name: str, _version: str, fields: list[str]) -> ServiceError:
    return ServiceError(
        400,
        "UserError",
        f'Failed to update component {name} since field "{fields[0]}" is immutable, try specifying '
        "a new version.",
        inner=("BadArgument", "ArgumentInvalid", "UpdateComponentFailed"),
    )


COMPONENTS = _stored(
    "components",
    "component",
    Object(
        name="ComponentVersion",
        members={**ASSET, **STAGE, **STATE, "componentSpec": bodies.map_of(bodies.anything)},
        required=("componentSpec",),
    ),
    ("componentSpec",),
    _prepare_component,
    members=_component_members,
    shown=_shown_component,
    missing=_missing_component,
    unchangeable=_unchangeable_component,
)
for _kind in (CODES, DATA, COMPONENTS):
    declare(router, _kind)
