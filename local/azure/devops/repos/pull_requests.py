"""Pull requests of git repositories (area `git`).

Merging takes its time, as in the service: `mergeStatus` is queued until it is asked for again.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import cast

from local.azure.devops.errors import unsupported
from local.azure.devops.organization.projects import find_project, project_of
from local.azure.devops.repos.branches import branch, commit, make_commit, move, remove
from local.azure.devops.repos.pull_request_bodies import (
    ChangedPullRequest,
    CommitGiven,
    NewPullRequest,
    PullRequestsQuery,
    ReviewerGiven,
    ShownQuery,
)
from local.azure.devops.repos.pull_request_shapes import (
    GitPullRequest,
    LinkedPullRequest,
    ListedPullRequest,
    PullRequestRecord,
    ReviewerRecord,
    linked,
    listed,
    shown,
)
from local.azure.devops.repos.repositories import (
    RepositoryRecord,
    area,
    find_repository,
    repositories_of,
    repository_by_id,
    repository_of,
)
from local.azure.devops.rest import number
from local.azure.identity.organization import organization
from local.azure.kernel.cloud import Cloud
from local.azure.kernel.http import Request, ServiceError
from local.azure.kernel.tables import Table

PULL_REQUESTS = area.location(
    "9946fd70-0d40-406e-b686-b4744cbbcc37",
    "{project}/_apis/{area}/repositories/{repositoryId}/{resource}/{pullRequestId}",
    resource="pullRequests",
    version=2,
)
OF_PROJECT = area.location(
    "a5d28130-9cd2-40fa-9f08-902e7daa9efb",
    "{project}/_apis/{area}/{resource}",
    resource="pullRequests",
    version=2,
)
BY_ID = area.location(
    "01a46dea-7d46-4d40-bc84-319e7c260d99",
    "{project}/_apis/{area}/{resource}/{pullRequestId}",
    resource="pullRequests",
    version=2,
    minimum=3.0,
)
_PULL_REQUESTS = Table[PullRequestRecord]("devops-pull-request")


@area.on("POST", PULL_REQUESTS, "project", "repositoryId", status=201)
@area.on("POST", PULL_REQUESTS, "repositoryId", status=201)
def create_pull_request(cloud: Cloud, request: Request, body: NewPullRequest) -> LinkedPullRequest:
    """Open a pull request between two branches."""
    repository = repository_of(cloud, request)
    source, target = body["sourceRefName"], body["targetRefName"]
    for other in _PULL_REQUESTS.find(cloud, {"sourceRefName": source}):
        pair = (other["repository"], other["sourceRefName"], other["targetRefName"])
        if pair == (repository["id"], source, target) and other["status"] == "active":
            raise ServiceError(
                409,
                "GitPullRequestExistsException",
                "TF401179: An active pull request for the source and target branch already exists.",
            )
    tips = _tip(cloud, repository, source), _tip(cloud, repository, target)
    if not all(tips):
        raise ServiceError(
            400,
            "GitPullRequestCannotBeActivated",
            "TF401398: The pull request cannot be activated because the source and/or the target "
            "branch no longer exists.",
        )
    identity = _PULL_REQUESTS.next_number(cloud)
    record: PullRequestRecord = {
        "id": identity,
        "repository": repository["id"],
        "title": body["title"],
        "description": body.get("description", ""),
        "sourceRefName": source,
        "targetRefName": target,
        "status": "active",
        "isDraft": body.get("isDraft", False),
        "creationDate": cloud.timestamp(),
        "closedDate": "",
        "mergeId": str(uuid.uuid4()),
        "mergeStatus": "queued",
        "sourceCommit": tips[0],
        "targetCommit": tips[1],
        "mergeCommit": "",
        "completionOptions": {},
        "reviewers": [reviewer(cloud, one) for one in body.get("reviewers", [])],
        "labels": [one.get("name", "") for one in body.get("labels", [])],
        "threads": [],
    }
    _PULL_REQUESTS.insert(cloud, identity, record)
    return linked(cloud, repository, record, labels=True)


@area.on("GET", PULL_REQUESTS, "project", "repositoryId")
@area.on("GET", PULL_REQUESTS, "repositoryId")
def list_pull_requests(
    cloud: Cloud, request: Request, query: PullRequestsQuery
) -> list[ListedPullRequest]:
    """Pull requests of a repository by status (active unless asked otherwise), newest first."""
    return _list(cloud, [repository_of(cloud, request)], query)


@area.on("GET", OF_PROJECT, "project")
def list_pull_requests_of_project(
    cloud: Cloud, request: Request, query: PullRequestsQuery
) -> list[ListedPullRequest]:
    """Pull requests of a project."""
    project = project_of(cloud, request)
    found = repositories_of(cloud, project)
    if query.get("searchCriteria.repositoryId"):
        found = [find_repository(cloud, project, query["searchCriteria.repositoryId"])]
    return _list(cloud, found, query)


@area.on("GET", PULL_REQUESTS, "project", "repositoryId", "pullRequestId")
@area.on("GET", PULL_REQUESTS, "repositoryId", "pullRequestId")
def get_pull_request(cloud: Cloud, request: Request, query: ShownQuery) -> LinkedPullRequest:
    """One pull request."""
    if query.get("includeCommits"):
        raise unsupported("The local Azure does not know the commits of a pull request.")
    record = pull_request_of(cloud, request)
    return linked(cloud, _repository(cloud, record), record)


@area.on("GET", BY_ID, "project", "pullRequestId")
@area.on("GET", BY_ID, "pullRequestId")
def get_pull_request_by_id(cloud: Cloud, request: Request) -> GitPullRequest:
    """One pull request by its id alone."""
    record = pull_request_of(cloud, request)
    return shown(cloud, _repository(cloud, record), record)


@area.on("PATCH", PULL_REQUESTS, "project", "repositoryId", "pullRequestId")
@area.on("PATCH", PULL_REQUESTS, "repositoryId", "pullRequestId")
def update_pull_request(
    cloud: Cloud, request: Request, body: ChangedPullRequest
) -> LinkedPullRequest:
    """Change title, description or draft; abandon, reopen or complete it."""
    status = body.get("status", "")
    if status not in ("", "active", "abandoned", "completed"):
        raise ServiceError(400, "ArgumentException", f"A pull request cannot become '{status}'.")
    record = _stored(cloud, request)
    repository = _repository(cloud, record)
    if record["status"] != "active" and status != "active":
        raise ServiceError(
            400,
            "GitPullRequestNotEditableException",
            "TF401181: The pull request cannot be edited due to its state.",
        )
    if status == "completed":
        _check_source(cloud, repository, record, body.get("lastMergeSourceCommit", {}))

    def change(stored: PullRequestRecord) -> None:
        stored["title"] = body.get("title", stored["title"])
        stored["description"] = body.get("description", stored["description"])
        stored["isDraft"] = body.get("isDraft", stored["isDraft"])
        stored["completionOptions"] = body.get("completionOptions", stored["completionOptions"])
        if status == "active":
            stored["closedDate"], stored["mergeStatus"] = "", "queued"
        elif status == "abandoned":
            stored["closedDate"] = cloud.timestamp()
        if status == "completed":
            # The merge itself is done when the pull request is asked for again.
            stored["mergeStatus"] = "queued"
            stored["closedDate"] = cloud.timestamp()
        elif status:
            stored["status"] = status

    changed = _PULL_REQUESTS.update(cloud, record["id"], change)
    return linked(cloud, repository, changed)


def _check_source(
    cloud: Cloud, repository: RepositoryRecord, record: PullRequestRecord, given: CommitGiven
) -> None:
    source = _tip(cloud, repository, record["sourceRefName"])
    if given.get("commitId") != source:
        raise ServiceError(
            409,
            "GitPullRequestStaleException",
            "TF401192: The pull request has been updated: lastMergeSourceCommit is not the tip of "
            f"{record['sourceRefName']}, {source or 'which does not exist'}.",
        )


def pull_request_of(cloud: Cloud, request: Request) -> PullRequestRecord:
    """The pull request that a route names, merged if that was queued. Raises ServiceError 404."""
    found = _stored(cloud, request)
    return _merge(cloud, _repository(cloud, found), found) if _is_queued(found) else found


def _is_queued(record: PullRequestRecord) -> bool:
    return record["mergeStatus"] == "queued"


def _stored(cloud: Cloud, request: Request) -> PullRequestRecord:
    identity = number(request.params["pullRequestId"], "pullRequestId")
    found = _PULL_REQUESTS.get(cloud, identity)
    repository = repository_by_id(cloud, found["repository"]) if found else None
    if found is None or repository is None or not _is_asked(cloud, request, repository):
        raise ServiceError(
            404,
            "GitPullRequestNotFoundException",
            "TF401180: The requested pull request was not found.",
        )
    return found


def change_pull_request(
    cloud: Cloud, request: Request, change: Callable[[PullRequestRecord], None]
) -> PullRequestRecord:
    """Let `change` edit the pull request of a route; returns it. Raises ServiceError 404."""
    return _PULL_REQUESTS.update(cloud, pull_request_of(cloud, request)["id"], change)


def reviewer(cloud: Cloud, given: ReviewerGiven) -> ReviewerRecord:
    """A reviewer as it is stored. Raises ServiceError 400 for one whom nobody knows."""
    user = organization(cloud).user_id
    if given.get("id", "").lower() != user:
        raise ServiceError(
            400,
            "InvalidArgumentValueException",
            f"The identity '{given.get('id')}' is unknown; the one user is {user}.",
        )
    return {
        "id": user,
        "vote": given.get("vote", 0),
        "isRequired": given.get("isRequired", False),
        "isFlagged": given.get("isFlagged", False),
        "hasDeclined": given.get("hasDeclined", False),
    }


def _is_asked(cloud: Cloud, request: Request, repository: RepositoryRecord) -> bool:
    project = find_project(cloud, repository["project"])
    asked = request.params.get("project")
    if asked is not None:
        project = project_of(cloud, request)
    if repository["project"] != project["id"]:
        return False
    if (request.caller or {}).get("project") not in (None, project["id"]):
        return False
    named = request.params.get("repositoryId")
    return named is None or repository_of(cloud, request)["id"] == repository["id"]


def _merge(
    cloud: Cloud, repository: RepositoryRecord, record: PullRequestRecord
) -> PullRequestRecord:
    """The outcome of the merge that was queued. Files of the source win: there is no history."""
    source = _tip(cloud, repository, record["sourceRefName"])
    target = _tip(cloud, repository, record["targetRefName"])
    ours, theirs = commit(cloud, repository["id"], target), commit(cloud, repository["id"], source)
    merged = ""
    if ours is not None and theirs is not None:
        source_name = record["sourceRefName"].removeprefix("refs/heads/")
        text = record["completionOptions"].get(
            "mergeCommitMessage", f"Merge pull request {record['id']} from {source_name}"
        )
        files = {**ours["files"], **theirs["files"]}
        merged = make_commit(cloud, repository["id"], target, text, files)
    completes = bool(record["closedDate"]) and record["status"] == "active"
    if completes and merged:
        move(cloud, repository, record["targetRefName"], target, merged)
        if record["completionOptions"].get("deleteSourceBranch"):
            remove(cloud, repository["id"], record["sourceRefName"])

    def change(stored: PullRequestRecord) -> None:
        stored["mergeStatus"] = "succeeded" if merged else "failure"
        stored["sourceCommit"], stored["targetCommit"] = source, target
        stored["mergeCommit"] = merged
        if completes:
            stored["status"] = "completed"

    return _PULL_REQUESTS.update(cloud, record["id"], change)


def _list(
    cloud: Cloud, repositories: list[RepositoryRecord], query: PullRequestsQuery
) -> list[ListedPullRequest]:
    by_id = {one["id"]: one for one in repositories}
    found = [
        one
        for one in reversed(_PULL_REQUESTS.find(cloud))
        if one["repository"] in by_id and _matches(cloud, one, query)
    ]
    start = query.get("$skip", 0)
    page = found[start : start + query.get("$top", 101)]
    return [listed(cloud, by_id[one["repository"]], one) for one in page]


def _matches(cloud: Cloud, one: PullRequestRecord, query: PullRequestsQuery) -> bool:
    # Clients of versions up to 3 send the names without their prefix.
    status = query.get("searchCriteria.status", query.get("status", "active"))
    source = query.get("searchCriteria.sourceRefName", query.get("sourceRefName", ""))
    target = query.get("searchCriteria.targetRefName", query.get("targetRefName", ""))
    user = organization(cloud).user_id
    reviewers = [each["id"] for each in one["reviewers"]]
    asked = query.get("searchCriteria.reviewerId", "").lower()
    return (
        status in ("all", "notSet", one["status"])
        and source in ("", one["sourceRefName"])
        and target in ("", one["targetRefName"])
        and query.get("searchCriteria.creatorId", user).lower() == user
        and (not asked or asked in reviewers)
        and query.get("searchCriteria.title", "").lower() in one["title"].lower()
    )


def _repository(cloud: Cloud, record: PullRequestRecord) -> RepositoryRecord:
    return cast("RepositoryRecord", repository_by_id(cloud, record["repository"]))


def _tip(cloud: Cloud, repository: RepositoryRecord, name: str) -> str:
    found = branch(cloud, repository["id"], name)
    return found["commit"] if found else ""
