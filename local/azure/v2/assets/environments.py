"""v2's view of environments, and what a job's environment id leads to.

local/azure/registry/environments.py is the one store of environments; what only v2 knows of one
(image, conda file, tags, ...) is kept beside it. virtualenvs.py builds what can be built.
"""

from __future__ import annotations

import functools
import json
import re
from collections.abc import Iterable, Mapping
from typing import TypedDict, cast

import yaml

from local.azure.kernel import bodies
from local.azure.kernel.bodies import Object, text
from local.azure.kernel.cloud import Cloud, ml_time
from local.azure.kernel.http import ServiceError
from local.azure.kernel.tables import Table
from local.azure.registry import environments as v1
from local.azure.registry.curated import Conda, conda_of_curated, conda_of_image, curated_names
from local.azure.registry.environments import Definition
from local.azure.resources.arm import CREATION_TIME
from local.azure.v2.assets.kinds import AssetKind, Properties, Record, exists, find, not_found
from local.azure.v2.assets.versions import ASSET, STAGE, STATE, declare
from local.azure.v2.resources import ApiVersion, front_end_router, parse_asset_id

router = front_end_router()


class Extras(Properties, TypedDict):
    """What only v2 knows of an environment."""

    created: str
    modified: str


_EXTRAS: Table[Extras] = Table("environment-v2")
_REGISTRY = re.compile(
    r"(?:azureml:)?azureml://registries/([^/]+)/environments/([^/]+)/(?:versions|labels)/[^/]+"
)


def definition(cloud: Cloud, environment_id: str) -> tuple[Definition, list[str]]:
    """The v1 definition that conda.py reads for an environment id of a job, and notes for its log.

    Raises ServiceError for what is not registered or cannot be built here.
    """
    registry = _REGISTRY.fullmatch(environment_id)
    if registry:
        return _curated(registry[2], environment_id)
    name, version, label = parse_asset_id(environment_id, "environments")
    found = find(cloud, KIND, name, version, label)
    if found is None:
        if name.startswith(v1.CURATED):
            return _curated(name, environment_id)
        raise ServiceError(404, "UserError", f"The environment '{name}:{version}' is not there.")
    registered = v1.find_registered(cloud, name, found["version"])
    if registered is None:
        return _curated(name, environment_id)
    if _extras(cloud, name, found["version"]) is None:  # registered by v1, in the form needed
        return registered, []
    return _built_from(name, found["properties"])


def _curated(name: str, environment_id: str) -> tuple[Definition, list[str]]:
    found = conda_of_curated(name)
    if found is None:
        raise ServiceError(
            400,
            "ImageBuildFailure",
            f"The environment '{environment_id}' is an image that the local Azure has nothing for. "
            f"It knows the packages of {', '.join(curated_names())}. Describe the environment by a "
            "conda file instead.",
        )
    return _definition(name, found[0]), [found[1]]


def _built_from(name: str, properties: Properties) -> tuple[Definition, list[str]]:
    image = properties.get("image")
    if properties.get("build"):
        raise ServiceError(
            400,
            "ImageBuildFailure",
            f"The environment '{name}' is built from a Dockerfile, and the local Azure has no "
            "Docker. Describe it by a conda file instead.",
        )
    conda = properties.get("condaFile")
    if conda:
        notes = [f"Python packages stand for the image '{image}' too"] if image else []
        return _definition(name, _read_conda(name, conda)), notes
    found = conda_of_image(image or "")
    if found is None:
        raise ServiceError(
            400,
            "ImageBuildFailure",
            f"The environment '{name}' is the image '{image}', and the local Azure has no Docker. "
            "Describe what the job needs by a conda file.",
        )
    return _definition(name, found[0]), [found[1]]


def _definition(name: str, conda: Conda) -> Definition:
    return {
        "name": name,
        "python": {"userManagedDependencies": False, "condaDependencies": conda},
        "docker": {},
        "environmentVariables": {},
    }


def _read_conda(name: str, content: str) -> Conda:
    try:
        conda = yaml.safe_load(content)
    except yaml.YAMLError as error:
        raise ServiceError(
            400, "UserError", f"The conda file of the environment '{name}' is no YAML: {error}"
        ) from None
    if not isinstance(conda, dict):
        raise ServiceError(400, "UserError", f"The conda file of '{name}' is no YAML mapping.")
    return cast("Conda", conda)


# --- the view -----------------------------------------------------------------------------------


def _get(cloud: Cloud, name: str, version: str) -> Record | None:
    found = v1.find_registered(cloud, name, version) or v1.curated_definition(name, version)
    return _record(cloud, found) if found else None


def _listed(cloud: Cloud, name: str | None) -> list[Record]:
    registered = v1.registered(cloud, name)
    if name and not registered:
        curated = v1.curated_definition(name, None)
        registered = [curated] if curated else []
    return [_record(cloud, found) for found in registered]


def _extras(cloud: Cloud, name: str, version: str) -> Extras | None:
    return _EXTRAS.get(cloud, f"{name}/{version}")


