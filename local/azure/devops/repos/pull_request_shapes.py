"""Pull requests as they are stored and as they are shown, in the three forms of the service.

A list shows less than one pull request, and one by its id alone has no links.
"""

from __future__ import annotations

import uuid
from typing import TypedDict, cast

from local.azure.devops.contracts import Date, ReadOnly, Unread
from local.azure.devops.enumerations import (
    CommentThreadStatus,
    CommentType,
    ProjectVisibility,
    PullRequestAsyncStatus,
    PullRequestStatus,
)
from local.azure.devops.organization.projects import find_project
from local.azure.devops.repos.branches import Author, author_of, commit
from local.azure.devops.repos.repositories import (
    GitRepository,
    RepositoryRecord,
    api_url,
)
from local.azure.devops.repos.repositories import shown as repository_shown
from local.azure.devops.shapes import IdentityRef, Links
from local.azure.identity.organization import organization
from local.azure.kernel.cloud import Cloud


class ReviewerRecord(TypedDict):
    """A reviewer as it is stored."""

    id: str
    vote: int
    isRequired: bool
    isFlagged: bool
    hasDeclined: bool


class CompletionOptions(TypedDict, total=False):
    """How a pull request is completed. Without history, all strategies end in the same files."""

    mergeStrategy: str
    squashMerge: bool
    mergeCommitMessage: str
    deleteSourceBranch: bool
    transitionWorkItems: bool
    bypassPolicy: bool
    bypassReason: str
    triggeredByAutoComplete: ReadOnly
    autoCompleteIgnoreConfigIds: ReadOnly


class Comment(TypedDict):
    """A comment of a thread."""

    id: int
    parentCommentId: int
    author: IdentityRef
    content: str
    publishedDate: Date
    lastUpdatedDate: Date
    lastContentUpdatedDate: Date
    commentType: CommentType
    isDeleted: bool
    usersLiked: list[IdentityRef]


class Thread(TypedDict):
    """A thread, stored as it is shown; its properties carry their types."""

    id: int
    publishedDate: Date
    lastUpdatedDate: Date
    comments: list[Comment]
    status: CommentThreadStatus
    properties: dict[str, Unread]
    isDeleted: bool


class PullRequestRecord(TypedDict):
    """A pull request as it is stored; texts are empty for what has not happened."""

    id: int
    repository: str
    title: str
    description: str
    sourceRefName: str
    targetRefName: str
    status: str
    isDraft: bool
    creationDate: str
    closedDate: str
    mergeId: str
    mergeStatus: str
    sourceCommit: str
    targetCommit: str
    mergeCommit: str
    completionOptions: CompletionOptions
    reviewers: list[ReviewerRecord]
    labels: list[str]
    threads: list[Thread]


class CommitReference(TypedDict):
    """A commit by its id."""

    commitId: str
    url: str


class CommitShown(CommitReference, total=False):
    """A commit with its author."""

    author: Author
    committer: Author
    comment: str


class Reviewer(TypedDict):
    """A reviewer and the vote."""

    reviewerUrl: str
    vote: int
    hasDeclined: bool
    isFlagged: bool
    displayName: str
    url: str
    _links: Links
    id: str
    uniqueName: str
    imageUrl: str


class Label(TypedDict):
    """A label."""

    id: str
    name: str
    active: bool


class ListedProject(TypedDict):
    """A project in the list of pull requests."""

    id: str
    name: str
    state: str
    visibility: ProjectVisibility
    lastUpdateTime: Date


class ListedRepository(TypedDict):
    """A repository in the list of pull requests."""

    id: str
    name: str
    url: str
    project: ListedProject


class _Common(TypedDict):
    pullRequestId: int
    codeReviewId: int
    status: PullRequestStatus
    createdBy: IdentityRef
    creationDate: Date
    title: str
    description: str
    sourceRefName: str
    targetRefName: str
    isDraft: bool
    mergeId: str
    lastMergeSourceCommit: CommitReference
    lastMergeTargetCommit: CommitReference
    reviewers: list[Reviewer]
    url: str
    supportsIterations: bool


class _Closing(_Common, total=False):
    mergeStatus: PullRequestAsyncStatus
    lastMergeCommit: CommitShown
    closedDate: Date
    closedBy: IdentityRef
    completionOptions: CompletionOptions
    completionQueueTime: Date
    labels: list[Label]


class ListedPullRequest(_Closing):
    """A pull request in a list."""

    repository: ListedRepository


class GitPullRequest(_Closing):
    """A pull request by its id alone."""

    repository: GitRepository
    artifactId: str


class LinkedPullRequest(GitPullRequest):
    """A pull request of a repository."""

    _links: Links


def listed(
    cloud: Cloud, repository: RepositoryRecord, record: PullRequestRecord
) -> ListedPullRequest:
    """A pull request in a list; of its project a list shows little."""
    project = find_project(cloud, repository["project"])
    document = cast("ListedPullRequest", _common(cloud, repository, record, whole=False))
    document["repository"] = {
        "id": repository["id"],
        "name": repository["name"],
        "url": api_url(cloud, repository),
        "project": {
            "id": project["id"],
            "name": project["name"],
            "state": "unchanged",
            "visibility": "unchanged",
            "lastUpdateTime": "0001-01-01T00:00:00",
        },
    }
    return document


