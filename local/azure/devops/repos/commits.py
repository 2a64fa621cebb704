"""Commits (area `git`): one by its id, and those that a branch, tag or commit comes from."""

from __future__ import annotations

from typing import TypedDict

from local.azure.devops.enumerations import GitVersionType
from local.azure.devops.repos.branches import (
    REPOSITORY,
    Author,
    CommitRecord,
    author_of,
    commit,
)
from local.azure.devops.repos.items import version_of
from local.azure.devops.repos.repositories import (
    RepositoryRecord,
    api_url,
    area,
    repository_of,
)
from local.azure.kernel.cloud import Cloud
from local.azure.kernel.http import Request, ServiceError

COMMITS = area.location(
    "c2570c3b-5b3f-41b8-98bf-5407bfde8d58",
    REPOSITORY + "/{commitId}",
    resource="commits",
    version=2,
)


class GitCommit(TypedDict):
    """A commit in a list or a push."""

    commitId: str
    author: Author
    committer: Author
    comment: str
    url: str


class WholeCommit(GitCommit):
    """A commit by itself."""

    parents: list[str]
    treeId: str


CommitsQuery = TypedDict(
    "CommitsQuery",
    {
        "searchCriteria.itemVersion.version": str,
        "searchCriteria.itemVersion.versionType": GitVersionType,
        "searchCriteria.$top": int,
        "searchCriteria.$skip": int,
        "$top": int,
        "$skip": int,
    },
    total=False,
)


@area.on("GET", COMMITS, "project", "repositoryId")
@area.on("GET", COMMITS, "repositoryId")
def list_commits(cloud: Cloud, request: Request, query: CommitsQuery) -> list[GitCommit]:
    """The commits that a version comes from, the newest first; of a merge its first parent's."""
    repository = repository_of(cloud, request)
    found: list[CommitRecord] = []
    next_one: CommitRecord | None = version_of(
        cloud,
        repository,
        query.get("searchCriteria.itemVersion.versionType", "branch"),
        query.get("searchCriteria.itemVersion.version", ""),
    )
    while next_one is not None:
        found.append(next_one)
        next_one = commit(cloud, repository["id"], next_one["parent"])
    start = query.get("searchCriteria.$skip", query.get("$skip", 0))
    end = start + query.get("searchCriteria.$top", query.get("$top", 100))
    return [commit_shown(cloud, repository, one["id"]) for one in found[start:end]]


@area.on("GET", COMMITS, "project", "repositoryId", "commitId")
@area.on("GET", COMMITS, "repositoryId", "commitId")
def get_commit(cloud: Cloud, request: Request) -> WholeCommit:
    """One commit."""
    repository = repository_of(cloud, request)
    found = commit(cloud, repository["id"], request.params["commitId"].lower())
    if found is None:
        raise _missing(request.params["commitId"])
    shown = commit_shown(cloud, repository, found["id"])
    parents = [found["parent"]] if commit(cloud, repository["id"], found["parent"]) else []
    return {
        "commitId": shown["commitId"],
        "author": shown["author"],
        "committer": shown["committer"],
        "comment": shown["comment"],
        "url": shown["url"],
        "parents": parents,
        "treeId": found["id"],
    }


def commit_shown(cloud: Cloud, repository: RepositoryRecord, identity: str) -> GitCommit:
    """A commit as pushes and lists show it. Raises ServiceError 404."""
    stored = commit(cloud, repository["id"], identity)
    if stored is None:
        raise _missing(identity)
    author = author_of(cloud, stored)
    return {
        "commitId": identity,
        "author": author,
        "committer": author,
        "comment": stored["comment"],
        "url": f"{api_url(cloud, repository)}/commits/{identity}",
    }


def _missing(identity: str) -> ServiceError:
    return ServiceError(
        404,
        "GitCommitDoesNotExistException",
        f"TF401177: The commit {identity} was not found in the repository.",
    )
