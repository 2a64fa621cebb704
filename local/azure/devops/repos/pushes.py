"""Pushes (area `git`): commits that add, edit, rename and delete files of one ref.

Shapes: learn.microsoft.com/rest/api/azure/devops/git/pushes/create.
"""

from __future__ import annotations

import base64
import binascii
from typing import TypedDict

from local.azure.devops.contracts import Date
from local.azure.devops.enumerations import ItemContentType, VersionControlChangeType
from local.azure.devops.errors import missing, unsupported
from local.azure.devops.repos.branches import (
    NONE,
    REPOSITORY,
    RefUpdate,
    check_tip,
    commit,
    make_commit,
    move,
)
from local.azure.devops.repos.commits import GitCommit, commit_shown
from local.azure.devops.repos.repositories import (
    GitRepository,
    RepositoryRecord,
    api_url,
    area,
    repository_of,
    shown,
)
from local.azure.devops.rest import number
from local.azure.devops.shapes import IdentityRef
from local.azure.identity.organization import organization
from local.azure.kernel.cloud import Cloud
from local.azure.kernel.http import Request, ServiceError
from local.azure.kernel.tables import Table

PUSHES = area.location(
    "ea98d07b-3c87-4971-8ede-a613694ffb55",
    REPOSITORY + "/{pushId}",
    resource="pushes",
    version=3,
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


class PushRecord(TypedDict):
    """A push as it is stored."""

    id: int
    repository: str
    name: str
    old: str
    new: str
    commits: list[str]
    date: str


class _ListedPush(TypedDict):
    pushId: int
    pushedBy: IdentityRef
    date: Date
    repository: GitRepository
    url: str


class ListedPush(_ListedPush, total=False):
    """A push in a list."""

    refUpdates: list[PushedRef]


class GitPush(TypedDict):
    """A push."""

    pushId: int
    pushedBy: IdentityRef
    date: Date
    repository: GitRepository
    refUpdates: list[PushedRef]
    commits: list[GitCommit]
    url: str


PushesQuery = TypedDict(
    "PushesQuery",
    {
        "$top": int,
        "$skip": int,
        "searchCriteria.refName": str,
        "searchCriteria.includeRefUpdates": bool,
    },
    total=False,
)


class PushQuery(TypedDict, total=False):
    """What is shown of a push: all of it."""

    includeCommits: int
    includeRefUpdates: bool


_PUSHES = Table[PushRecord]("devops-push")


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
    made = []
    for one in body["commits"]:
        for change in one.get("changes", []):
            _apply(files, change)
        parent = make_commit(cloud, repository["id"], parent, one.get("comment", ""), files)
        made.append(parent)
    move(cloud, repository, name, old, parent)
    record: PushRecord = {
        "id": _PUSHES.next_number(cloud),
        "repository": repository["id"],
        "name": name,
        "old": old,
        "new": parent,
        "commits": made,
        "date": cloud.timestamp(),
    }
    _PUSHES.insert(cloud, f"{repository['id']}/{record['id']:010}", record)
    return _shown(cloud, repository, record)


@area.on("GET", PUSHES, "project", "repositoryId")
@area.on("GET", PUSHES, "repositoryId")
def list_pushes(cloud: Cloud, request: Request, query: PushesQuery) -> list[ListedPush]:
    """The pushes of a repository, of one ref where it is given; the newest first."""
    repository = repository_of(cloud, request)
    wanted = query.get("searchCriteria.refName", "")
    found = [
        _listed(cloud, repository, one, refs=query.get("searchCriteria.includeRefUpdates", False))
        for one in reversed(_PUSHES.list(cloud, f"{repository['id']}/"))
        if wanted in ("", one["name"])
    ]
    start = query.get("$skip", 0)
    return found[start : start + query.get("$top", 100)]


@area.on("GET", PUSHES, "project", "repositoryId", "pushId")
@area.on("GET", PUSHES, "repositoryId", "pushId")
def get_push(cloud: Cloud, request: Request, query: PushQuery) -> GitPush:
    """One push with its commits."""
    del query
    repository = repository_of(cloud, request)
    identity = number(request.params["pushId"], "pushId")
    found = _PUSHES.get(cloud, f"{repository['id']}/{identity:010}")
    if found is None:
        raise ServiceError(
            404, "GitPushDoesNotExistException", f"TF401035: There is no push {identity}."
        )
    return _shown(cloud, repository, found)


def _listed(
    cloud: Cloud, repository: RepositoryRecord, record: PushRecord, *, refs: bool
) -> ListedPush:
    document: ListedPush = {
        "pushId": record["id"],
        "pushedBy": organization(cloud).user,
        "date": record["date"],
        "repository": shown(cloud, repository),
        "url": f"{api_url(cloud, repository)}/pushes/{record['id']}",
    }
    if refs:
        document["refUpdates"] = [_ref(record)]
    return document


def _ref(record: PushRecord) -> PushedRef:
    return {
        "repositoryId": record["repository"],
        "name": record["name"],
        "oldObjectId": record["old"],
        "newObjectId": record["new"],
    }


def _shown(cloud: Cloud, repository: RepositoryRecord, record: PushRecord) -> GitPush:
    return {
        "pushId": record["id"],
        "pushedBy": organization(cloud).user,
        "date": record["date"],
        "repository": shown(cloud, repository),
        "refUpdates": [_ref(record)],
        "commits": [commit_shown(cloud, repository, one) for one in record["commits"]],
        "url": f"{api_url(cloud, repository)}/pushes/{record['id']}",
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
        raise missing("newContent")
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
