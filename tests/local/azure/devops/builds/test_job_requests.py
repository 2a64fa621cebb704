"""What an agent and its job may ask: messages, timeline, attachments, ID tokens."""

from __future__ import annotations

import json
from typing import Any

import jwt
import pytest

from tests.local.azure.devops.organisation import Organisation, connect
from tests.patience import PATIENCE_S

VERSION = {"api-version": "7.1"}


def job_of(organisation: Organisation, **values: Any) -> tuple[Any, dict[str, Any], str]:
    """Queue a build and take its job request as an agent does: build, request, token."""
    queued = organisation.queue(organisation.definition(), **values)
    session = organisation.request(
        "POST",
        "_apis/distributedtask/pools/1/sessions",
        params=VERSION,
        json={"ownerName": "test"},
    ).json()["sessionId"]
    while True:
        answer = organisation.request(
            "GET",
            "_apis/distributedtask/pools/1/messages",
            params={"sessionId": session, **VERSION},
        )
        assert answer.status_code == 200
        request = json.loads(answer.json()["body"])
        if request["requestId"] == queued.id:  # others are builds that other tests left waiting
            break
    (endpoint,) = request["resources"]["endpoints"]
    return queued, request, endpoint["authorization"]["parameters"]["AccessToken"]


def plan_path(request: dict[str, Any]) -> str:
    plan = request["plan"]
    return f"{plan['scopeIdentifier']}/_apis/distributedtask/hubs/build/plans/{plan['planId']}"


def test_an_agent_is_given_each_build_once(organisation: Organisation) -> None:
    queued, request, token = job_of(organisation)
    names = request["variables"]
    assert names["build.buildId"]["value"] == str(queued.id)
    assert names["system.teamProject"]["value"] == organisation.project
    assert token != organisation.token
    session = organisation.request(
        "POST", "_apis/distributedtask/pools/1/sessions", params=VERSION, json={}
    ).json()["sessionId"]
    answer = organisation.request(
        "GET", "_apis/distributedtask/pools/1/messages", params={"sessionId": session, **VERSION}
    )
    assert answer.status_code == 202


def test_a_jobs_timeline_attachments_and_end_are_the_builds(
    organisation: Organisation, client_environment: Any
) -> None:
    queued, request, token = job_of(organisation)
    path = plan_path(request)
    timeline = request["timeline"]["id"]

    def tell(method: str, below: str, **options: Any) -> Any:
        answer = organisation.request(
            method, f"{path}/{below}", token=token, params=VERSION, **options
        )
        assert answer.status_code < 300, answer.text
        return answer

    tell("POST", "events", json={"name": "JobStarted", "jobId": request["jobId"]})
    record = "0B5F6D1C-7a38-4a7e-9f0a-2f6f3f2f7c11"
    for state, result in (("inProgress", None), ("completed", "succeeded")):
        body = {"id": record, "name": "Gate", "type": "Task", "state": state, "result": result}
        tell("PATCH", f"timelines/{timeline}/records", json={"value": [body], "count": 1})
    report = b"<h1>passed</h1>"
    tell(
        "PUT",
        f"timelines/{timeline}/records/{record}/attachments/aml.gate.report/the%20gate.html",
        data=report,
        headers={"content-type": "application/octet-stream"},
    )
    log = tell("POST", "logs", json={"path": "logs\\gate"}).json()["id"]
    tell("POST", f"logs/{log}", data=b"one\ntwo\n")

    build, project = organisation.client("build"), organisation.project
    assert build.get_build(project, queued.id).status == "inProgress"
    (shown,) = build.get_build_timeline(project, queued.id).records
    assert (shown.name, shown.state, shown.result) == ("Gate", "completed", "succeeded")
    (kept,) = build.get_build_logs(project, queued.id)
    assert (kept.id, kept.line_count) == (log, 2)
    assert b"".join(build.get_build_log(project, queued.id, log)) == b"one\ntwo\n"
    assert build.get_build_log_lines(project, queued.id, log, start_line=2) == ["two"]
    (listed,) = build.get_attachments(project, queued.id, "aml.gate.report")
    assert listed.name == "the gate.html"
    link = listed._links.additional_properties["self"]["href"]
    assert organisation.session.get(
        link, auth=("", organisation.token), timeout=PATIENCE_S
    ).content == (report)
    content = build.get_attachment(
        project, queued.id, timeline, record, "aml.gate.report", "the gate.html"
    )
    assert b"".join(content) == report
    assert build.get_attachments(project, queued.id, "aml.gate.verdict") == []

    own = connect(client_environment.environment, token=token)
    assert own.client("build").get_build(project, queued.id).id == queued.id
    tell(
        "POST",
        "events",
        json={"name": "JobCompleted", "jobId": request["jobId"], "result": "SucceededWithIssues"},
    )
    ended = build.get_build(project, queued.id)
    assert (ended.status, ended.result) == ("completed", "partiallySucceeded")
    with pytest.raises(Exception, match="requires user authentication"):
        own.client("build").get_build(project, queued.id)


