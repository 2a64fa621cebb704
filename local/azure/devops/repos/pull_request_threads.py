"""Threads and comments of pull requests (area `git`)."""

from __future__ import annotations

from typing import Any

from local.azure.devops.repos.pull_requests import change_pull_request, pull_request_of
from local.azure.devops.repos.repositories import area
from local.azure.devops.rest import collection, number
from local.azure.identity.organization import organization
from local.azure.kernel import fields
from local.azure.kernel.cloud import Cloud
from local.azure.kernel.http import Request, Response, ServiceError, json_response

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
_ADDED = ("content", "commentType", "parentCommentId")


@area.on("POST", THREADS, "project", "repositoryId", "pullRequestId")
def create_thread(cloud: Cloud, request: Request) -> Response:
    """Begin a thread with its first comments."""
    body = request.json_object()
    comments = fields.objects(body, "comments")
    if not comments:
        raise ServiceError(400, "ArgumentException", "A thread begins with a comment.")

    def change(stored: dict[str, Any]) -> None:
        thread: dict[str, Any] = {
            "id": cloud.store.next_number("devops-thread"),
            "status": body.get("status", "active"),
            "properties": _properties(body),
            "publishedDate": cloud.timestamp(),
            "lastUpdatedDate": cloud.timestamp(),
            "isDeleted": False,
            "comments": [],
        }
        for given in comments:
            _add_comment(cloud, thread, given)
        stored["threads"].append(thread)

    return json_response(change_pull_request(cloud, request, change)["threads"][-1])


@area.on("GET", THREADS, "project", "repositoryId", "pullRequestId")
def list_threads(cloud: Cloud, request: Request) -> Response:
    """All threads."""
    return collection(pull_request_of(cloud, request)["threads"])


@area.on("GET", THREADS, "project", "repositoryId", "pullRequestId", "threadId")
def get_thread(cloud: Cloud, request: Request) -> Response:
    """One thread."""
    return json_response(_thread(pull_request_of(cloud, request), request))


@area.on("PATCH", THREADS, "project", "repositoryId", "pullRequestId", "threadId")
def update_thread(cloud: Cloud, request: Request) -> Response:
    """Change the status or the properties of a thread."""
    body = request.json_object()

    def change(stored: dict[str, Any]) -> None:
        thread = _thread(stored, request)
        if "status" in body:
            thread["status"] = body["status"]
        thread["properties"] |= _properties(body)
        thread["lastUpdatedDate"] = cloud.timestamp()

    return json_response(_thread(change_pull_request(cloud, request, change), request))


@area.on("POST", COMMENTS, "project", "repositoryId", "pullRequestId", "threadId")
def create_comment(cloud: Cloud, request: Request) -> Response:
    """Answer in a thread."""
    body = request.json_object()

    def change(stored: dict[str, Any]) -> None:
        _add_comment(cloud, _thread(stored, request), body)

    return json_response(
        _thread(change_pull_request(cloud, request, change), request)["comments"][-1]
    )


@area.on("GET", COMMENTS, "project", "repositoryId", "pullRequestId", "threadId")
def list_comments(cloud: Cloud, request: Request) -> Response:
    """The comments of a thread."""
    return collection(_thread(pull_request_of(cloud, request), request)["comments"])


@area.on("PATCH", COMMENTS, *("project", "repositoryId", "pullRequestId", "threadId", "commentId"))
def update_comment(cloud: Cloud, request: Request) -> Response:
    """Change the text of a comment."""
    content = fields.text(request.json_object(), "content")

    def change(stored: dict[str, Any]) -> None:
        comment = _comment(_thread(stored, request), request)
        comment["content"] = content
        comment["lastContentUpdatedDate"] = comment["lastUpdatedDate"] = cloud.timestamp()

    stored = change_pull_request(cloud, request, change)
    return json_response(_comment(_thread(stored, request), request))


def _add_comment(cloud: Cloud, thread: dict[str, Any], given: dict[str, Any]) -> None:
    now = cloud.timestamp()
    thread["comments"].append(
        {
            "commentType": "text",
            "parentCommentId": 0,
            **{name: given[name] for name in _ADDED if given.get(name) is not None},
            "id": len(thread["comments"]) + 1,
            "content": fields.text(given, "content"),
            "author": organization(cloud).user,
            "publishedDate": now,
            "lastUpdatedDate": now,
            "lastContentUpdatedDate": now,
            "isDeleted": False,
            "usersLiked": [],
        }
    )


def _properties(body: dict[str, Any]) -> dict[str, Any]:
    """Properties of a thread as they are shown: with their types.

    As the service reads them: plain values, or objects whose first member is the type
    (actions/runner, src/Sdk/WebApi/WebApi/Contracts/PropertiesCollection.cs).
    """
    found = {}
    for name, given in fields.mapping(body, "properties").items():
        kind: Any = "System.Int32" if isinstance(given, int) else "System.String"
        value = given
        if isinstance(given, dict):
            if len(given) < 2:
                raise ServiceError(400, "ArgumentException", f"The property '{name}' is corrupt.")
            kind, value = list(given.values())[:2]
        found[name] = {"$type": kind, "$value": value}
    return found


def _thread(pull_request: dict[str, Any], request: Request) -> dict[str, Any]:
    identity = number(request.params["threadId"], "threadId")
    for thread in pull_request["threads"]:
        if thread["id"] == identity:
            found: dict[str, Any] = thread
            return found
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
