"""Threads and comments of pull requests (area `git`)."""

from __future__ import annotations

from typing import Any, TypedDict

from local.azure.devops.contracts import ReadOnly, Unread
from local.azure.devops.enumerations import CommentThreadStatus, CommentType
from local.azure.devops.errors import unsupported
from local.azure.devops.repos.pull_request_shapes import Comment, PullRequestRecord, Thread
from local.azure.devops.repos.pull_requests import change_pull_request, pull_request_of
from local.azure.devops.repos.repositories import area
from local.azure.devops.rest import number
from local.azure.identity.organization import organization
from local.azure.kernel.cloud import Cloud
from local.azure.kernel.http import Request, ServiceError

_OF = ("project", "repositoryId", "pullRequestId")
# The id of a repository needs no project beside it.
_BY_ID = ("repositoryId", "pullRequestId")
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


WORK_ITEMS = area.location(
    "0a637fcc-5370-4ce8-b0e8-98091f5f9482",
    "{project}/_apis/{area}/repositories/{repositoryId}/pullRequests/{pullRequestId}/workitems",
    resource="pullRequestWorkItems",
)


class _NewComment(TypedDict):
    content: str


class NewComment(_NewComment, total=False):
    """The body of a comment."""

    commentType: CommentType
    parentCommentId: int
    id: ReadOnly
    author: ReadOnly
    publishedDate: ReadOnly
    lastUpdatedDate: ReadOnly
    lastContentUpdatedDate: ReadOnly
    isDeleted: ReadOnly
    usersLiked: ReadOnly
    _links: ReadOnly


class NewThread(TypedDict, total=False):
    """The body that begins or changes a thread."""

    comments: list[NewComment]
    status: CommentThreadStatus
    properties: dict[str, Unread]
    id: ReadOnly
    publishedDate: ReadOnly
    lastUpdatedDate: ReadOnly
    isDeleted: ReadOnly
    identities: ReadOnly
    _links: ReadOnly


@area.on("GET", WORK_ITEMS, *_OF)
@area.on("GET", WORK_ITEMS, *_BY_ID)
def list_work_items(cloud: Cloud, request: Request) -> list[dict[str, Unread]]:
    """The work items of a pull request: there are no boards, so there is none."""
    pull_request_of(cloud, request)
    return []


@area.on("POST", THREADS, *_OF)
@area.on("POST", THREADS, *_BY_ID)
def create_thread(cloud: Cloud, request: Request, body: NewThread) -> Thread:
    """Begin a thread with its first comments."""
    if not body.get("comments"):
        raise ServiceError(400, "ArgumentException", "A thread begins with a comment.")

    def change(stored: PullRequestRecord) -> None:
        thread: Thread = {
            "id": cloud.store.next_number("devops-thread"),
            "publishedDate": cloud.timestamp(),
            "lastUpdatedDate": cloud.timestamp(),
            "comments": [],
            "status": body.get("status", "active"),
            "properties": _properties(body.get("properties", {})),
            "isDeleted": False,
        }
        for given in body["comments"]:
            _add_comment(cloud, thread, given)
        stored["threads"].append(thread)

    return change_pull_request(cloud, request, change)["threads"][-1]


@area.on("GET", THREADS, *_OF)
@area.on("GET", THREADS, *_BY_ID)
def list_threads(cloud: Cloud, request: Request) -> list[Thread]:
    """All threads."""
    return pull_request_of(cloud, request)["threads"]


@area.on("GET", THREADS, *_OF, "threadId")
@area.on("GET", THREADS, *_BY_ID, "threadId")
def get_thread(cloud: Cloud, request: Request) -> Thread:
    """One thread."""
    return _thread(pull_request_of(cloud, request), request)


@area.on("PATCH", THREADS, *_OF, "threadId")
@area.on("PATCH", THREADS, *_BY_ID, "threadId")
def update_thread(cloud: Cloud, request: Request, body: NewThread) -> Thread:
    """Change the status or the properties of a thread."""
    if body.get("comments"):
        raise unsupported("The local Azure changes comments by themselves, not with their thread.")

    def change(stored: PullRequestRecord) -> None:
        thread = _thread(stored, request)
        thread["status"] = body.get("status", thread["status"])
        thread["properties"] |= _properties(body.get("properties", {}))
        thread["lastUpdatedDate"] = cloud.timestamp()

    return _thread(change_pull_request(cloud, request, change), request)