def test_a_job_may_use_its_own_plan_and_project_only(organisation: Organisation) -> None:
    _, first, token = job_of(organisation)
    _, second, _ = job_of(organisation)
    answer = organisation.request("GET", plan_path(second), token=token, params=VERSION)
    assert answer.status_code == 403
    organisation.create_project("elsewhere")
    answer = organisation.request(
        "GET", "elsewhere/_apis/build/builds", token=token, params=VERSION
    )
    assert answer.status_code == 403
    assert organisation.request("GET", plan_path(first), token=token, params=VERSION).json()[
        "owner"
    ]


def test_an_id_token_speaks_for_one_connection(organisation: Organisation) -> None:
    _, request, token = job_of(organisation)
    endpoints = organisation.client("service_endpoint")
    project = organisation.client("core").get_project(organisation.project)
    body = {
        "name": "federated",
        "type": "azurerm",
        "url": "https://management.azure.com/",
        "authorization": {"scheme": "WorkloadIdentityFederation", "parameters": {"tenantid": "t"}},
        "serviceEndpointProjectReferences": [
            {"name": "federated", "projectReference": {"id": project.id, "name": project.name}}
        ],
    }
    made = endpoints.create_service_endpoint(body)
    shown = made.authorization.parameters
    path = f"{plan_path(request)}/jobs/{request['jobId']}/oidctoken"
    answer = organisation.request(
        "POST", path, token=token, params={"serviceConnectionId": made.id, **VERSION}
    )
    assertion = answer.json()["oidcToken"]
    issuer = shown["workloadIdentityFederationIssuer"]
    found = organisation.session.get(
        f"{issuer}/.well-known/openid-configuration", timeout=PATIENCE_S
    ).json()
    (key,) = organisation.session.get(found["jwks_uri"], timeout=PATIENCE_S).json()["keys"]
    claims = jwt.decode(
        assertion,
        jwt.PyJWK(key).key,
        algorithms=["RS256"],
        audience="api://AzureADTokenExchange",
        issuer=found["issuer"],
    )
    assert claims["sub"] == f"sc://{organisation.name}/{organisation.project}/federated"
    assert claims["sub"] == shown["workloadIdentityFederationSubject"]
    assert claims["exp"] - claims["iat"] == 600

    for sent_by, connection, status in ((None, made.id, 403), (token, "0-0", 404)):
        answer = organisation.request(
            "POST", path, token=sent_by, params={"serviceConnectionId": connection, **VERSION}
        )
        assert answer.status_code == status
    endpoints.delete_service_endpoint(made.id, [project.id])


def test_service_connections_keep_their_secrets(organisation: Organisation) -> None:
    endpoints = organisation.client("service_endpoint")
    project = organisation.client("core").get_project(organisation.project)
    body = {
        "name": "with-key",
        "type": "azurerm",
        "authorization": {
            "scheme": "ServicePrincipal",
            "parameters": {"tenantid": "t", "serviceprincipalkey": "secret"},
        },
        "serviceEndpointProjectReferences": [{"projectReference": {"id": project.id}}],
    }
    made = endpoints.create_service_endpoint(body)
    assert made.authorization.parameters == {"tenantid": "t", "serviceprincipalkey": None}
    with pytest.raises(Exception, match="already exists"):
        endpoints.create_service_endpoint(body)
    (found,) = endpoints.get_service_endpoints_by_names(project.id, ["WITH-KEY"])
    assert found.id == made.id
    endpoints.delete_service_endpoint(made.id, [project.id])
    assert endpoints.get_service_endpoint_details(project.id, made.id) is None
