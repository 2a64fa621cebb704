"""The environment service: named and versioned definitions. What builds them is in virtualenvs.py.

Protocol: azureml._restclient.environment_client. A definition that equals the newest version of its
name is not given a new number, as in Azure ML.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NotRequired, TypedDict, cast

from local.azure.kernel.cloud import Cloud
from local.azure.kernel.http import Request, Response, ServiceError, json_response
from local.azure.kernel.tables import Table
from local.azure.kernel.web import Router
from local.azure.registry.curated import Conda, conda_of_curated

router = Router()
_API = "/environment/v1.0{workspace}/environments"
CURATED = ("AzureML", "Microsoft")


class PythonSection(TypedDict, total=False):
    """How the packages of an environment are found; condaDependencies: a conda file as JSON."""

    userManagedDependencies: bool
    interpreterPath: str
    condaDependencies: Conda


class DockerSection(TypedDict, total=False):
    """The image that an environment starts from."""

    baseImage: str | None
    baseDockerfile: str | None


class Definition(TypedDict):
    """An environment of v1. What else a client sends is kept and given back unread."""

    name: str
    version: NotRequired[str]
    python: NotRequired[PythonSection]
    docker: NotRequired[DockerSection]
    environmentVariables: NotRequired[dict[str, str]]


_ENVIRONMENTS: Table[Definition] = Table("environment")


def find_registered(cloud: Cloud, name: str, version: str) -> Definition | None:
    """A definition that somebody registered, or None."""
    return _ENVIRONMENTS.get(cloud, _key(name, version))


def registered(cloud: Cloud, name: str | None) -> list[Definition]:
    """The registered versions of a name, or those of all names; oldest first."""
    return _ENVIRONMENTS.list(cloud, _key(name, "") if name else "")


def keep(cloud: Cloud, name: str, version: str, definition: Definition) -> None:
    """Register a version, or replace it."""
    _ENVIRONMENTS.put(cloud, _key(name, version), definition)


@router.route("PUT", _API + "/{name}")
@router.route("PUT", _API + "/{name}/versions/{version}")
def register(cloud: Cloud, request: Request) -> Response:
    """Register a definition; without a version it gets the next number."""
    name = request.params["name"]
    if name.startswith(CURATED):
        raise ServiceError(
            400, "UserError", f"Names that start with {' or '.join(CURATED)} are reserved."
        )
    definition = _camel_case(request.json_object())
    versions = registered(cloud, name)
    version = request.params.get("version")
    if version is None:
        if versions and _content(versions[-1]) == _content(definition):
            return json_response(versions[-1])
        known = [found.get("version", "") for found in versions]
        numbers = [int(number) for number in known if number.isdigit()]
        version = str(max(numbers, default=0) + 1)
    made: Definition = {**definition, "name": name, "version": version}
    keep(cloud, name, version, made)
    return json_response(made)


@router.route("GET", _API + "/{name}")
@router.route("GET", _API + "/{name}/versions/{version}")
@router.route("GET", _API + "/{name}/labels/{label}")
def get(cloud: Cloud, request: Request) -> Response:
    """A definition: by version, or the newest one."""
    name, version = request.params["name"], request.params.get("version")
    label = request.params.get("label", "latest").lower()
    versions = registered(cloud, name) if label == "latest" else []
    wanted = [each for each in versions if version in (None, each.get("version"))]
    found = wanted[-1] if wanted else None
    if found is None and label == "latest":
        found = curated_definition(name, version)
    if found is None:
        hint = (
            " The local Azure knows the packages of a few curated environments only: "
            "describe the environment by conda dependencies."
            if name.startswith(CURATED)
            else ""
        )
        what = f"'{name}'" if version is None else f"'{name}', version '{version}',"
        raise ServiceError(
            404, "NotFound", f"Environment {what} is not registered in the workspace.{hint}"
        )
    return json_response(found)


@router.route("GET", _API)
def list_all(cloud: Cloud, _request: Request) -> Response:
    """The newest version of every name."""
    newest = {found["name"]: found for found in registered(cloud, None)}
    return json_response({"value": list(newest.values()), "continuationToken": None})


def curated_definition(name: str, version: str | None) -> Definition | None:
    """A curated environment of the workspace as a definition, or None for what is not known.

    version: a whole number; None is version 1. The packages of all versions are the same here.
    """
    version = version or "1"
    known = conda_of_curated(name) if name.lower().startswith("azureml-") else None
    if known is None or not version.isdigit():
        return None
    return {
        "name": name,
        "version": version,
        "python": {"userManagedDependencies": False, "condaDependencies": known[0]},
        "docker": {"baseImage": f"mcr.microsoft.com/azureml/curated/{name[8:].lower()}:{version}"},
        "environmentVariables": {},
    }


def _key(name: str, version: str) -> str:
    return f"{name}/{version}"


def _content(definition: Definition) -> Mapping[str, object]:
    return {key: value for key, value in definition.items() if key not in ("name", "version")}


def _camel_case(body: Mapping[str, object]) -> Definition:
    """The SDK sends some keys in PascalCase and reads all of them in camelCase."""
    return cast("Definition", {key[:1].lower() + key[1:]: value for key, value in body.items()})