@area.on("POST", COMMENTS, *_OF, "threadId")
@area.on("POST", COMMENTS, *_BY_ID, "threadId")
def create_comment(cloud: Cloud, request: Request, body: NewComment) -> Comment:
    """Answer in a thread."""

    def change(stored: PullRequestRecord) -> None:
        _add_comment(cloud, _thread(stored, request), body)

    return _thread(change_pull_request(cloud, request, change), request)["comments"][-1]


@area.on("GET", COMMENTS, *_OF, "threadId")
@area.on("GET", COMMENTS, *_BY_ID, "threadId")
def list_comments(cloud: Cloud, request: Request) -> list[Comment]:
    """The comments of a thread."""
    return _thread(pull_request_of(cloud, request), request)["comments"]


@area.on("GET", COMMENTS, *_OF, "threadId", "commentId")
@area.on("GET", COMMENTS, *_BY_ID, "threadId", "commentId")
def get_comment(cloud: Cloud, request: Request) -> Comment:
    """One comment."""
    return _comment(_thread(pull_request_of(cloud, request), request), request)


@area.on("PATCH", COMMENTS, *_OF, "threadId", "commentId")
@area.on("PATCH", COMMENTS, *_BY_ID, "threadId", "commentId")
def update_comment(cloud: Cloud, request: Request, body: NewComment) -> Comment:
    """Change the text of a comment."""

    def change(stored: PullRequestRecord) -> None:
        comment = _comment(_thread(stored, request), request)
        comment["content"] = body["content"]
        comment["lastContentUpdatedDate"] = comment["lastUpdatedDate"] = cloud.timestamp()

    stored = change_pull_request(cloud, request, change)
    return _comment(_thread(stored, request), request)


@area.on("DELETE", COMMENTS, *_OF, "threadId", "commentId", status=200)
@area.on("DELETE", COMMENTS, *_BY_ID, "threadId", "commentId", status=200)
def delete_comment(cloud: Cloud, request: Request) -> None:
    """Delete a comment: it stays without its text."""

    def change(stored: PullRequestRecord) -> None:
        comment = _comment(_thread(stored, request), request)
        comment["content"], comment["isDeleted"] = "", True
        comment["lastUpdatedDate"] = cloud.timestamp()

    change_pull_request(cloud, request, change)


def _add_comment(cloud: Cloud, thread: Thread, given: NewComment) -> None:
    now = cloud.timestamp()
    thread["comments"].append(
        {
            "id": len(thread["comments"]) + 1,
            "parentCommentId": given.get("parentCommentId", 0),
            "author": organization(cloud).user,
            "content": given["content"],
            "publishedDate": now,
            "lastUpdatedDate": now,
            "lastContentUpdatedDate": now,
            "commentType": given.get("commentType", "text"),
            "isDeleted": False,
            "usersLiked": [],
        }
    )


def _properties(given: dict[str, Any]) -> dict[str, Any]:
    """Properties of a thread as they are shown: with their types.

    As the service reads them: plain values, or objects whose first member is the type
    (actions/runner, src/Sdk/WebApi/WebApi/Contracts/PropertiesCollection.cs).
    """
    found = {}
    for name, one in given.items():
        kind: Any = "System.Int32" if isinstance(one, int) else "System.String"
        value = one
        if isinstance(one, dict):
            if len(one) < 2:
                raise ServiceError(400, "ArgumentException", f"The property '{name}' is corrupt.")
            kind, value = list(one.values())[:2]
        found[name] = {"$type": kind, "$value": value}
    return found


def _thread(pull_request: PullRequestRecord, request: Request) -> Thread:
    identity = number(request.params["threadId"], "threadId")
    for thread in pull_request["threads"]:
        if thread["id"] == identity:
            return thread
    raise ServiceError(
        404, "CommentThreadNotFoundException", f"The comment thread {identity} was not found."
    )


def _comment(thread: Thread, request: Request) -> Comment:
    identity = number(request.params["commentId"], "commentId")
    for comment in thread["comments"]:
        if comment["id"] == identity:
            return comment
    raise ServiceError(404, "CommentNotFoundException", f"The comment {identity} was not found.")
