"""What clients send to create, change and find pull requests."""

from __future__ import annotations

from typing import TypedDict

from local.azure.devops.contracts import ReadOnly
from local.azure.devops.enumerations import PullRequestStatus
from local.azure.devops.repos.pull_request_shapes import CompletionOptions


class ReviewerGiven(TypedDict, total=False):
    """A reviewer in a body."""

    id: str
    vote: int
    isRequired: bool
    isFlagged: bool
    hasDeclined: bool
    isReapprove: bool
    displayName: ReadOnly
    uniqueName: ReadOnly
    url: ReadOnly
    imageUrl: ReadOnly
    reviewerUrl: ReadOnly
    descriptor: ReadOnly
    _links: ReadOnly


class CommitGiven(TypedDict, total=False):
    """A commit in a body."""

    commitId: str
    url: ReadOnly


class LabelGiven(TypedDict, total=False):
    """A label in a body."""

    name: str
    id: ReadOnly
    active: ReadOnly
    url: ReadOnly


class _NewPullRequest(TypedDict):
    sourceRefName: str
    targetRefName: str
    title: str


class NewPullRequest(_NewPullRequest, total=False):
    """The body that opens a pull request."""

    description: str
    isDraft: bool
    reviewers: list[ReviewerGiven]
    labels: list[LabelGiven]


class ChangedPullRequest(TypedDict, total=False):
    """The body that changes a pull request."""

    title: str
    description: str
    status: PullRequestStatus
    isDraft: bool
    lastMergeSourceCommit: CommitGiven
    completionOptions: CompletionOptions


class ShownQuery(TypedDict, total=False):
    """What is shown of a pull request; it has no work items."""

    includeCommits: bool
    includeWorkItemRefs: bool


PullRequestsQuery = TypedDict(
    "PullRequestsQuery",
    {
        "status": PullRequestStatus,
        "sourceRefName": str,
        "targetRefName": str,
        "searchCriteria.status": PullRequestStatus,
        "searchCriteria.sourceRefName": str,
        "searchCriteria.targetRefName": str,
        "searchCriteria.creatorId": str,
        "searchCriteria.reviewerId": str,
        "searchCriteria.repositoryId": str,
        "searchCriteria.includeLinks": bool,
        "searchCriteria.title": str,
        "$top": int,
        "$skip": int,
    },
    total=False,
)
