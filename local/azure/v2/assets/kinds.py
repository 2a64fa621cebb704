"""The kinds of named and versioned assets, by the path segment that names them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from local.azure.kernel.bodies import Shape
from local.azure.kernel.cloud import Cloud
from local.azure.kernel.http import ServiceError

Record = dict[str, Any]


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
    prepare: Callable[[Cloud, str, str, Record], Record]
    get: Callable[[Cloud, str, str], Record | None]
    listed: Callable[[Cloud, str | None], list[Record]]
    put: Callable[[Cloud, Record], None]


# Every kind that has routes, by its `plural`; `versions.declare` adds them at import.
KINDS: dict[str, AssetKind] = {}


def find(
    cloud: Cloud, kind: AssetKind, name: str, version: str | None, label: str | None = None
) -> Record | None:
    """An asset by version or by the label `latest`, or None."""
    if version is not None:
        return kind.get(cloud, name, version)
    if label not in (None, "latest"):
        raise ServiceError(400, "UserError", f"The label '{label}' is not known; 'latest' is.")
    versions = [one for one in kind.listed(cloud, name) if not one["properties"].get("isArchived")]
    return versions[-1] if versions else None
