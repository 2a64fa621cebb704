"""Assets that only v2 knows: codes, data and components."""

from __future__ import annotations

from collections.abc import Callable

from local.azure.azure import Azure
from local.azure.v2 import bodies, uris
from local.azure.v2.assets import ASSET, AssetKind, Record, declare
from local.azure.v2.bodies import Object, Shape, text
from local.azure.web import ARM_HOST, Router, ServiceError

router = Router(host=ARM_HOST)


def _stored(
    plural: str,
    word: str,
    shape: Shape,
    content: tuple[str, ...],
    prepare: Callable[[Azure, str, str, Record], Record],
) -> AssetKind:
    """A kind of asset that only the v2 plane knows."""
    place = f"v2-{plural}"

    def put(azure: Azure, record: Record) -> None:
        azure.store.put(place, f"{record['name']}/{record['version']}", record)

    return AssetKind(
        plural=plural,
        word=word,
        shape=shape,
        content=content,
        prepare=prepare,
        get=lambda azure, name, version: azure.store.get(place, f"{name}/{version}"),
        listed=lambda azure, name: azure.store.list(place, f"{name}/" if name else ""),
        put=put,
    )


def _prepare_code(azure: Azure, name: str, version: str, given: Record) -> Record:
    location = uris.locate(azure, str(given.get("codeUri") or ""))
    if not location.exists():
        raise ServiceError(
            400, "UserError", f"The code {name}, {version} was not uploaded: nothing is at its URI."
        )
    return given


def _prepare_data(azure: Azure, name: str, version: str, given: Record) -> Record:
    given["dataUri"] = uris.resolve(azure, str(given["dataUri"]))
    if not uris.locate(azure, given["dataUri"]).exists():
        raise ServiceError(
            400, "UserError", f"There is nothing at '{given['dataUri']}' ({name}, {version})."
        )
    return given


def _prepare_component(_azure: Azure, name: str, version: str, given: Record) -> Record:
    spec = given["componentSpec"]
    kind = str(spec.get("type"))
    if kind not in ("command", "pipeline"):
        raise ServiceError(
            501,
            "NotImplemented",
            f"The component '{name}' is of type '{kind}': the local Azure has components of the "
            "types command and pipeline.",
        )
    given["componentSpec"] = {**spec, "name": name, "version": version}
    return given


CODES = _stored(
    "codes",
    "code",
    Object(name="CodeVersion", members={**ASSET, "codeUri": text}, required=("codeUri",)),
    ("codeUri",),
    _prepare_code,
)
_DATA_MEMBERS = {
    **ASSET,
    "dataType": bodies.one_of("uri_file", "uri_folder", "mltable"),
    "dataUri": text,
    "referencedUris": bodies.list_of(text),
    "intellectualProperty": bodies.anything,
}
DATA = _stored(
    "data",
    "data",
    Object(name="DataVersionBase", members=_DATA_MEMBERS, required=("dataType", "dataUri")),
    ("dataType", "dataUri"),
    _prepare_data,
)
COMPONENTS = _stored(
    "components",
    "component",
    Object(
        name="ComponentVersion",
        members={**ASSET, "componentSpec": bodies.map_of(bodies.anything)},
        required=("componentSpec",),
    ),
    ("componentSpec",),
    _prepare_component,
)
for _kind in (CODES, DATA, COMPONENTS):
    declare(router, _kind)
