"""Files of repositories (area `git`), read at a branch, tag or commit.

Shapes: learn.microsoft.com/rest/api/azure/devops/git/items.
"""

from __future__ import annotations

import base64
from typing import TypedDict

from local.azure.devops.enumerations import (
    GitObjectType,
    GitVersionType,
    VersionControlRecursionType,
)
from local.azure.devops.repos.branches import (
    REPOSITORY,
    CommitRecord,
    branch,
    commit,
    default_branch,
    digest,
)
from local.azure.devops.repos.repositories import (
    RepositoryRecord,
    api_url,
    area,
    repository_of,
)
from local.azure.kernel.cloud import Cloud
from local.azure.kernel.http import Request, Response, ServiceError

ITEMS = area.location(
    "fb93c0db-47ed-4a31-8c20-47552878fb44", REPOSITORY + "/{*path}", resource="items"
)


class _GitItem(TypedDict):
    objectId: str
    gitObjectType: GitObjectType
    commitId: str
    path: str
    url: str


class GitItem(_GitItem, total=False):
    """A file or folder."""

    isFolder: bool
    content: str


ItemsQuery = TypedDict(
    "ItemsQuery",
    {
        "path": str,
        "scopePath": str,
        "recursionLevel": VersionControlRecursionType,
        "includeContent": bool,
        "includeContentMetadata": bool,
        "includeLinks": bool,
        "latestProcessedChange": bool,
        "download": bool,
        "$format": str,
        "version": str,
        "versionType": GitVersionType,
        "versionDescriptor.version": str,
        "versionDescriptor.versionType": GitVersionType,
    },
    total=False,
)


@area.on("GET", ITEMS, "project", "repositoryId")
@area.on("GET", ITEMS, "repositoryId")
def get_items(
    cloud: Cloud, request: Request, query: ItemsQuery
) -> Response | GitItem | list[GitItem]:
    """The items below a folder, or one file: described to who accepts JSON, else its content."""
    repository = repository_of(cloud, request)
    version = version_of(
        cloud,
        repository,
        query.get("versionDescriptor.versionType", query.get("versionType", "branch")),
        query.get("versionDescriptor.version", query.get("version", "")),
    )
    path = query.get("path")
    if path is None:
        return _listed(cloud, repository, version, query)
    path = path if path.startswith("/") else f"/{path}"
    if path not in version["files"]:
        raise _missing(repository, path, version["id"])
    content = base64.b64decode(version["files"][path])
    as_json = query.get("$format", "").lower() == "json"
    as_json = as_json or request.headers.get("accept", "").startswith("application/json")
    if query.get("download") or not as_json:
        return Response(body=content, headers={"content-type": "application/octet-stream"})
    item = _file(cloud, repository, version, path)
    if query.get("includeContent"):
        item["content"] = content.decode("utf-8", "replace")
    return item


def _listed(
    cloud: Cloud, repository: RepositoryRecord, version: CommitRecord, query: ItemsQuery
) -> list[GitItem]:
    scope = "/" + query.get("scopePath", "/").strip("/")
    if scope in version["files"]:
        return [_file(cloud, repository, version, scope)]
    start = scope if scope.endswith("/") else f"{scope}/"
    below = sorted(path for path in version["files"] if path.startswith(start))
    if not below and scope != "/":
        raise _missing(repository, scope, version["id"])
    level = query.get("recursionLevel", "none")
    folders = {scope} | {
        path[:index]
        for path in below
        for index in range(len(start), len(path))
        if path[index] == "/"
    }
    if level == "none":
        folders, below = {scope}, []
    elif level != "full":
        folders = {one for one in folders if "/" not in one.removeprefix(start)} | {scope}
        below = [one for one in below if "/" not in one.removeprefix(start)]
    return [
        *(_folder(cloud, repository, version, one) for one in sorted(folders)),
        *(_file(cloud, repository, version, one) for one in below),
    ]


def _url(cloud: Cloud, repository: RepositoryRecord, version: CommitRecord, path: str) -> str:
    query = f"versionType=Commit&version={version['id']}"
    return f"{api_url(cloud, repository)}/items{path}?{query}"


def _file(cloud: Cloud, repository: RepositoryRecord, version: CommitRecord, path: str) -> GitItem:
    return {
        "objectId": digest("blob", base64.b64decode(version["files"][path])),
        "gitObjectType": "blob",
        "commitId": version["id"],
        "path": path,
        "url": _url(cloud, repository, version, path),
    }


def _folder(
    cloud: Cloud, repository: RepositoryRecord, version: CommitRecord, path: str
) -> GitItem:
    inside = sorted((one, two) for one, two in version["files"].items() if one.startswith(path))
    return {
        "objectId": digest("tree", repr(inside).encode()),
        "gitObjectType": "tree",
        "commitId": version["id"],
        "path": path,
        "isFolder": True,
        "url": _url(cloud, repository, version, path),
    }


def version_of(cloud: Cloud, repository: RepositoryRecord, kind: str, name: str) -> CommitRecord:
    """The commit of a branch (the default one without a name), of a tag, or of an id.

    Raises:
        ServiceError: 404 when there is none.
    """
    if kind == "commit":
        found = commit(cloud, repository["id"], name.lower())
    else:
        start = "refs/tags/" if kind == "tag" else "refs/heads/"
        name = name or default_branch(repository).removeprefix("refs/heads/")
        ref = branch(cloud, repository["id"], start + name)
        found = commit(cloud, repository["id"], ref["commit"]) if ref else None
    if found is None:
        raise ServiceError(
            404,
            "GitUnresolvableToCommitException",
            f"TF401175: The version descriptor <{kind.capitalize()}: {name} > could not be "
            f"resolved to a version in the repository {repository['name']}",
        )
    return found


def _missing(repository: RepositoryRecord, path: str, identity: str) -> ServiceError:
    return ServiceError(
        404,
        "GitItemNotFoundException",
        f"TF401174: The item '{path}' could not be found in the repository "
        f"'{repository['name']}' at the version specified by '<Commit: {identity} >' (resolved to "
        f"commit '{identity}')",
    )
