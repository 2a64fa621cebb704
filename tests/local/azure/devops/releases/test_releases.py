"""Release definitions and releases as the `azure-devops` package and an agent drive them."""

from __future__ import annotations

import json
import uuid
from typing import Any

import pytest

from tests.local.azure.devops.organisation import Organisation, connect

VERSION = {"api-version": "7.1"}


def definition(**changes: Any) -> dict[str, Any]:
    return {
        "name": uuid.uuid4().hex,
        "environments": [{"name": "Test"}, {"name": "Production"}],
        "artifacts": [
            {
                "alias": "_model",
                "type": "Build",
                "definitionReference": {"definition": {"id": "1", "name": "train"}},
            }
        ],
        "variables": {"aks_name": {"value": "k8s"}},
        **changes,
    }


def test_a_definition_is_made_found_changed_and_removed(organisation: Organisation) -> None:
    client, project = organisation.client("release"), organisation.project
    made = client.create_release_definition(definition(), project)
    assert [stage.name for stage in made.environments] == ["Test", "Production"]
    assert len({stage.id for stage in made.environments}) == 2
    (found,) = client.get_release_definitions(
        project, search_text=made.name, is_exact_name_match=True
    )
    assert found.id == made.id
    assert client.get_release_definitions(project, search_text=made.name[:9]) != []
    made.description = "better"
    changed = client.update_release_definition(made, project)
    assert (changed.description, changed.revision) == ("better", 2)
    with pytest.raises(Exception, match="VS402962"):
        client.update_release_definition(made, project)
    with pytest.raises(Exception, match="already exists"):
        client.create_release_definition(definition(name=made.name), project)
    with pytest.raises(Exception, match="needs a stage"):
        client.create_release_definition(definition(environments=[]), project)
    client.delete_release_definition(project, made.id)
    with pytest.raises(Exception, match="VS402884"):
        client.get_release_definition(project, made.id)


def test_a_release_is_deployed_stage_by_stage(
    organisation: Organisation, client_environment: Any
) -> None:
    client, project = organisation.client("release"), organisation.project
    made = client.create_release_definition(definition(), project)
    body = {
        "definitionId": made.id,
        "artifacts": [{"alias": "_model", "instanceReference": {"id": "7", "name": "20261125.7"}}],
        "properties": {"demands": ["Agent.Name -equals releaser"]},
    }
    release = client.create_release(body, project)
    assert (release.name, release.status) == ("Release-1", "active")
    assert release.artifacts[0].definition_reference["version"].name == "20261125.7"
    assert release.variables["aks_name"].value == "k8s"

    pool = "_apis/distributedtask/pools/1"
    session = organisation.request(
        "POST", f"{pool}/sessions", params=VERSION, json={"agent": {"name": "releaser"}}
    ).json()["sessionId"]
    message = organisation.request(
        "GET", f"{pool}/messages", params={"sessionId": session, **VERSION}
    ).json()
    request = json.loads(message["body"])
    assert request["variables"]["release.releaseName"]["value"] == "Release-1"
    (endpoint,) = request["resources"]["endpoints"]
    token = endpoint["authorization"]["parameters"]["AccessToken"]
    own = connect(client_environment.environment, token=token)
    with pytest.raises(Exception, match="requires user authentication"):
        own.client("core").get_projects()  # no stage runs yet

    stage = release.environments[0]
    begun = client.update_release_environment(
        {"status": "inProgress"}, project, release.id, stage.id
    )
    (attempt,) = begun.deploy_steps
    plan = attempt.release_deploy_phases[0].run_plan_id
    path = f"{project}/_apis/distributedtask/hubs/release/plans/{plan}"
    record = str(uuid.uuid4())

    def tell(method: str, below: str, **options: Any) -> None:
        answer = organisation.request(
            method, f"{path}/{below}", token=token, params=VERSION, **options
        )
        assert answer.status_code < 300, answer.text

    tell("POST", "events", json={"name": "JobStarted"})
    kind = "aml.deploy.report"
    tell(
        "PUT",
        f"timelines/{plan}/records/{record}/attachments/{kind}/service",
        data=b"<h1>deployed</h1>",
    )
    assert own.client("core").get_projects() != []
    with pytest.raises(Exception, match="cannot deploy stages"):
        own.client("release").update_release_environment(
            {"status": "inProgress"}, project, release.id, release.environments[1].id
        )
    tell("POST", "events", json={"name": "JobCompleted", "result": "SucceededWithIssues"})

    shown = client.get_release(project, release.id).environments
    assert [one.status for one in shown] == ["partiallySucceeded", "notStarted"]
    place = (project, release.id, stage.id, 1, plan)
    (attached,) = client.get_release_task_attachments(*place, kind)
    content = client.get_release_task_attachment_content(
        *place, attached.timeline_id, attached.record_id, kind, attached.name
    )
    assert b"".join(content) == b"<h1>deployed</h1>"
    with pytest.raises(Exception, match="requires user authentication"):
        own.client("core").get_projects()  # the stage has ended
    with pytest.raises(Exception, match="no such attempt"):
        client.get_release_task_attachments(project, release.id, stage.id, 2, plan, kind)

    again = client.create_release({"definitionId": made.id}, project)
    found = client.get_releases(project, definition_id=made.id)
    assert [one.id for one in found] == [again.id, release.id]
    client.update_release_resource({"status": "abandoned"}, project, again.id)
    found = client.get_releases(project, definition_id=made.id, status_filter="active")
    assert [one.id for one in found] == [release.id]
    with pytest.raises(Exception, match="There is no artifact 'x'"):
        client.create_release({"definitionId": made.id, "artifacts": [{"alias": "x"}]}, project)
