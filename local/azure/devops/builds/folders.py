"""Folders of build definitions (area `build`)."""

from __future__ import annotations

from typing import TypedDict

from local.azure.devops.builds.definitions import area
from local.azure.devops.contracts import Date, ReadOnly
from local.azure.devops.enumerations import FolderQueryOrder
from local.azure.devops.organization.projects import (
    ProjectRecord,
    project_of,
    reference,
    when_deleted,
)
from local.azure.devops.shapes import IdentityRef, TeamProjectReference
from local.azure.identity.organization import organization
from local.azure.kernel.cloud import Cloud
from local.azure.kernel.http import Request, ServiceError
from local.azure.kernel.tables import Table

FOLDERS = area.location(
    "a906531b-d2da-4f55-bda7-f3e676cc50d9",
    "{project}/_apis/{area}/{resource}/{*path}",
    resource="folders",
    version=2,
    minimum=3.0,
    released=0.0,
)
ROOT = "\\"


class FolderRecord(TypedDict):
    """A folder as it is stored; its path begins with a backslash."""

    project: str
    path: str
    description: str
    createdOn: str
    changedOn: str


_FOLDERS = Table[FolderRecord]("devops-folder")


class FolderBody(TypedDict, total=False):
    """The body that creates or changes a folder."""

    path: str
    description: str
    createdBy: ReadOnly
    createdOn: ReadOnly
    lastChangedBy: ReadOnly
    lastChangedDate: ReadOnly
    project: ReadOnly


class _Folder(TypedDict):
    path: str
    createdOn: Date
    project: TeamProjectReference


class Folder(_Folder, total=False):
    """A folder; the root has no author."""

    description: str
    createdBy: IdentityRef
    lastChangedDate: Date
    lastChangedBy: IdentityRef


class FoldersQuery(TypedDict, total=False):
    """In which order folders are listed."""

    queryOrder: FolderQueryOrder


@area.on("GET", FOLDERS, "project")
@area.on("GET", FOLDERS, "project", "path")
def list_folders(cloud: Cloud, request: Request, query: FoldersQuery) -> list[Folder]:
    """All folders with the root, or those at and below a path."""
    project = project_of(cloud, request)
    path = _path(request.params.get("path", ""))
    start = path if path == ROOT else f"{path}\\"
    found = [
        one
        for one in _FOLDERS.list(cloud, f"{project['id']}/")
        if f"{one['path']}\\".lower().startswith(start.lower())
    ]
    if path == ROOT:
        root: FolderRecord = {
            "project": project["id"],
            "path": ROOT,
            "description": "",
            "createdOn": project["createdTime"],
            "changedOn": "",
        }
        found.insert(0, root)
    found.sort(
        key=lambda one: one["path"].lower(), reverse=query.get("queryOrder") == "folderDescending"
    )
    return [_shown(cloud, project, one) for one in found]


@area.on("PUT", FOLDERS, "project", "path")
def create_folder(cloud: Cloud, request: Request, body: FolderBody) -> Folder:
    """Create a folder, with the folders above it."""
    project, path = project_of(cloud, request), _path(request.params["path"])
    if _FOLDERS.get(cloud, _key(project, path)) is not None:
        raise ServiceError(
            400, "FolderExistsException", f"A folder with the path {path} already exists."
        )
    parts = path.strip("\\").split("\\")
    for count in range(1, len(parts) + 1):
        one = ROOT + "\\".join(parts[:count])
        if _FOLDERS.get(cloud, _key(project, one)) is None:
            record: FolderRecord = {
                "project": project["id"],
                "path": one,
                "description": body.get("description", "") if one == path else "",
                "createdOn": cloud.timestamp(),
                "changedOn": "",
            }
            _FOLDERS.insert(cloud, _key(project, one), record)
    return _shown(cloud, project, _folder(cloud, project, path))


@area.on("POST", FOLDERS, "project", "path")
def update_folder(cloud: Cloud, request: Request, body: FolderBody) -> Folder:
    """Change the path or the description of a folder."""
    project, path = project_of(cloud, request), _path(request.params["path"])
    found = _folder(cloud, project, path)
    new: FolderRecord = {
        **found,
        "path": _path(body.get("path", path)),
        "description": body.get("description", found["description"]),
        "changedOn": cloud.timestamp(),
    }
    _FOLDERS.delete(cloud, _key(project, path))
    _FOLDERS.put(cloud, _key(project, new["path"]), new)
    return _shown(cloud, project, new)


@area.on("DELETE", FOLDERS, "project", "path")
def delete_folder(cloud: Cloud, request: Request) -> None:
    """Delete a folder and those below it."""
    project, path = project_of(cloud, request), _path(request.params["path"])
    _folder(cloud, project, path)
    for one in _FOLDERS.list(cloud, f"{project['id']}/"):
        if f"{one['path']}\\".lower().startswith(f"{path}\\".lower()):
            _FOLDERS.delete(cloud, _key(project, one["path"]))


def _folder(cloud: Cloud, project: ProjectRecord, path: str) -> FolderRecord:
    found = _FOLDERS.get(cloud, _key(project, path))
    if found is None:
        raise ServiceError(404, "FolderNotFoundException", f"Folder {path} was not found.")
    return found


def _path(text: str) -> str:
    return ROOT + text.replace("/", "\\").strip("\\ ")


def _key(project: ProjectRecord, path: str) -> str:
    return f"{project['id']}/{path.lower()}"


def _shown(cloud: Cloud, project: ProjectRecord, stored: FolderRecord) -> Folder:
    document: Folder = {
        "path": stored["path"],
        "createdOn": stored["createdOn"],
        "project": reference(cloud, project),
    }
    if stored["path"] != ROOT:
        document["createdBy"] = organization(cloud).user
    if stored["description"]:
        document["description"] = stored["description"]
    if stored["changedOn"]:
        document["lastChangedDate"] = stored["changedOn"]
        document["lastChangedBy"] = organization(cloud).user
    return document


@when_deleted
def _forget(cloud: Cloud, project: str) -> None:
    for one in _FOLDERS.list(cloud, f"{project}/"):
        _FOLDERS.delete(cloud, f"{project}/{one['path'].lower()}")
