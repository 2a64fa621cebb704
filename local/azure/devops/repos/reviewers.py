"""Reviewers of pull requests and their votes (area `git`). The one user is whom one can ask."""

from __future__ import annotations

from local.azure.devops.repos.pull_request_bodies import ReviewerGiven
from local.azure.devops.repos.pull_request_shapes import (
    PullRequestRecord,
    Reviewer,
    reviewer_shown,
    url_of,
)
from local.azure.devops.repos.pull_requests import (
    change_pull_request,
    pull_request_of,
    reviewer,
)
from local.azure.devops.repos.repositories import area, repository_of
from local.azure.kernel.cloud import Cloud
from local.azure.kernel.http import Request, ServiceError

REVIEWERS = area.location(
    "4b6702c7-aa35-4b89-9c96-b9abf6d3e540",
    "{project}/_apis/{area}/repositories/{repositoryId}/pullRequests/{pullRequestId}/reviewers"
    "/{reviewerId}",
    resource="pullRequestReviewers",
)
_OF = ("project", "repositoryId", "pullRequestId")
# The id of a repository needs no project beside it.
_BY_ID = ("repositoryId", "pullRequestId")


@area.on("GET", REVIEWERS, *_OF)
@area.on("GET", REVIEWERS, *_BY_ID)
def list_reviewers(cloud: Cloud, request: Request) -> list[Reviewer]:
    """The reviewers of a pull request."""
    return _shown(cloud, request, pull_request_of(cloud, request))


@area.on("POST", REVIEWERS, *_OF)
@area.on("POST", REVIEWERS, *_BY_ID)
def add_reviewers(cloud: Cloud, request: Request, body: list[ReviewerGiven]) -> list[Reviewer]:
    """Add reviewers; who is one already stays one."""

    def change(stored: PullRequestRecord) -> None:
        for given in body:
            _put(cloud, stored, given)

    return _shown(cloud, request, change_pull_request(cloud, request, change))


@area.on("PUT", REVIEWERS, *_OF, "reviewerId")
@area.on("PUT", REVIEWERS, *_BY_ID, "reviewerId")
def put_reviewer(cloud: Cloud, request: Request, body: ReviewerGiven) -> Reviewer:
    """Add a reviewer, or vote."""
    body["id"] = request.params["reviewerId"]
    if body.get("vote", 0) not in (-10, -5, 0, 5, 10):
        raise ServiceError(400, "ArgumentException", f"There is no vote {body['vote']}.")

    def change(stored: PullRequestRecord) -> None:
        _put(cloud, stored, body)

    return _shown(cloud, request, change_pull_request(cloud, request, change))[-1]


@area.on("GET", REVIEWERS, *_OF, "reviewerId")
@area.on("GET", REVIEWERS, *_BY_ID, "reviewerId")
def get_reviewer(cloud: Cloud, request: Request) -> Reviewer:
    """One reviewer."""
    asked = request.params["reviewerId"].lower()
    for one in _shown(cloud, request, pull_request_of(cloud, request)):
        if one["id"] == asked:
            return one
    raise ServiceError(
        404, "GitReviewerNotFoundException", f"TF401186: There is no reviewer with the id {asked}."
    )


@area.on("DELETE", REVIEWERS, *_OF, "reviewerId", status=200)
@area.on("DELETE", REVIEWERS, *_BY_ID, "reviewerId", status=200)
def delete_reviewer(cloud: Cloud, request: Request) -> None:
    """Remove a reviewer."""
    asked = request.params["reviewerId"].lower()

    def change(stored: PullRequestRecord) -> None:
        stored["reviewers"] = [one for one in stored["reviewers"] if one["id"] != asked]

    change_pull_request(cloud, request, change)


def _put(cloud: Cloud, stored: PullRequestRecord, given: ReviewerGiven) -> None:
    made = reviewer(cloud, given)
    before = [one for one in stored["reviewers"] if one["id"] == made["id"]]
    if before and "vote" not in given:
        made["vote"] = before[0]["vote"]
    others = [one for one in stored["reviewers"] if one["id"] != made["id"]]
    stored["reviewers"] = [*others, made]


def _shown(cloud: Cloud, request: Request, record: PullRequestRecord) -> list[Reviewer]:
    url = url_of(cloud, repository_of(cloud, request), record)
    return [reviewer_shown(cloud, url, one) for one in record["reviewers"]]
