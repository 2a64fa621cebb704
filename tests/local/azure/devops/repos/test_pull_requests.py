"""Repositories, pull requests, threads and comments."""

from __future__ import annotations

import pytest

from tests.local.azure.devops.organisation import Organisation


def test_repositories(organisation: Organisation) -> None:
    git = organisation.client("git")
    made = git.create_repository({"name": "models"}, organisation.project)
    assert git.get_repository("MODELS", organisation.project).id == made.id
    names = {one.name for one in git.get_repositories(organisation.project)}
    assert names >= {"models", organisation.project}
    with pytest.raises(Exception, match="TF400948"):
        git.create_repository({"name": "Models"}, organisation.project)
    with pytest.raises(Exception, match="TF401019"):
        git.get_repository("nothing", organisation.project)


def test_threads_and_comments_of_a_pull_request(organisation: Organisation) -> None:
    git, project = organisation.client("git"), organisation.project
    body = {
        "title": "A better model",
        "sourceRefName": "refs/heads/better",
        "targetRefName": "refs/heads/main",
    }
    with pytest.raises(Exception, match="TF401398"):
        git.create_pull_request(body, project, project)
    for name in ("main", "better"):
        organisation.push(name)
    made = git.create_pull_request(body, project, project)
    assert made.merge_status == "queued"
    with pytest.raises(Exception, match="TF401179"):
        git.create_pull_request(body, project, project)
    number = made.pull_request_id
    found = git.get_pull_request_by_id(number, project)
    assert (found.title, found.merge_status) == ("A better model", "succeeded")
    found = git.get_pull_requests(project, None, project)
    assert number in [one.pull_request_id for one in found]

    thread = git.create_thread(
        {
            "comments": [{"content": "first"}],
            "status": "active",
            "properties": {"Aml.Gate": "x", "M": {"type": "System.Int32", "value": 1}},
        },
        project,
        number,
        project,
    )
    assert thread.properties == {
        "Aml.Gate": {"$type": "System.String", "$value": "x"},
        "M": {"$type": "System.Int32", "$value": 1},
    }
    git.create_comment({"content": "second"}, project, number, thread.id, project)
    changed = git.update_comment({"content": "better"}, project, number, thread.id, 1, project)
    assert changed.content == "better"
    git.update_thread({"status": "fixed"}, project, number, thread.id, project)
    (only,) = git.get_threads(project, number, project)
    assert only.status == "fixed"
    assert [one.content for one in only.comments] == ["better", "second"]
    with pytest.raises(Exception, match="TF401180"):
        git.get_threads(project, 99999, project)
    closed = git.update_pull_request({"status": "abandoned"}, project, number, project)
    assert closed.status == "abandoned"
    assert number not in [
        one.pull_request_id for one in git.get_pull_requests(project, None, project)
    ]
