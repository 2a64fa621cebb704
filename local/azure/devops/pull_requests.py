"""Pull requests of git repositories, their threads and comments (area `git`)."""

from __future__ import annotations

from typing import Any

from local.azure import fields
from local.azure.azure import Azure
from local.azure.devops.organization import organization
from local.azure.devops.projects import find_project, project_of
from local.azure.devops.repositories import area, find_repository, shown
from local.azure.devops.rest import collection, number
from local.azure.web import Request, Response, ServiceError, json_response

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
_ONE = "{project}/_apis/{area}/repositories/{repositoryId}/pullRequests/{pullRequestId}/"
THREADS = area.location(
    "ab6e2e5d-a0b7-4153-b64a-a4efe0d49449",
    _ONE + "threads/{threadId}",
    resource="pullRequestThreads",
    minimum=3.0,
)
COMMENTS = area.location(
    "965a3ec7-5ed8-455a-bdcb-835a5ea7fe7b",
    _ONE + "threads/{threadId}/comments/{commentId}",
    resource="pullRequestThreadComments",
    minimum=3.0,
)
_KIND = "devops-pull-request"
_STATUSES = ("active", "completed", "abandoned")
_ADDED = ("content", "commentType", "parentCommentId")


@area.on("POST", PULL_REQUESTS, "project", "repositoryId")
def create_pull_request(azure: Azure, request: Request) -> Response:
    """Open a pull request; branches are names here, nobody looks whether they exist."""
    repository = _repository(azure, request)
    body = request.json_object()
    identity = azure.store.next_number(_KIND)
    stored = {
        "id": identity,
        "repository": repository["id"],
        "title": fields.text(body, "title"),
        "description": fields.optional_text(body, "description") or "",
        "sourceRefName": fields.text(body, "sourceRefName"),
        "targetRefName": fields.text(body, "targetRefName"),
        "status": "active",
        "creationDate": azure.timestamp(),
        "threads": [],
    }
    azure.store.insert(_KIND, _key(identity), stored)
    return json_response(_shown(azure, stored), 201)


@area.on("GET", PULL_REQUESTS, "project", "repositoryId")
def list_pull_requests(azure: Azure, request: Request) -> Response:
    """Pull requests by status (active unless asked otherwise) and branches, newest first."""
    repository = _repository(azure, request)
    query = request.query
    status = query.get("searchCriteria.status", "active").lower()
    found = []
    for one in reversed(azure.store.list(_KIND)):
        if one["repository"] != repository["id"] or status not in ("all", one["status"]):
            continue
        pairs = ("sourceRefName", "targetRefName")
        if all(query.get(f"searchCriteria.{name}", one[name]) == one[name] for name in pairs):
            found.append(_shown(azure, one))
    return collection(found)


@area.on("GET", PULL_REQUESTS, "project", "repositoryId", "pullRequestId")
@area.on("GET", BY_ID, "project", "pullRequestId")
def get_pull_request(azure: Azure, request: Request) -> Response:
    """One pull request."""
    return json_response(_shown(azure, _pull_request(azure, request)))


@area.on("PATCH", PULL_REQUESTS, "project", "repositoryId", "pullRequestId")
def update_pull_request(azure: Azure, request: Request) -> Response:
    """Change title, description or status."""
    body = request.json_object()
    status = body.get("status")
    if status is not None and status not in _STATUSES:
        raise ServiceError(400, "ArgumentException", f"There is no status '{status}'.")
    changes = {name: body[name] for name in ("title", "description", "status") if name in body}
    return json_response(_shown(azure, _change(azure, request, lambda one: one.update(changes))))


@area.on("POST", THREADS, "project", "repositoryId", "pullRequestId")
def create_thread(azure: Azure, request: Request) -> Response:
    """Begin a thread with its first comments."""
    body = request.json_object()
    comments = fields.objects(body, "comments")
    if not comments:
        raise ServiceError(400, "ArgumentException", "A thread begins with a comment.")

    def change(stored: dict[str, Any]) -> None:
        thread: dict[str, Any] = {
            "id": azure.store.next_number("devops-thread"),
            "status": body.get("status", "active"),
            "properties": _properties(body),
            "publishedDate": azure.timestamp(),
            "lastUpdatedDate": azure.timestamp(),
            "isDeleted": False,
            "comments": [],
        }
        for given in comments:
            _add_comment(azure, thread, given)
        stored["threads"].append(thread)

    return json_response(_change(azure, request, change)["threads"][-1])


@area.on("GET", THREADS, "project", "repositoryId", "pullRequestId")
def list_threads(azure: Azure, request: Request) -> Response:
    """All threads."""
    return collection(_pull_request(azure, request)["threads"])


@area.on("GET", THREADS, "project", "repositoryId", "pullRequestId", "threadId")
def get_thread(azure: Azure, request: Request) -> Response:
    """One thread."""
    return json_response(_thread(_pull_request(azure, request), request))


