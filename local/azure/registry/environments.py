"""The environment service: named and versioned definitions. What builds them is in virtualenvs.py.

Protocol: azureml._restclient.environment_client. A definition that equals the newest version of its
name is not given a new number, as in Azure ML.
"""

from __future__ import annotations

from typing import Any

from local.azure.kernel.cloud import Cloud
from local.azure.kernel.http import Request, Response, ServiceError, json_response
from local.azure.kernel.web import Router
from local.azure.registry.curated import conda_of_curated

router = Router()
_API = "/environment/v1.0{workspace}/environments"
KIND = "environment"
CURATED = ("AzureML", "Microsoft")


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
    versions = _versions(cloud, name)
    version = request.params.get("version")
    if version is None:
        if versions and _content(versions[-1]) == _content(definition):
            return json_response(versions[-1])
        numbers = [int(found["version"]) for found in versions if found["version"].isdigit()]
        version = str(max(numbers, default=0) + 1)
    registered = {**definition, "name": name, "version": version}
    cloud.store.put(KIND, _key(name, version), registered)
    return json_response(registered)


@router.route("GET", _API + "/{name}")
@router.route("GET", _API + "/{name}/versions/{version}")
@router.route("GET", _API + "/{name}/labels/{label}")
def get(cloud: Cloud, request: Request) -> Response:
    """A definition: by version, or the newest one."""
    name, version = request.params["name"], request.params.get("version")
    label = request.params.get("label", "latest").lower()
    versions = _versions(cloud, name) if label == "latest" else []
    found = next((each for each in reversed(versions) if version in (None, each["version"])), None)
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
    newest = {found["name"]: found for found in cloud.store.list(KIND)}
    return json_response({"value": list(newest.values()), "continuationToken": None})


def curated_definition(name: str, version: str | None) -> dict[str, Any] | None:
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


def _versions(cloud: Cloud, name: str) -> list[dict[str, Any]]:
    return cloud.store.list(KIND, prefix=f"{name}/")


def _content(definition: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in definition.items() if key not in ("name", "version")}


def _camel_case(definition: dict[str, Any]) -> dict[str, Any]:
    """The SDK sends some keys in PascalCase and reads all of them in camelCase."""
    return {key[:1].lower() + key[1:]: value for key, value in definition.items()}
