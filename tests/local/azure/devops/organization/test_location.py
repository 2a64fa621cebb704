"""How clients find their way: resource areas, locations, versions, access."""

from __future__ import annotations

import pytest

from tests.local.azure.devops.organisation import Organisation, connect
from tests.patience import PATIENCE_S


def test_the_package_finds_projects_and_itself(organisation: Organisation) -> None:
    core = organisation.client("core")
    assert organisation.project in [one.name for one in core.get_projects()]
    project = core.get_project(organisation.project, include_capabilities=True)
    assert project.capabilities["versioncontrol"]["sourceControlType"] == "Git"
    organisation.create_project("second")
    assert core.get_project("SECOND").name == "second"
    with pytest.raises(Exception, match="TF200019"):
        core.queue_create_project({"name": "Second"})
    data = organisation.client("location").get_connection_data()
    assert data.authenticated_user.provider_display_name == "Local User"


def test_every_location_has_its_routes(organisation: Organisation) -> None:
    answer = organisation.request("OPTIONS", "_apis").json()
    assert answer["count"] == len(answer["value"]) > 20
    assert len({one["id"] for one in answer["value"]}) == answer["count"]
    areas = organisation.request("GET", "_apis/ResourceAreas").json()["value"]
    assert {one["name"] for one in areas} >= {"core", "build", "distributedtask", "git"}


def test_what_is_not_covered_is_told(
    organisation: Organisation, client_environment: object
) -> None:
    from azure.devops.exceptions import AzureDevOpsServiceError

    with pytest.raises(AzureDevOpsServiceError, match="does not cover OPTIONS"):
        organisation.client("policy").get_policy_types(organisation.project)
    answer = organisation.request("GET", "_apis/wiki/wikis")
    assert (answer.status_code, answer.json()["typeKey"]) == (501, "NotImplementedException")
    assert answer.json()["typeName"] == "System.NotImplementedException, mscorlib"


@pytest.mark.parametrize(
    ("method", "version", "kind"),
    [
        ("POST", "", "VssVersionNotSpecifiedException"),
        ("GET", "0.1", "VssVersionOutOfRangeException"),
        ("GET", "9.9", "VssVersionOutOfRangeException"),
        ("GET", "7.2", "VssInvalidPreviewVersionException"),
    ],
)
def test_versions_are_checked(
    organisation: Organisation, method: str, version: str, kind: str
) -> None:
    query = {"api-version": version} if version else {}
    answer = organisation.request(
        method, f"{organisation.project}/_apis/build/definitions", params=query, json={}
    )
    assert (answer.status_code, answer.json()["typeKey"]) == (400, kind)


@pytest.mark.parametrize("version", ["7.1", "7.2-preview.7", "5.0"])
def test_good_versions_are_taken_and_told(organisation: Organisation, version: str) -> None:
    answer = organisation.request(
        "GET",
        f"{organisation.project}/_apis/build/definitions",
        headers={"accept": f"application/json;api-version={version}"},
    )
    assert answer.status_code == 200
    assert answer.headers["content-type"].endswith(f"api-version={version}")


def test_who_has_no_token_is_refused(client_environment: object) -> None:
    from azure.devops.exceptions import AzureDevOpsAuthenticationError

    environment = client_environment.environment  # type: ignore[attr-defined]
    for stranger in (
        connect({**environment, "AZURE_DEVOPS_EXT_PAT": "wrong"}),
        connect(environment, token="not-a-token"),
        connect(environment, token=""),
    ):
        with pytest.raises(AzureDevOpsAuthenticationError, match="requires user authentication"):
            stranger.connection.authenticate()


def test_another_organisation_is_not_there(organisation: Organisation) -> None:
    url = organisation.url.rpartition("/")[0] + "/contoso/_apis/projects"
    answer = organisation.session.get(url, auth=("", organisation.token), timeout=PATIENCE_S)
    assert (answer.status_code, answer.json()["typeKey"]) == (404, "HostNotFoundException")
