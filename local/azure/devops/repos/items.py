"""Files of repositories (area `git`): read at a branch, tag or commit, changed by pushes.

Shapes: learn.microsoft.com/rest/api/azure/devops/git/items and /pushes/create.
"""

from __future__ import annotations

import base64
import binascii
from typing import TypedDict

from local.azure.devops.contracts import Date, unsupported
from local.azure.devops.enumerations import (
    GitObjectType,
    GitVersionType,
    ItemContentType,
    VersionControlChangeType,
    VersionControlRecursionType,
)
from local.azure.devops.repos.branches import (
    NONE,
    REPOSITORY,
    Author,
    CommitRecord,
    RefUpdate,
    author_of,
    branch,
    check_tip,
    commit,
    default_branch,
    digest,
    make_commit,
    move,
)
from local.azure.devops.repos.repositories import (
    GitRepository,
    RepositoryRecord,
    api_url,
    area,
    repository_of,
    shown,
)
from local.azure.devops.shapes import IdentityRef
from local.azure.identity.organization import organization
from local.azure.kernel.cloud import Cloud
from local.azure.kernel.http import Request, Response, ServiceError

PUSHES = area.location(
    "ea98d07b-3c87-4971-8ede-a613694ffb55",
    REPOSITORY + "/{pushId}",
    resource="pushes",
    version=3,
)
ITEMS = area.location(
    "fb93c0db-47ed-4a31-8c20-47552878fb44", REPOSITORY + "/{*path}", resource="items"
)


class ItemPath(TypedDict, total=False):
    """The item that a change is of."""

    path: str


class ItemContent(TypedDict):
    """What a change makes an item."""

    content: str
    contentType: ItemContentType


class Change(TypedDict, total=False):
    """A change of a file in a commit."""

    changeType: VersionControlChangeType
    item: ItemPath
    newContent: ItemContent
    sourceServerItem: str


class NewCommit(TypedDict, total=False):
    """A commit of a push."""

    comment: str
    changes: list[Change]


class NewPush(TypedDict):
    """The body of a push: one ref and the commits on top of it."""

    refUpdates: list[RefUpdate]
    commits: list[NewCommit]


class PushedRef(TypedDict):
    """The ref that a push moved."""

    repositoryId: str
    name: str
    oldObjectId: str
    newObjectId: str


class PushedCommit(TypedDict):
    """A commit of a push."""

    commitId: str
    author: Author
    committer: Author
    comment: str
    url: str


class GitPush(TypedDict):
    """A push."""

    pushId: int
    pushedBy: IdentityRef
    date: Date
    repository: GitRepository
    refUpdates: list[PushedRef]
    commits: list[PushedCommit]
    url: str


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


# --- items ----------------------------------------------------------------------------------------


@area.on("GET", ITEMS, "project", "repositoryId")
@area.on("GET", ITEMS, "repositoryId")
def get_items(
    cloud: Cloud, request: Request, query: ItemsQuery
) -> Response | GitItem | list[GitItem]:
    """The items below a folder, or one file: described to who accepts JSON, else its content."""
    repository = repository_of(cloud, request)
    version = _version(cloud, repository, query)
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


def _version(cloud: Cloud, repository: RepositoryRecord, query: ItemsQuery) -> CommitRecord:
    """The commit that a query means: of a branch, a tag or by its id."""
    kind = query.get("versionDescriptor.versionType", query.get("versionType", "branch"))
    name = query.get("versionDescriptor.version", query.get("version", ""))
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


# --- pushes ---------------------------------------------------------------------------------------


@area.on("POST", PUSHES, "project", "repositoryId", status=201)
@area.on("POST", PUSHES, "repositoryId", status=201)
def create_push(cloud: Cloud, request: Request, body: NewPush) -> GitPush:
    """Add commits to one ref; the tip that was read must be the present one."""
    repository = repository_of(cloud, request)
    if request.caller:
        raise ServiceError(403, "GitNeedsPermissionException", "A job may not push here.")
    if len(body["refUpdates"]) != 1:
        raise unsupported("A push changes one ref in the local Azure.")
    update = body["refUpdates"][0]
    name, old = update.get("name", ""), update.get("oldObjectId", NONE)
    known = check_tip(cloud, repository["id"], name, old)
    if known is not None and known["isLocked"]:
        raise ServiceError(
            403, "GitRefLockedException", f"TF402455: Pushes to {name} are not permitted: locked."
        )
    tip = commit(cloud, repository["id"], known["commit"]) if known else None
    files, parent = dict(tip["files"]) if tip else {}, old
    pushed = []
    for one in body["commits"]:
        for change in one.get("changes", []):
            _apply(files, change)
        parent = make_commit(cloud, repository["id"], parent, one.get("comment", ""), files)
        pushed.append(_pushed(cloud, repository, parent))
    move(cloud, repository, name, parent)
    number = cloud.store.next_number("devops-push")
    return {
        "pushId": number,
        "pushedBy": organization(cloud).user,
        "date": cloud.timestamp(),
        "repository": shown(cloud, repository),
        "refUpdates": [
            {
                "repositoryId": repository["id"],
                "name": name,
                "oldObjectId": old,
                "newObjectId": parent,
            }
        ],
        "commits": pushed,
        "url": f"{api_url(cloud, repository)}/pushes/{number}",
    }


def _pushed(cloud: Cloud, repository: RepositoryRecord, identity: str) -> PushedCommit:
    stored = commit(cloud, repository["id"], identity)
    if stored is None:
        raise KeyError(identity)
    author = author_of(cloud, stored)
    return {
        "commitId": identity,
        "author": author,
        "committer": author,
        "comment": stored["comment"],
        "url": f"{api_url(cloud, repository)}/commits/{identity}",
    }


def _apply(files: dict[str, str], change: Change) -> None:
    kind, path = change.get("changeType", "none"), change.get("item", {}).get("path", "")
    path = path if path.startswith("/") else f"/{path}"
    if kind == "rename":
        source = change.get("sourceServerItem", "")
        if source not in files or path in files:
            raise _unsuited(path, kind)
        files[path] = files.pop(source)
        return
    if kind not in ("add", "edit", "delete"):
        raise unsupported(f"The local Azure does not know the change '{kind}' of a push.")
    if (path in files) == (kind == "add"):
        raise _unsuited(path, kind)
    if kind == "delete":
        del files[path]
        return
    if "newContent" not in change:
        raise ServiceError(
            400, "ArgumentNullException", "Value cannot be null. (Parameter 'newContent')"
        )
    content = change["newContent"]["content"]
    if change["newContent"]["contentType"] == "base64Encoded":
        files[path] = _checked_base64(content)
    else:
        files[path] = base64.b64encode(content.encode()).decode()


def _checked_base64(content: str) -> str:
    try:
        base64.b64decode(content, validate=True)
    except binascii.Error:
        raise ServiceError(
            400, "ArgumentException", "The newContent of a change is no base64."
        ) from None
    return content


def _unsuited(path: str, kind: str) -> ServiceError:
    return ServiceError(
        400, "GitItemException", f"TF401035: The path {path} does not suit the change {kind}."
    )