def shown(cloud: Cloud, repository: RepositoryRecord, record: PullRequestRecord) -> GitPullRequest:
    """A pull request without links."""
    document = cast("GitPullRequest", _common(cloud, repository, record, whole=True))
    document["repository"] = repository_shown(cloud, {**repository, "defaultBranch": ""})
    place = f"{repository['project']}%2f{repository['id']}%2f{record['id']}"
    document["artifactId"] = f"vstfs:///Git/PullRequestId/{place}"
    return document


def linked(
    cloud: Cloud, repository: RepositoryRecord, record: PullRequestRecord, *, labels: bool = False
) -> LinkedPullRequest:
    """A pull request with links; with an empty list of `labels` where it is new."""
    document = cast("LinkedPullRequest", shown(cloud, repository, record))
    base, url = api_url(cloud, repository), document["url"]
    source = record["sourceRefName"].removeprefix("refs/")
    target = record["targetRefName"].removeprefix("refs/")
    document["_links"] = {
        "self": {"href": url},
        "repository": {"href": base},
        "workItems": {"href": f"{url}/workitems"},
        "sourceBranch": {"href": f"{base}/refs/{source}"},
        "targetBranch": {"href": f"{base}/refs/{target}"},
        "statuses": {"href": f"{url}/statuses"},
        "sourceCommit": {"href": document["lastMergeSourceCommit"]["url"]},
        "targetCommit": {"href": document["lastMergeTargetCommit"]["url"]},
        "createdBy": {"href": document["createdBy"]["url"]},
        "iterations": {"href": f"{url}/iterations"},
    }
    if labels:
        document.setdefault("labels", [])
    return document


def reviewer_shown(cloud: Cloud, url: str, record: ReviewerRecord) -> Reviewer:
    """A reviewer of the pull request at `url`."""
    user = organization(cloud).user
    return {
        "reviewerUrl": f"{url}/reviewers/{record['id']}",
        "vote": record["vote"],
        "hasDeclined": record["hasDeclined"],
        "isFlagged": record["isFlagged"],
        "displayName": user["displayName"],
        "url": user["url"],
        "_links": user["_links"],
        "id": user["id"],
        "uniqueName": user["uniqueName"],
        "imageUrl": user["imageUrl"],
    }


def url_of(cloud: Cloud, repository: RepositoryRecord, record: PullRequestRecord) -> str:
    """Where a pull request answers."""
    return f"{api_url(cloud, repository)}/pullRequests/{record['id']}"


def _common(
    cloud: Cloud, repository: RepositoryRecord, record: PullRequestRecord, *, whole: bool
) -> _Closing:
    base, url = api_url(cloud, repository), url_of(cloud, repository, record)
    user = organization(cloud).user

    def reference(identity: str) -> CommitReference:
        return {"commitId": identity, "url": f"{base}/commits/{identity}"}

    document: _Closing = {
        "pullRequestId": record["id"],
        "codeReviewId": record["id"],
        "status": record["status"],
        "createdBy": user,
        "creationDate": record["creationDate"],
        "title": record["title"],
        "description": record["description"],
        "sourceRefName": record["sourceRefName"],
        "targetRefName": record["targetRefName"],
        "isDraft": record["isDraft"],
        "mergeId": record["mergeId"],
        "lastMergeSourceCommit": reference(record["sourceCommit"]),
        "lastMergeTargetCommit": reference(record["targetCommit"]),
        "reviewers": [reviewer_shown(cloud, url, one) for one in record["reviewers"]],
        "url": url,
        "supportsIterations": True,
    }
    if record["status"] != "abandoned":
        document["mergeStatus"] = record["mergeStatus"]
    if record["mergeCommit"] and record["mergeStatus"] != "queued":
        merge = cast("CommitShown", reference(record["mergeCommit"]))
        stored = commit(cloud, repository["id"], record["mergeCommit"])
        if whole and stored is not None:
            merge["author"] = merge["committer"] = author_of(cloud, stored)
            merge["comment"] = stored["comment"]
        document["lastMergeCommit"] = merge
    _add_closing(document, record, user)
    return document


def _add_closing(document: _Closing, record: PullRequestRecord, user: IdentityRef) -> None:
    if record["closedDate"]:
        if record["status"] == "active":
            document["completionQueueTime"] = record["closedDate"]
        else:
            document["closedDate"] = record["closedDate"]
        document["closedBy"] = user
    if record["completionOptions"]:
        document["completionOptions"] = record["completionOptions"]
    if record["labels"]:
        document["labels"] = [
            {"id": str(uuid.uuid5(uuid.NAMESPACE_OID, one)), "name": one, "active": True}
            for one in record["labels"]
        ]
