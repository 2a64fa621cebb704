"""What is in a repository (area `git`): the files of each branch, as pushes of this API leave them.

There is no history and no git transport: a push is one commit on top of a branch's tip, and a
branch keeps the files of its tip.
Shapes: learn.microsoft.com/rest/api/azure/devops/git/pushes/create.
"""

from __future__ import annotations

import base64
import hashlib
from typing import Any

from local.azure.devops.organization.projects import project_of
from local.azure.devops.repos.repositories import area, find_repository, shown
from local.azure.devops.rest import collection
from local.azure.identity.organization import organization
from local.azure.kernel import fields
from local.azure.kernel.cloud import Cloud
from local.azure.kernel.http import Request, Response, ServiceError, json_response

_REPOSITORY = "{project}/_apis/{area}/repositories/{repositoryId}/{resource}"
REFS = area.location("2d874a60-a811-4f62-9c9f-963a6ea0a55b", _REPOSITORY, resource="refs")
PUSHES = area.location(
    "ea98d07b-3c87-4971-8ede-a613694ffb55",
    _REPOSITORY + "/{pushId}",
    resource="pushes",
    version=2,
)
ITEMS = area.location(
    "fb93c0db-47ed-4a31-8c20-47552878fb44", _REPOSITORY + "/{path}", resource="items"
)
_KIND = "devops-branch"
_NONE = "0" * 40


@area.on("GET", REFS, "project", "repositoryId")
def list_refs(cloud: Cloud, request: Request) -> Response:
    """The branches, by the beginning of their name after `refs/`."""
    repository = _repository(cloud, request)
    start = "refs/" + request.query.get("filter", "")
    found = [one for one in _branches(cloud, repository) if one["name"].startswith(start)]
    return collection([{"name": one["name"], "objectId": one["commit"]} for one in found])


@area.on("POST", PUSHES, "project", "repositoryId")
def create_push(cloud: Cloud, request: Request) -> Response:
    """Add one commit to one branch; the tip that was read must be the present one."""
    repository = _repository(cloud, request)
    if request.caller:
        raise ServiceError(403, "GitNeedsPermissionException", "A job may not push here.")
    body = request.json_object()
    updates, commits = fields.objects(body, "refUpdates"), fields.objects(body, "commits")
    if len(updates) != 1 or len(commits) != 1:
        raise ServiceError(501, "NotImplemented", "A push here has one branch and one commit.")
    name = fields.text(updates[0], "name")
    branch = _branch(cloud, repository, name)
    if fields.text(updates[0], "oldObjectId") != (branch["commit"] if branch else _NONE):
        raise ServiceError(
            409,
            "GitReferenceStaleException",
            f"TF401028: The reference '{name}' has already been updated by another client.",
        )
    files = dict(branch["files"]) if branch else {}
    for change in fields.objects(commits[0], "changes"):
        _apply(files, change)
    commit = _digest("commit", repr((sorted(files.items()), cloud.timestamp())).encode())
    stored = {
        "repository": repository["id"],
        "name": name,
        "commit": commit,
        "files": files,
    }
    cloud.store.put(_KIND, f"{repository['id']}/{name}", stored)
    made = {
        "pushId": cloud.store.next_number(_KIND),
        "pushedBy": organization(cloud).user,
        "date": cloud.timestamp(),
        "repository": shown(cloud, repository),
        "refUpdates": [{"name": name, "oldObjectId": _NONE, "newObjectId": commit}],
        "commits": [{"commitId": commit, "comment": fields.text(commits[0], "comment")}],
    }
    return json_response(made, 201)


@area.on("GET", ITEMS, "project", "repositoryId")
def get_items(cloud: Cloud, request: Request) -> Response:
    """All files of the default branch, or the content of the one that `path` names."""
    repository = _repository(cloud, request)
    name = repository.get("defaultBranch", "refs/heads/main")
    branch = _branch(cloud, repository, name)
    if branch is None:
        raise ServiceError(
            404,
            "GitItemNotFoundException",
            f"TF401175: The version descriptor <Branch: {name}> could not be resolved.",
        )
    asked = request.query.get("path")
    if asked is None:
        return collection(
            [
                {"objectId": _digest("blob", base64.b64decode(content)), "path": path, **_FILE}
                for path, content in sorted(branch["files"].items())
            ]
        )
    if asked not in branch["files"]:
        raise ServiceError(
            404, "GitItemNotFoundException", f"TF401174: The item '{asked}' could not be found."
        )
    content = base64.b64decode(branch["files"][asked])
    return Response(body=content, headers={"content-type": "application/octet-stream"})


_FILE = {"gitObjectType": "blob", "isFolder": False}


def _apply(files: dict[str, str], change: dict[str, Any]) -> None:
    kind = fields.text(change, "changeType").lower()
    path = fields.text(fields.mapping(change, "item"), "path")
    if kind not in ("add", "edit"):
        raise ServiceError(501, "NotImplemented", f"The change '{kind}' is not known here.")
    if (path in files) != (kind == "edit"):
        raise ServiceError(
            400, "GitItemException", f"TF401035: The path {path} does not suit the change {kind}."
        )
    new = fields.mapping(change, "newContent")
    content = fields.text(new, "content")
    encoded = str(new.get("contentType", "rawtext")).lower() == "base64encoded"
    files[path] = content if encoded else base64.b64encode(content.encode()).decode()


def _repository(cloud: Cloud, request: Request) -> dict[str, Any]:
    return find_repository(cloud, project_of(cloud, request), request.params["repositoryId"])


def _branches(cloud: Cloud, repository: dict[str, Any]) -> list[dict[str, Any]]:
    return cloud.store.list(_KIND, f"{repository['id']}/")


def _branch(cloud: Cloud, repository: dict[str, Any], name: str) -> dict[str, Any] | None:
    return cloud.store.get(_KIND, f"{repository['id']}/{name}")


def _digest(kind: str, content: bytes) -> str:
    header = f"{kind} {len(content)}\0".encode()
    return hashlib.sha1(header + content, usedforsecurity=False).hexdigest()
