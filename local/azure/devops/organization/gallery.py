"""The Marketplace (area `gallery`), as far as `tfx extension publish` and `share` ask it.

It is no organization's: its addresses name none, and clients ask `OPTIONS _apis/gallery` where
things are (microsoft/azure-devops-node-api, api/GalleryApi.ts and VsoClient.ts). A package is read
for the identity in its `extension.vsixmanifest` and validated at once. Its newest version can be
downloaded again as the asset `Microsoft.VisualStudio.Services.VSIXPackage`.

An organisation that has the extension receives each new version at once, and of its tasks those
whose own version it does not have yet: a task of a version that is known stays as it was
(learn.microsoft.com/azure/devops/extend/develop/add-build-task, "Update your extension").
"""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Callable
from typing import Any, TypedDict

from local.azure.devops.builds.plans import keep, kept
from local.azure.devops.errors import error_answer
from local.azure.devops.organization.access import authenticate
from local.azure.devops.rest import Area, Location
from local.azure.kernel.cloud import Cloud
from local.azure.kernel.http import Request, Response, ServiceError, json_response
from local.azure.kernel.tables import Table
from local.azure.kernel.web import ANY, Handler, Router

HOST = "marketplace.visualstudio.com"
_AREA = Area("gallery", id=None, host=HOST)
EXTENSIONS = _AREA.location(
    "a41192c8-9525-4b58-bc86-179fa549d80d",
    "_apis/{area}/extensions",
    resource="extensions",
    version=2,
    released=0.0,
)
EXTENSION = _AREA.location(
    "e11ea35a-16fe-4b80-ab11-c4cab88a0966",
    "_apis/{area}/publishers/{publisherName}/{resource}/{extensionName}",
    resource="extensions",
    version=2,
    released=0.0,
)
SHARES = _AREA.location(
    "a1e66d8f-f5de-4d16-8309-91a4e015ee46",
    "_apis/{area}/publishers/{publisherName}/extensions/{extensionName}/{resource}/{accountName}",
    resource="accounts",
    released=0.0,
)
ASSET = _AREA.location(
    "7529171f-a002-4180-93ba-685f358a0482",
    "_apis/{area}/publisher/{publisherName}/extension/{extensionName}/{version}/assetbyname/{assetType}",
    resource="assetbyname",
    released=0.0,
)
PACKAGE_ASSET = "Microsoft.VisualStudio.Services.VSIXPackage"
router = Router(HOST)
_VALIDATED = 1
_IDENTITY = re.compile(rb"<Identity\b[^>]*>")
_ATTRIBUTE = re.compile(rb'(\w+)="([^"]*)"')


class Package(TypedDict):
    """The identity that a package's manifest tells."""

    publisher: str
    name: str
    version: str


class ExtensionRecord(Package):
    """A published extension as it is stored; `versions` has the newest first."""

    versions: list[str]
    sharedWith: list[str]
    lastUpdated: str


class PackageRecord(TypedDict):
    """A package of an extension as it is stored."""

    digest: str


_EXTENSIONS = Table[ExtensionRecord]("gallery-extension")
_PACKAGES = Table[PackageRecord]("gallery-package")
UPDATED: list[Callable[[Cloud, ExtensionRecord], None]] = []
"""Called with each extension that is published: organizations receive a new version at once."""


def find_extension(cloud: Cloud, publisher: str, name: str) -> ExtensionRecord | None:
    """A published extension as it is stored, or None."""
    return _EXTENSIONS.get(cloud, f"{publisher}.{name}".lower())


def _on(methods: str, location: Location) -> Callable[[Handler], Handler]:
    path = location.template.replace("{area}", location.area).replace(
        "{resource}", location.resource
    )

    def declare(handler: Handler) -> Handler:
        router.route(methods, f"/{path}", authenticated=False, query=ANY)(_guarded(handler))
        return handler

    return declare


def _guarded(handler: Handler) -> Handler:
    def guard(cloud: Cloud, request: Request) -> Response:
        try:
            if authenticate(cloud, request):
                raise ServiceError(403, "AccessDeniedException", "A job may not publish.")
            return handler(cloud, request)
        except ServiceError as error:
            return error_answer(error)

    return guard


@router.route("OPTIONS", "/_apis/gallery", authenticated=False, query=ANY)
def options(_cloud: Cloud, _request: Request) -> Response:
    """Where things are."""
    found = [one.document() for one in _AREA.locations]
    return json_response({"count": len(found), "value": found})


@_on("POST", EXTENSIONS)
def create_extension(cloud: Cloud, request: Request) -> Response:
    """Publish a new extension."""
    made = _read(request.body)
    if find_extension(cloud, made["publisher"], made["name"]) is not None:
        raise ServiceError(
            409, "ExtensionAlreadyExistsException", "The extension already exists; update it."
        )
    return _put(cloud, made, request.body, versions=[], shared=[])


