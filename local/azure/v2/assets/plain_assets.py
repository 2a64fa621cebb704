"""Assets that only v2 knows: codes, data and components."""

from __future__ import annotations

from collections.abc import Callable

from local.azure.kernel import bodies
from local.azure.kernel.bodies import Object, Shape, text
from local.azure.kernel.cloud import Cloud
from local.azure.kernel.http import ServiceError
from local.azure.kernel.web import ARM_HOST, Router
from local.azure.v2.assets import uris
from local.azure.v2.assets.kinds import AssetKind, Record
from local.azure.v2.assets.versions import ASSET, declare

router = Router(host=ARM_HOST)


def _stored(
    plural: str,
    word: str,
    shape: Shape,
    content: tuple[str, ...],
    prepare: Callable[[Cloud, str, str, Record], Record],
) -> AssetKind:
    """A kind of asset that only the v2 plane knows."""
    place = f"v2-{plural}"

    def put(cloud: Cloud, record: Record) -> None:
        cloud.store.put(place, f"{record['name']}/{record['version']}", record)

    return AssetKind(
        plural=plural,
        word=word,
        shape=shape,
        content=content,
        prepare=prepare,
        get=lambda cloud, name, version: cloud.store.get(place, f"{name}/{version}"),
        listed=lambda cloud, name: cloud.store.list(place, f"{name}/" if name else ""),
        put=put,
    )


def _prepare_code(cloud: Cloud, name: str, version: str, given: Record) -> Record:
    location = uris.locate(cloud, str(given.get("codeUri") or ""))
    if not location.exists():
        raise ServiceError(
            400, "UserError", f"The code {name}, {version} was not uploaded: nothing is at its URI."
        )
    return given


def _prepare_data(cloud: Cloud, name: str, version: str, given: Record) -> Record:
    given["dataUri"] = uris.resolve(cloud, str(given["dataUri"]))
    if not uris.locate(cloud, given["dataUri"]).exists():
        raise ServiceError(
            400, "UserError", f"There is nothing at '{given['dataUri']}' ({name}, {version})."
        )
    return given


def _prepare_component(_cloud: Cloud, name: str, version: str, given: Record) -> Record:
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
