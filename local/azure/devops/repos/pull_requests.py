"""Pull requests of git repositories (area `git`)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from local.azure.devops.organization.projects import find_project, project_of
from local.azure.devops.repos.repositories import area, find_repository, shown
from local.azure.devops.rest import collection, number
from local.azure.identity.organization import organization
from local.azure.kernel import fields
from local.azure.kernel.cloud import Cloud
from local.azure.kernel.http import Request, Response, ServiceError, json_response

PULL_REQUESTS = area.location(
    "9946fd70-0d40-406e-b686-b4744cbbcc37",
    "{project}/_apis/{area}/repositories/{repositoryId}/{resource}/{pullRequestId}",
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
_KIND = "devops-pull-request"
_STATUSES = ("active", "completed", "abandoned")


@area.on("POST", PULL_REQUESTS, "project", "repositoryId")
def create_pull_request(cloud: Cloud, request: Request) -> Response:
    """Open a pull request; branches are names here, nobody looks whether they exist."""
    repository = _repository(cloud, request)
    body = request.json_object()
    identity = cloud.store.next_number(_KIND)
    stored = {
        "id": identity,
        "repository": repository["id"],
        "title": fields.text(body, "title"),
        "description": fields.optional_text(body, "description") or "",
        "sourceRefName": fields.text(body, "sourceRefName"),
        "targetRefName": fields.text(body, "targetRefName"),
        "status": "active",
        "creationDate": cloud.timestamp(),
        "threads": [],
    }
    cloud.store.insert(_KIND, _key(identity), stored)
    return json_response(_shown(cloud, stored), 201)


@area.on("GET", PULL_REQUESTS, "project", "repositoryId")
def list_pull_requests(cloud: Cloud, request: Request) -> Response:
    """Pull requests by status (active unless asked otherwise) and branches, newest first."""
    repository = _repository(cloud, request)
    query = request.query
    status = query.get("searchCriteria.status", "active").lower()
    found = []
    for one in reversed(cloud.store.list(_KIND)):
        if one["repository"] != repository["id"] or status not in ("all", one["status"]):
            continue
        pairs = ("sourceRefName", "targetRefName")
        if all(query.get(f"searchCriteria.{name}", one[name]) == one[name] for name in pairs):
            found.append(_shown(cloud, one))
    return collection(found)


@area.on("GET", PULL_REQUESTS, "project", "repositoryId", "pullRequestId")
@area.on("GET", BY_ID, "project", "pullRequestId")
def get_pull_request(cloud: Cloud, request: Request) -> Response:
    """One pull request."""
    return json_response(_shown(cloud, pull_request_of(cloud, request)))


@area.on("PATCH", PULL_REQUESTS, "project", "repositoryId", "pullRequestId")
def update_pull_request(cloud: Cloud, request: Request) -> Response:
    """Change title, description or status."""
    body = request.json_object()
    status = body.get("status")
    if status is not None and status not in _STATUSES:
        raise ServiceError(400, "ArgumentException", f"There is no status '{status}'.")
    changes = {name: body[name] for name in ("title", "description", "status") if name in body}
    return json_response(
        _shown(cloud, change_pull_request(cloud, request, lambda one: one.update(changes)))
    )


def _repository(cloud: Cloud, request: Request) -> dict[str, Any]:
    return find_repository(cloud, project_of(cloud, request), request.params["repositoryId"])


def pull_request_of(cloud: Cloud, request: Request) -> dict[str, Any]:
    """The pull request that a route names, as it is stored. Raises ServiceError 404."""
    project = project_of(cloud, request)
    identity = number(request.params["pullRequestId"], "pullRequestId")
    found = cloud.store.get(_KIND, _key(identity))
    if found is not None:
        wanted = request.params.get("repositoryId") or found["repository"]
        if find_repository(cloud, project, wanted)["id"] == found["repository"]:
            return found
    raise ServiceError(
        404,
        "GitPullRequestNotFoundException",
        f"TF401180: The requested pull request {identity} was not found.",
    )


def change_pull_request(
    cloud: Cloud, request: Request, change: Callable[[dict[str, Any]], None]
) -> dict[str, Any]:
    """Let `change` edit the pull request of a route; returns it. Raises ServiceError 404."""
    return cloud.store.update(_KIND, _key(pull_request_of(cloud, request)["id"]), change)


def _shown(cloud: Cloud, stored: dict[str, Any]) -> dict[str, Any]:
    repository = cloud.store.get("devops-repository", stored["repository"]) or {}
    names = ("title", "description", "status", "sourceRefName", "targetRefName", "creationDate")
    project = find_project(cloud, repository["project"])
    base = f"{organization(cloud).url}/{project['id']}/_apis/git/repositories/{repository['id']}"
    return {
        **{name: stored[name] for name in names},
        "pullRequestId": stored["id"],
        "repository": shown(cloud, repository),
        "createdBy": organization(cloud).user,
        "reviewers": [],
        "isDraft": False,
        "mergeStatus": "succeeded",
        "url": f"{base}/pullRequests/{stored['id']}",
    }


def _key(identity: int) -> str:
    return f"{identity:010}"
