"""The kinds of named and versioned assets, by the path segment that names them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TypedDict

from local.azure.kernel.bodies import Shape
from local.azure.kernel.cloud import Cloud
from local.azure.kernel.http import ServiceError
from local.azure.v2.assets.component_specs import Spec
from local.azure.v2.resources import CREATED_AND_MODIFIED, ApiVersion, parse_asset_id


class Described(TypedDict, total=False):
    """What every version, and every name of an asset, says of itself."""

    description: str | None
    tags: dict[str, str | None] | None
    properties: dict[str, str | None] | None
    isArchived: bool
    provisioningState: str


class Properties(Described, total=False):
    """The properties of a version of any kind: each kind has some of them."""

    isAnonymous: bool
    stage: str | None
    autoDeleteSetting: object
    intellectualProperty: object
    # Codes
    codeUri: str
    # Data
    dataUri: str
    dataType: str
    referencedUris: list[str]
    # Components
    componentSpec: Spec
    # Models
    modelUri: str
    modelType: str
    flavors: object
    jobName: str | None
    datasets: object
    systemMetadata: object
    defaultDeploymentTemplate: object
    # Environments
    image: str | None
    condaFile: str | None
    build: object
    inferenceConfig: object
    imageDetails: object
    autoRebuild: str
    environmentType: str
    osType: str


class Record(TypedDict):
    """A version of an asset. created, modified: times as Azure ML writes them."""

    name: str
    version: str
    properties: Properties
    created: str
    modified: str


@dataclass(frozen=True, kw_only=True)
class AssetKind:
    """A kind of asset: its path segment, body, and where its versions are kept.

    listed: gives the records of a name (None: of all), oldest first. content: the properties that
    never change. members: those that an api-version shows. shown: how the service writes them.
    missing: its 404 for a name and a version. unchangeable: its refusal of another content.
    """

    plural: str
    word: str
    shape: Shape
    content: tuple[str, ...]
    prepare: Callable[[Cloud, str, str, Properties], Properties]
    get: Callable[[Cloud, str, str], Record | None]
    listed: Callable[[Cloud, str | None], list[Record]]
    put: Callable[[Cloud, Record], None]
    members: Callable[[ApiVersion], Iterable[str]]
    shown: Callable[[Cloud, Record], Properties]
    missing: Callable[[str, str | None], ServiceError]
    unchangeable: Callable[[str, str, list[str]], ServiceError]
    system_data: tuple[str, ...] = CREATED_AND_MODIFIED


def not_found(what: str, *inner: str) -> ServiceError:
    """404 of an asset. inner: ever more specific codes."""
    return ServiceError(404, "UserError", f"Not found {what}.", inner=("NotFound", *inner))


def exists(word: str, name: str, version: str, fields: list[str]) -> ServiceError:
    """409: another content under a version that is taken."""
    return ServiceError(
        409,
        "UserError",
        f"A {word} version with this name and version already exists: {name}, {version}. "
        f"Its {', '.join(fields)} cannot be changed; use another version.",
        inner=("Conflict",),
    )


# azure.ai.ml.constants._common.DEFAULT_COMPONENT_VERSION.
_DEFAULT_VERSION = "azureml_default"

# Every kind that has routes, by its `plural`; `versions.declare` adds them at import.
KINDS: dict[str, AssetKind] = {}


def find(
    cloud: Cloud, kind: AssetKind, name: str, version: str | None, label: str | None = None
) -> Record | None:
    """An asset by version or by the label `latest`, or None.

    The version `azureml_default` of a component is its newest one: azure-ai-ml asks for it when
    a script names no version.
    """
    if kind.plural == "components" and version == _DEFAULT_VERSION:
        version = None
    if version is not None:
        return kind.get(cloud, name, version)
    if label not in (None, "latest"):
        raise ServiceError(400, "UserError", f"The label '{label}' is not known; 'latest' is.")
    versions = [one for one in kind.listed(cloud, name) if not one["properties"].get("isArchived")]
    return versions[-1] if versions else None


def full_id(cloud: Cloud, kind: AssetKind, reference: str) -> str:
    """The id of a version that any form of reference stands for, as specifications have it.

    What is of a registry, or nothing that is known, stays as it is.
    """
    if reference.startswith("azureml:azureml://"):
        return reference.removeprefix("azureml:")
    if reference.startswith("azureml://"):
        return reference
    try:
        name, version, label = parse_asset_id(reference, kind.plural)
        found = find(cloud, kind, name, version, label)
    except ServiceError:
        return reference
    version = found["version"] if found else version
    return f"azureml:{cloud.workspace_scope}/{kind.plural}/{name}/versions/{version}"