@_on("PUT", EXTENSION)
def update_extension(cloud: Cloud, request: Request) -> Response:
    """Publish a new version; the version must be another."""
    stored = _stored(cloud, request)
    made = _read(request.body)
    if made["version"] in stored["versions"]:
        raise ServiceError(
            400,
            "VersionAlreadyExistsException",
            f"Version number must increase each time an extension is published. Extension: "
            f"{made['publisher']}.{made['name']} Current version: {stored['version']} "
            f"Updated version: {made['version']}",
        )
    return _put(cloud, made, request.body, versions=stored["versions"], shared=stored["sharedWith"])


@_on("GET", ASSET)
def get_asset(cloud: Cloud, request: Request) -> Response:
    """The package of a version, as it was published."""
    stored = _stored(cloud, request)
    kind = request.params["assetType"]
    if kind != PACKAGE_ASSET:
        raise ServiceError(501, "NotImplementedException", f"There is no asset {kind} here.")
    version = request.params["version"]
    found = _PACKAGES.get(cloud, f"{_key(stored)} {version}")
    if found is None:
        raise ServiceError(404, "VersionDoesNotExistException", f"There is no version {version}.")
    data = kept(cloud, found["digest"])
    return Response(status=200, body=data, headers={"content-type": "application/vsix"})


@_on("GET", EXTENSION)
def get_extension(cloud: Cloud, request: Request) -> Response:
    """One extension with its versions and whom it is shared with."""
    return json_response(_shown(_stored(cloud, request)))


@_on("POST", SHARES)
def share_extension(cloud: Cloud, request: Request) -> Response:
    """Show an extension to an organisation."""
    stored = _stored(cloud, request)
    account = request.params["accountName"].lower()
    shared = sorted({*stored["sharedWith"], account})
    _EXTENSIONS.put(cloud, _key(stored), {**stored, "sharedWith": shared})
    return Response(status=204)


def _stored(cloud: Cloud, request: Request) -> ExtensionRecord:
    publisher, name = request.params["publisherName"], request.params["extensionName"]
    found = find_extension(cloud, publisher, name)
    if found is None:
        raise ServiceError(
            404,
            "ExtensionDoesNotExistException",
            f"The extension {publisher}.{name} does not exist.",
        )
    return found


def package_of(cloud: Cloud, extension: ExtensionRecord) -> bytes:
    """The newest package of an extension, as it was published."""
    found = _PACKAGES.get(cloud, f"{_key(extension)} {extension['version']}")
    if found is None:
        raise KeyError(_key(extension))
    return kept(cloud, found["digest"])


def _put(
    cloud: Cloud, made: Package, package: bytes, *, versions: list[str], shared: list[str]
) -> Response:
    record: ExtensionRecord = {
        "publisher": made["publisher"],
        "name": made["name"],
        "version": made["version"],
        "versions": [made["version"], *versions],
        "sharedWith": shared,
        "lastUpdated": cloud.timestamp(),
    }
    _PACKAGES.put(cloud, f"{_key(record)} {made['version']}", {"digest": keep(cloud, package)})
    _EXTENSIONS.put(cloud, _key(record), record)
    for listener in UPDATED:
        listener(cloud, record)
    return json_response(_shown(record))


def _key(package: Package) -> str:
    return f"{package['publisher']}.{package['name']}".lower()


def _read(package: bytes) -> Package:
    try:
        with zipfile.ZipFile(io.BytesIO(package)) as archive:
            manifest = archive.read("extension.vsixmanifest")
    except (zipfile.BadZipFile, KeyError):
        raise ServiceError(
            400, "InvalidPackageFormatException", "The package is no VSIX with a manifest."
        ) from None
    identity = _IDENTITY.search(manifest)
    found = dict(_ATTRIBUTE.findall(identity[0])) if identity else {}
    names = {"name": b"Id", "publisher": b"Publisher", "version": b"Version"}
    if not all(found.get(key) for key in names.values()):
        raise ServiceError(
            400, "InvalidPackageFormatException", "The manifest has no Id, Publisher and Version."
        )
    identity_of = {name: found[key].decode() for name, key in names.items()}
    return {
        "publisher": identity_of["publisher"],
        "name": identity_of["name"],
        "version": identity_of["version"],
    }


def _shown(stored: ExtensionRecord) -> dict[str, Any]:
    return {
        "extensionId": f"{stored['publisher']}.{stored['name']}",
        "extensionName": stored["name"],
        "publisher": {"publisherName": stored["publisher"]},
        "lastUpdated": stored["lastUpdated"],
        "versions": [
            {"version": one, "flags": _VALIDATED, "lastUpdated": stored["lastUpdated"]}
            for one in stored["versions"]
        ],
        "sharedWith": [{"type": "account", "name": one} for one in stored["sharedWith"]],
    }