def _record(cloud: Cloud, found: Definition) -> Record:
    name, version = found["name"], found.get("version", "")
    extras = _extras(cloud, name, version)
    conda = (found.get("python") or {}).get("condaDependencies")
    # v1 keeps no times: such an environment is shown to be as old as the workspace.
    created = extras["created"] if extras else ml_time(CREATION_TIME)
    properties: Properties = {
        "description": None,
        "tags": {},
        "properties": {},
        "isArchived": False,
        "isAnonymous": False,
        "image": (found.get("docker") or {}).get("baseImage"),
        "condaFile": yaml.safe_dump(conda, sort_keys=False) if conda else None,
        "environmentType": "UserCreated",
        "osType": "Linux",
        "stage": None,
        "provisioningState": "Succeeded",
        **_own(extras),
    }
    return {
        "name": name,
        "version": version,
        "created": created,
        "modified": extras["modified"] if extras else created,
        "properties": properties,
    }


def _own(extras: Extras | None) -> Properties:
    known: Mapping[str, object] = extras or {}
    own = {name: value for name, value in known.items() if name not in ("created", "modified")}
    return cast("Properties", own)


def _prepare(_cloud: Cloud, name: str, _version: str, given: Properties) -> Properties:
    if name.startswith(v1.CURATED):
        raise ServiceError(
            400, "UserError", f"Names that start with {' or '.join(v1.CURATED)} are reserved."
        )
    if not (given.get("image") or given.get("build")):
        raise ServiceError(400, "UserError", f"The environment '{name}' has no image or build.")
    conda = given.get("condaFile")
    if conda:
        _read_conda(name, conda)
    return given


def _put(cloud: Cloud, record: Record) -> None:
    name, version, properties = record["name"], record["version"], record["properties"]
    extras: Extras = {
        **properties,
        "created": record["created"],
        "modified": record["modified"],
    }
    _EXTRAS.put(cloud, f"{name}/{version}", extras)
    if v1.find_registered(cloud, name, version) is None:
        conda = properties.get("condaFile")
        shared: Definition = {
            **_definition(name, _read_conda(name, conda) if conda else {}),
            "version": version,
            "docker": {"baseImage": properties.get("image"), "baseDockerfile": None},
        }
        if not conda:
            shared["python"] |= {"userManagedDependencies": True, "interpreterPath": "python"}
        v1.keep(cloud, name, version, shared)


_ROUTE = Object(name="Route", members={"path": text, "port": bodies.number})
_MEMBERS: dict[str, bodies.Shape] = {
    **ASSET,
    **STAGE,
    **STATE,
    "autoRebuild": text,
    "build": Object(
        name="BuildContext",
        members={"contextUri": text, "dockerfilePath": text},
        required=("contextUri",),
    ),
    "condaFile": text,
    "environmentType": text,
    "image": text,
    "imageDetails": bodies.anything,
    "inferenceConfig": Object(
        name="InferenceContainerProperties",
        members=dict.fromkeys(
            ("livenessRoute", "readinessRoute", "scoringRoute", "startupRoute"), _ROUTE
        ),
    ),
    "intellectualProperty": bodies.anything,
    "osType": text,
}


def _members_of(api: ApiVersion) -> Iterable[str]:
    is_later_preview = api.is_preview and api.date >= "2023"
    return (
        *("description", "tags", "properties", "isArchived", "isAnonymous"),
        *(("autoDeleteSetting",) if is_later_preview else ()),
        *("environmentType", "image", "condaFile", "osType", "autoRebuild"),
        *(("provisioningState", "stage") if api.date >= "2023" else ()),
        *(("intellectualProperty",) if is_later_preview else ()),
    )


def _shown(cloud: Cloud, record: Record) -> Properties:
    """The conda file as JSON, whatever it was; the newest version of a name has a label."""
    properties = record["properties"]
    conda = properties.get("condaFile")
    is_anonymous = bool(properties.get("isAnonymous"))
    newest = None if is_anonymous else find(cloud, KIND, record["name"], None)
    label = "latest" if newest and newest["version"] == record["version"] else ""
    return {
        **properties,
        "tags": properties.get("tags") or {},
        "properties": {**(properties.get("properties") or {}), "azureml.labels": label},
        "isAnonymous": is_anonymous,
        "condaFile": json.dumps(_read_conda(record["name"], conda), indent=2) if conda else "",
        "autoRebuild": properties.get("autoRebuild") or "Disabled",
        "stage": properties.get("stage") or ("Logged" if is_anonymous else "Development"),
    }


def _missing(name: str, version: str | None) -> ServiceError:
    what = f"environment {name} (version: {version})" if version else f"environment {name}"
    return not_found(what)


KIND = AssetKind(
    plural="environments",
    word="environment",
    shape=Object(name="EnvironmentVersion", members=_MEMBERS),
    content=("image", "condaFile"),
    prepare=_prepare,
    get=_get,
    listed=_listed,
    put=_put,
    members=_members_of,
    shown=_shown,
    missing=_missing,
    unchangeable=functools.partial(exists, "environment"),
)
declare(router, KIND)
