"""Files of repositories, permissions, agents and the gallery, where `dev.py admin` does not go."""

from __future__ import annotations

import io
import zipfile
from typing import Any

import pytest

from tests.local.azure.devops.organisation import Organisation
from tests.patience import PATIENCE_S

_NONE = "0" * 40


def push(old: str, kind: str, content: str) -> Any:
    from azure.devops.v7_1.git.models import GitPush

    change = {
        "changeType": kind,
        "item": {"path": "/a.txt"},
        "newContent": {"content": content, "contentType": "rawtext"},
    }
    return GitPush(
        ref_updates=[{"name": "refs/heads/main", "oldObjectId": old}],
        commits=[{"comment": "a", "changes": [change]}],
    )


def test_a_branch_has_the_files_of_its_last_push(organisation: Organisation) -> None:
    git = organisation.client("git")
    made = git.create_repository({"name": "contents"}, organisation.project)
    where = (made.id, organisation.project)
    assert git.get_refs(*where) == []
    with pytest.raises(Exception, match="TF401175"):
        git.get_items(*where)
    first = git.create_push(push(_NONE, "add", "one"), *where).ref_updates[0].new_object_id
    with pytest.raises(Exception, match="TF401028"):
        git.create_push(push(_NONE, "edit", "two"), *where)
    with pytest.raises(Exception, match="TF401035"):
        git.create_push(push(first, "add", "two"), *where)
    second = git.create_push(push(first, "edit", "two"), *where).ref_updates[0].new_object_id
    (branch,) = git.get_refs(*where, filter="heads/ma")
    assert (branch.object_id, branch.name) == (second, "refs/heads/main")
    folder, item = git.get_items(*where, recursion_level="full")
    assert (folder.path, folder.is_folder) == ("/", True)
    # As `git hash-object` says it of the three bytes "two".
    assert item.object_id == "64c5e5885a4b06010b3a0c20edb7900dd0311025"
    assert b"".join(git.get_item_content(*where[:1], "/a.txt", where[1])) == b"two"
    with pytest.raises(Exception, match="does not know the change 'branch'"):
        git.create_push(push(second, "branch", ""), *where)
    with pytest.raises(Exception, match="not valid for commits"):
        git.create_push(push(second, "nonsense", ""), *where)
    git.create_push(push(second, "delete", ""), *where)
    assert [one.path for one in git.get_items(*where, recursion_level="full")] == ["/"]


def test_permissions_are_given_and_taken(organisation: Organisation) -> None:
    client = organisation.client("pipeline_permissions")
    where = (organisation.project, "endpoint", "an-id")

    def authorized() -> list[int]:
        return [one.id for one in client.get_pipeline_permissions_for_resource(*where).pipelines]

    for pipelines, expected in (
        ([{"id": 3, "authorized": True}, {"id": 4, "authorized": True}], [3, 4]),
        ([{"id": 3, "authorized": False}], [4]),
    ):
        client.update_pipeline_permisions_for_resource({"pipelines": pipelines}, *where)
        assert authorized() == expected
    security = organisation.client("security")
    assert security.has_permissions("33344d9c-fc72-4d6f-aba5-fa317101a7e9", 1, "a,b") == [True] * 2


def package(version: str) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        identity = f'<Identity Id="x" Version="{version}" Publisher="p" />'
        archive.writestr("extension.vsixmanifest", f"<P><Metadata>{identity}</Metadata></P>")
    return stream.getvalue()


def test_a_version_is_published_once(organisation: Organisation) -> None:
    session, auth = organisation.session, ("", organisation.token)
    base = "https://marketplace.visualstudio.com/_apis/gallery"
    one = f"{base}/publishers/p/extensions/x"

    def send(method: str, url: str, body: bytes = b"") -> Any:
        return session.request(method, url, data=body, auth=auth, timeout=PATIENCE_S)

    assert send("PUT", one, package("1.0.0")).status_code == 404
    assert send("POST", f"{base}/extensions", b"no zip").status_code == 400
    assert send("POST", f"{base}/extensions", package("1.0.0")).status_code == 200
    assert send("POST", f"{base}/extensions", package("1.0.0")).status_code == 409
    assert send("PUT", one, package("1.0.0")).status_code == 400
    assert send("PUT", one, package("1.0.1")).status_code == 200
    assert [one["version"] for one in send("GET", one).json()["versions"]] == ["1.0.1", "1.0.0"]
    assert session.get(one, timeout=PATIENCE_S).status_code == 401
    assert send("DELETE", one).status_code == 501
