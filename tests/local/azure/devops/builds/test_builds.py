"""Builds as the `azure-devops` package drives them."""

from __future__ import annotations

from typing import Any

import pytest
import requests

from tests.local.azure.devops.organisation import Organisation
from tests.patience import PATIENCE_S


def test_a_definition_is_made_found_changed_and_removed(organisation: Organisation) -> None:
    build = organisation.client("build")
    made = organisation.definition()
    assert made.revision == 1
    assert made.repository.type == "TfsGit"

    (found,) = build.get_definitions(organisation.project, name=made.name)
    assert found.id == made.id
    made.description = "better"
    changed = build.update_definition(made, organisation.project, made.id)
    assert (changed.description, changed.revision) == ("better", 2)
    with pytest.raises(Exception, match="was changed since revision 1"):
        build.update_definition(made, organisation.project, made.id)
    with pytest.raises(Exception, match="already exists in folder"):
        organisation.definition(made.name)
    build.delete_definition(organisation.project, made.id)
    with pytest.raises(Exception, match="was not found"):
        build.get_definition(organisation.project, made.id)


def test_builds_are_listed_by_the_services_filters(organisation: Organisation) -> None:
    build = organisation.client("build")
    definition = organisation.definition()
    made = []
    for branch, result in (
        ("refs/heads/main", "succeeded"),
        ("refs/heads/main", "failed"),
        ("refs/heads/other", "succeeded"),
        ("refs/heads/main", "succeeded"),
    ):
        queued = organisation.queue(definition, source_branch=branch)
        assert queued.status == "notStarted"
        ended = build.update_build(
            {"status": "completed", "result": result}, organisation.project, queued.id
        )
        assert ended.finish_time
        made.append(queued.id)
    running = organisation.queue(definition, source_branch="refs/heads/main")

    def ids(**filters: object) -> list[int]:
        found = build.get_builds(organisation.project, definitions=[definition.id], **filters)
        return [one.id for one in found]

    assert ids() == [running.id, *reversed(made)]
    assert ids(query_order="queueTimeAscending") == [*made, running.id]
    assert ids(status_filter="completed", query_order="finishTimeDescending", top=1) == [made[3]]
    assert ids(branch_name="refs/heads/main", result_filter="succeeded") == [made[3], made[0]]
    assert ids(build_ids=[made[1], made[2]]) == [made[2], made[1]]
    build.add_build_tags(["gate-passed", "nightly"], organisation.project, made[0])
    build.add_build_tag(organisation.project, made[2], "nightly")
    assert ids(tag_filters=["Nightly"]) == [made[2], made[0]]
    assert ids(tag_filters=["nightly", "gate-passed"]) == [made[0]]
    page = organisation.request(
        "GET",
        f"{organisation.project}/_apis/build/builds?definitions={definition.id}&$top=2&api-version=7.1",
    )
    assert page.headers["x-ms-continuationtoken"] == "2"


def test_tags_properties_and_artifacts(organisation: Organisation) -> None:
    build = organisation.client("build")
    queued = organisation.queue(organisation.definition())
    project = organisation.project
    assert build.add_build_tags(["b", "a"], project, queued.id) == ["a", "b"]
    assert build.add_build_tag(project, queued.id, "c d") == ["a", "b", "c d"]
    assert build.delete_build_tag(project, queued.id, "B") == ["a", "c d"]
    assert build.get_build_tags(project, queued.id) == ["a", "c d"]
    assert build.get_build(project, queued.id).tags == ["a", "c d"]

    patch = [
        {"op": "add", "path": "/AmlGate.Verdict", "value": "passed"},
        {"op": "add", "path": "/AmlGate.a~1b.Reason", "value": "TIE"},
    ]
    build.update_build_properties(patch, project, queued.id)
    found = build.get_build_properties(project, queued.id, filter=["AmlGate.Verdict"])
    assert found["value"] == {"AmlGate.Verdict": {"$type": "System.String", "$value": "passed"}}
    build.update_build_properties(
        [{"op": "remove", "path": "/AmlGate.Verdict"}], project, queued.id
    )
    assert list(build.get_build_properties(project, queued.id)["value"]) == ["AmlGate.a/b.Reason"]

    artifact = {"name": "model", "resource": {"type": "FilePath", "data": "/x"}}
    build.create_artifact(artifact, project, queued.id)
    assert build.get_artifact(project, queued.id, "model").resource.data == "/x"
    with pytest.raises(Exception, match="already exists for build"):
        build.create_artifact(artifact, project, queued.id)


def test_the_servers_page_shows_builds_and_no_token(
    organisation: Organisation, client_environment: Any
) -> None:
    build, project = organisation.client("build"), organisation.project
    queued = organisation.queue(organisation.definition("<b>bold</b>"))
    build.add_build_tag(project, queued.id, "<i>tag</i>")
    patch = [
        {"op": "add", "path": f"/AmlGate.{name}", "value": value}
        for name, value in (("Verdict", "rejected"), ("Reason", "TIE"))
    ]
    build.update_build_properties(patch, project, queued.id)
    with requests.Session() as session:
        session.trust_env = False
        page = session.get(client_environment.environment["HTTPS_PROXY"], timeout=PATIENCE_S).text
    row = next(line for line in page.split("<tr>") if "&lt;b&gt;bold" in line)
    assert "&lt;i&gt;tag&lt;/i&gt;" in row
    assert "rejected TIE" in row
    assert "<b>" not in page
    assert organisation.token not in page
