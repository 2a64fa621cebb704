"""Branches and commits (area `git`): refs are listed, created, moved, deleted and locked.

A commit keeps the files of its tree; there is no git transport. Deviating from git, a commit's id
is a digest of what we keep of it. Shapes: learn.microsoft.com/rest/api/azure/devops/git/refs.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import TypedDict

from local.azure.devops.contracts import Date, ReadOnly
from local.azure.devops.enumerations import GitRefUpdateStatus
from local.azure.devops.repos.repositories import (
    MAIN,
    RepositoryRecord,
    api_url,
    area,
    repository_of,
    set_default_branch,
)
from local.azure.devops.shapes import IdentityRef
from local.azure.identity.organization import organization
from local.azure.kernel.cloud import Cloud
from local.azure.kernel.http import Request, ServiceError
from local.azure.kernel.store import AlreadyExists
from local.azure.kernel.tables import Table

REPOSITORY = "{project}/_apis/{area}/repositories/{repositoryId}/{resource}"
REFS = area.location(
    "2d874a60-a811-4f62-9c9f-963a6ea0a55b",
    REPOSITORY + "/{*filter}",
    resource="refs",
    version=2,
)
NONE = "0" * 40


class BranchRecord(TypedDict):
    """A ref as it is stored; `name` is whole, such as refs/heads/main."""

    repository: str
    name: str
    commit: str
    isLocked: bool


class CommitRecord(TypedDict):
    """A commit as it is stored; `files`: base64 content by path."""

    id: str
    repository: str
    parent: str
    comment: str
    date: str
    files: dict[str, str]


_BRANCHES = Table[BranchRecord]("devops-branch")
_COMMITS = Table[CommitRecord]("devops-commit")


class _GitRef(TypedDict):
    name: str
    objectId: str
    creator: IdentityRef
    url: str


class GitRef(_GitRef, total=False):
    """A ref; one that is locked tells by whom."""

    isLocked: bool
    isLockedBy: IdentityRef


class Author(TypedDict):
    """Who made a commit."""

    name: str
    email: str
    date: Date


class RefUpdate(TypedDict, total=False):
    """A ref to create, move or delete."""

    name: str
    oldObjectId: str
    newObjectId: str
    isLocked: bool
    repositoryId: ReadOnly


class RefUpdateResult(TypedDict):
    """What became of a RefUpdate."""

    repositoryId: str
    name: str
    oldObjectId: str
    newObjectId: str
    isLocked: bool
    updateStatus: GitRefUpdateStatus
    success: bool


RefsQuery = TypedDict(
    "RefsQuery",
    {
        "filter": str,
        "filterContains": str,
        "includeLinks": bool,
        "peelTags": bool,
        "latestStatusesOnly": bool,
        "$top": int,
    },
    total=False,
)


class RefQuery(TypedDict):
    """The ref of a change."""

    filter: str


class RefLock(TypedDict):
    """The body that locks a ref."""

    isLocked: bool


def branches_of(cloud: Cloud, repository: str) -> list[BranchRecord]:
    """The refs of a repository."""
    return _BRANCHES.list(cloud, f"{repository}/")


def branch(cloud: Cloud, repository: str, name: str) -> BranchRecord | None:
    """A ref by its whole name."""
    return _BRANCHES.get(cloud, f"{repository}/{name}")


def commit(cloud: Cloud, repository: str, identity: str) -> CommitRecord | None:
    """A commit by its whole id."""
    return _COMMITS.get(cloud, f"{repository}/{identity}")


def make_commit(
    cloud: Cloud, repository: str, parent: str, comment: str, files: Mapping[str, str]
) -> str:
    """Keep a commit; returns its id."""
    date = cloud.timestamp()
    identity = digest("commit", repr((parent, comment, date, sorted(files.items()))).encode())
    record: CommitRecord = {
        "id": identity,
        "repository": repository,
        "parent": parent,
        "comment": comment,
        "date": date,
        "files": dict(files),
    }
    _COMMITS.put(cloud, f"{repository}/{identity}", record)
    return identity


def move(cloud: Cloud, repository: RepositoryRecord, name: str, old: str, new: str) -> None:
    """Point a ref from a commit to another, atomically; the first becomes the default branch.

    Raises:
        ServiceError: 409 when it does not stand at `old` any more.
    """
    key = f"{repository['id']}/{name}"
    record: BranchRecord = {
        "repository": repository["id"],
        "name": name,
        "commit": new,
        "isLocked": False,
    }

    def change(stored: BranchRecord) -> None:
        if stored["commit"] != old:
            raise _stale(name)
        stored["commit"] = new

    try:
        if old == NONE:
            _BRANCHES.insert(cloud, key, record)
        else:
            _BRANCHES.update(cloud, key, change)
    except (AlreadyExists, KeyError):
        raise _stale(name) from None
    if name.startswith("refs/heads/"):
        set_default_branch(cloud, repository["id"], name)


def remove(cloud: Cloud, repository: str, name: str) -> None:
    """Delete a ref; its commits stay."""
    _BRANCHES.delete(cloud, f"{repository}/{name}")


def check_tip(cloud: Cloud, repository: str, name: str, expected: str) -> BranchRecord | None:
    """The ref, which must stand where the caller saw it. Raises ServiceError 409."""
    found = branch(cloud, repository, name)
    if expected != (found["commit"] if found else NONE):
        raise _stale(name)
    return found


def _stale(name: str) -> ServiceError:
    return ServiceError(
        409,
        "GitReferenceStaleException",
        f"TF401028: The reference '{name}' has already been updated by another client, so you "
        "cannot update it. Please try again.",
    )


def author_of(cloud: Cloud, stored: CommitRecord) -> Author:
    """Who made a commit: the one user."""
    user = organization(cloud).user
    return {"name": user["displayName"], "email": user["uniqueName"], "date": stored["date"]}


def default_branch(repository: RepositoryRecord) -> str:
    """The whole name of the branch that is meant where none is named."""
    return repository["defaultBranch"] or MAIN


def digest(kind: str, content: bytes) -> str:
    """The id that git gives to an object."""
    header = f"{kind} {len(content)}\0".encode()
    return hashlib.sha1(header + content, usedforsecurity=False).hexdigest()


@area.on("GET", REFS, "project", "repositoryId")
@area.on("GET", REFS, "repositoryId")
def list_refs(cloud: Cloud, request: Request, query: RefsQuery) -> list[GitRef]:
    """The refs, by the beginning of their name after `refs/` or by a text in it."""
    repository = repository_of(cloud, request)
    start, part = "refs/" + query.get("filter", ""), query.get("filterContains", "")
    found = [
        _shown(cloud, repository, one)
        for one in branches_of(cloud, repository["id"])
        if one["name"].startswith(start) and part.lower() in one["name"].lower()
    ]
    return found[: query.get("$top", len(found))]


@area.on("POST", REFS, "project", "repositoryId")
@area.on("POST", REFS, "repositoryId")
def update_refs(cloud: Cloud, request: Request, body: list[RefUpdate]) -> list[RefUpdateResult]:
    """Create, move or delete refs; each answers for itself."""
    _refuse_jobs(request)
    repository = repository_of(cloud, request)
    return [_update(cloud, repository, one) for one in body]


@area.on("PATCH", REFS, "project", "repositoryId")
@area.on("PATCH", REFS, "repositoryId")
def update_ref(cloud: Cloud, request: Request, query: RefQuery, body: RefLock) -> GitRef:
    """Lock or unlock a ref."""
    _refuse_jobs(request)
    repository = repository_of(cloud, request)
    name = query["filter"]
    name = name if name.startswith("refs/") else f"refs/{name}"

    def change(stored: BranchRecord) -> None:
        stored["isLocked"] = body["isLocked"]

    try:
        changed = _BRANCHES.update(cloud, f"{repository['id']}/{name}", change)
    except KeyError:
        raise ServiceError(
            404, "GitReferenceNotFoundException", f"TF401035: There is no reference '{name}'."
        ) from None
    return _shown(cloud, repository, changed)


def _update(cloud: Cloud, repository: RepositoryRecord, given: RefUpdate) -> RefUpdateResult:
    name, new = given.get("name", ""), given.get("newObjectId", NONE)
    old, known = given.get("oldObjectId", NONE), branch(cloud, repository["id"], name)
    status = "succeeded"
    if not name.startswith(("refs/heads/", "refs/tags/")):
        status = "invalidRefName"
    elif old != (known["commit"] if known else NONE):
        status = "staleOldObjectId"
    elif known is not None and known["isLocked"]:
        status = "locked"
    elif new == NONE:
        remove(cloud, repository["id"], name)
    elif commit(cloud, repository["id"], new) is None:
        status = "unresolvableToCommit"
    else:
        move(cloud, repository, name, old, new)
    return {
        "repositoryId": repository["id"],
        "name": name,
        "oldObjectId": old,
        "newObjectId": new,
        "isLocked": False,
        "updateStatus": status,
        "success": status == "succeeded",
    }


def _shown(cloud: Cloud, repository: RepositoryRecord, stored: BranchRecord) -> GitRef:
    user = organization(cloud).user
    below = stored["name"].removeprefix("refs/")
    document: GitRef = {
        "name": stored["name"],
        "objectId": stored["commit"],
        "creator": user,
        "url": f"{api_url(cloud, repository)}/refs?filter={below}",
    }
    if stored["isLocked"]:
        document["isLocked"] = True
        document["isLockedBy"] = user
    return document


def _refuse_jobs(request: Request) -> None:
    if request.caller:
        raise ServiceError(403, "GitNeedsPermissionException", "A job may not change refs here.")