@area.on("PATCH", THREADS, "project", "repositoryId", "pullRequestId", "threadId")
def update_thread(azure: Azure, request: Request) -> Response:
    """Change the status or the properties of a thread."""
    body = request.json_object()

    def change(stored: dict[str, Any]) -> None:
        thread = _thread(stored, request)
        if "status" in body:
            thread["status"] = body["status"]
        thread["properties"] |= _properties(body)
        thread["lastUpdatedDate"] = azure.timestamp()

    return json_response(_thread(_change(azure, request, change), request))


@area.on("POST", COMMENTS, "project", "repositoryId", "pullRequestId", "threadId")
def create_comment(azure: Azure, request: Request) -> Response:
    """Answer in a thread."""
    body = request.json_object()

    def change(stored: dict[str, Any]) -> None:
        _add_comment(azure, _thread(stored, request), body)

    return json_response(_thread(_change(azure, request, change), request)["comments"][-1])


@area.on("GET", COMMENTS, "project", "repositoryId", "pullRequestId", "threadId")
def list_comments(azure: Azure, request: Request) -> Response:
    """The comments of a thread."""
    return collection(_thread(_pull_request(azure, request), request)["comments"])


@area.on("PATCH", COMMENTS, *("project", "repositoryId", "pullRequestId", "threadId", "commentId"))
def update_comment(azure: Azure, request: Request) -> Response:
    """Change the text of a comment."""
    content = fields.text(request.json_object(), "content")

    def change(stored: dict[str, Any]) -> None:
        comment = _comment(_thread(stored, request), request)
        comment["content"] = content
        comment["lastContentUpdatedDate"] = comment["lastUpdatedDate"] = azure.timestamp()

    stored = _change(azure, request, change)
    return json_response(_comment(_thread(stored, request), request))


def _add_comment(azure: Azure, thread: dict[str, Any], given: dict[str, Any]) -> None:
    now = azure.timestamp()
    thread["comments"].append(
        {
            "commentType": "text",
            "parentCommentId": 0,
            **{name: given[name] for name in _ADDED if given.get(name) is not None},
            "id": len(thread["comments"]) + 1,
            "content": fields.text(given, "content"),
            "author": organization(azure).user,
            "publishedDate": now,
            "lastUpdatedDate": now,
            "lastContentUpdatedDate": now,
            "isDeleted": False,
            "usersLiked": [],
        }
    )


def _properties(body: dict[str, Any]) -> dict[str, Any]:
    """Properties of a thread as they are shown: with their types."""
    return {
        name: given
        if isinstance(given, dict)
        else {
            "$type": "System.Int32" if isinstance(given, int) else "System.String",
            "$value": given,
        }
        for name, given in fields.mapping(body, "properties").items()
    }


def _repository(azure: Azure, request: Request) -> dict[str, Any]:
    return find_repository(azure, project_of(azure, request), request.params["repositoryId"])


def _pull_request(azure: Azure, request: Request) -> dict[str, Any]:
    project = project_of(azure, request)
    identity = number(request.params["pullRequestId"], "pullRequestId")
    found = azure.store.get(_KIND, _key(identity))
    if found is not None:
        wanted = request.params.get("repositoryId") or found["repository"]
        if find_repository(azure, project, wanted)["id"] == found["repository"]:
            return found
    raise ServiceError(
        404,
        "GitPullRequestNotFoundException",
        f"TF401180: The requested pull request {identity} was not found.",
    )


def _change(azure: Azure, request: Request, change: Any) -> dict[str, Any]:
    return azure.store.update(_KIND, _key(_pull_request(azure, request)["id"]), change)


def _thread(pull_request: dict[str, Any], request: Request) -> dict[str, Any]:
    identity = number(request.params["threadId"], "threadId")
    for thread in pull_request["threads"]:
        if thread["id"] == identity:
            return dict(thread) if request.method == "GET" else thread
    raise ServiceError(
        404, "CommentThreadNotFoundException", f"The comment thread {identity} was not found."
    )


def _comment(thread: dict[str, Any], request: Request) -> dict[str, Any]:
    identity = number(request.params["commentId"], "commentId")
    for comment in thread["comments"]:
        if comment["id"] == identity:
            found: dict[str, Any] = comment
            return found
    raise ServiceError(404, "CommentNotFoundException", f"The comment {identity} was not found.")


def _shown(azure: Azure, stored: dict[str, Any]) -> dict[str, Any]:
    repository = azure.store.get("devops-repository", stored["repository"]) or {}
    names = ("title", "description", "status", "sourceRefName", "targetRefName", "creationDate")
    project = find_project(azure, repository["project"])
    base = f"{organization(azure).url}/{project['id']}/_apis/git/repositories/{repository['id']}"
    return {
        **{name: stored[name] for name in names},
        "pullRequestId": stored["id"],
        "repository": shown(azure, repository),
        "createdBy": organization(azure).user,
        "reviewers": [],
        "isDraft": False,
        "mergeStatus": "succeeded",
        "url": f"{base}/pullRequests/{stored['id']}",
    }


def _key(identity: int) -> str:
    return f"{identity:010}"
