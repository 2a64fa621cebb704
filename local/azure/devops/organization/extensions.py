"""Installed extensions (area `ExtensionManagement`), out of the gallery once they are shared."""

from __future__ import annotations

from typing import TypedDict

from local.azure.devops.contracts import Date
from local.azure.devops.organization import tasks
from local.azure.devops.organization.gallery import (
    UPDATED,
    ExtensionRecord,
    find_extension,
    package_of,
)
from local.azure.devops.rest import Area
from local.azure.identity.organization import ORGANIZATION_HOST, organization
from local.azure.kernel.cloud import Cloud
from local.azure.kernel.http import Request, ServiceError
from local.azure.kernel.tables import Table

HOST = f"extmgmt.{ORGANIZATION_HOST}"
area = Area("ExtensionManagement", id="6c2b0933-3600-42ae-bf8b-93d4f7e83594", host=HOST)
BY_NAME = area.location(
    "fb0da285-f23e-4b56-8b53-3ef5f9f6de66",
    "_apis/{area}/{resource}/{publisherName}/{extensionName}/{version}",
    resource="InstalledExtensionsByName",
    released=0.0,
)
INSTALLED = area.location(
    "275424d0-c844-4fe2-bda6-04933a1357d8",
    "_apis/{area}/{resource}",
    resource="InstalledExtensions",
    released=0.0,
)


class InstallState(TypedDict):
    """How an extension is installed."""

    flags: str
    lastUpdated: Date


class InstalledExtension(TypedDict):
    """An installed extension, stored as it is shown."""

    publisherId: str
    publisherName: str
    extensionId: str
    extensionName: str
    version: str
    installState: InstallState


class InstalledQuery(TypedDict, total=False):
    """What is shown of an extension; there are no assets."""

    assetTypes: list[str]


_INSTALLED = Table[InstalledExtension]("devops-installed-extension")


class ListQuery(TypedDict, total=False):
    """Which extensions are listed; none is disabled or has errors, and there are no assets."""

    includeDisabledExtensions: bool
    includeErrors: bool
    assetTypes: list[str]
    includeInstallationIssues: bool


@area.on("GET", INSTALLED)
def list_installed(cloud: Cloud, query: ListQuery) -> list[InstalledExtension]:
    """The installed extensions."""
    del query
    return _INSTALLED.list(cloud)


@area.on("GET", BY_NAME, "publisherName", "extensionName")
def get_installed(cloud: Cloud, request: Request, query: InstalledQuery) -> InstalledExtension:
    """One installed extension. 404 where it is not installed."""
    del query
    found = _INSTALLED.get(cloud, _key(request))
    if found is None:
        raise ServiceError(
            404,
            "InstalledExtensionNotFoundException",
            f"TF1590010: The extension {_name(request)} is not installed in this organization.",
        )
    return found


@area.on("POST", BY_NAME, "publisherName", "extensionName")
@area.on("POST", BY_NAME, "publisherName", "extensionName", "version")
def install(cloud: Cloud, request: Request) -> InstalledExtension:
    """Install an extension that the gallery shows to this organization."""
    found = find_extension(cloud, request.params["publisherName"], request.params["extensionName"])
    if found is None or organization(cloud).name not in found["sharedWith"]:
        raise ServiceError(
            404,
            "ExtensionDoesNotExistException",
            f"The extension {_name(request)} does not exist or is not shared with this "
            "organization.",
        )
    if _INSTALLED.get(cloud, _key(request)) is not None:
        raise ServiceError(
            409,
            "ExtensionAlreadyInstalledException",
            f"TF1590010: The extension {_name(request)} is already installed.",
        )
    made: InstalledExtension = {
        "publisherId": found["publisher"],
        "publisherName": found["publisher"],
        "extensionId": found["name"],
        "extensionName": found["name"],
        "version": found["version"],
        "installState": {"flags": "none", "lastUpdated": cloud.timestamp()},
    }
    _INSTALLED.insert(cloud, _key(request), made)
    tasks.receive(cloud, _name(request), found["version"], package_of(cloud, found))
    return made


def _update(cloud: Cloud, extension: ExtensionRecord) -> None:
    """Take the new version of an extension that is installed."""
    name = f"{extension['publisher']}.{extension['name']}"

    def change(installed: InstalledExtension) -> None:
        installed["version"] = extension["version"]

    if _INSTALLED.get(cloud, name.lower()) is not None:
        _INSTALLED.update(cloud, name.lower(), change)
        tasks.receive(cloud, name, extension["version"], package_of(cloud, extension))


UPDATED.append(_update)


def _name(request: Request) -> str:
    return f"{request.params['publisherName']}.{request.params['extensionName']}"


def _key(request: Request) -> str:
    return _name(request).lower()
