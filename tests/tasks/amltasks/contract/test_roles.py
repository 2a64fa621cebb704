"""What a principal needs: two roles on the workspace, and nothing above it. On both SDKs."""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterator
from typing import Any

import pytest
import requests

from tests.patience import PATIENCE_S

from ..conftest import CLUSTER, Azure, Ended, Starter
from .conftest import PIPELINES

ARM = "https://management.azure.com"
ROLES = "/providers/Microsoft.Authorization"


class Owner:
    """The application, which may give roles to the machine's identity."""

    def __init__(self, azure: Azure) -> None:
        given = azure.environment
        self.workspace = (
            f"/subscriptions/{given['AML_SUBSCRIPTION_ID']}/resourceGroups/"
            f"{given['AML_RESOURCE_GROUP']}/providers/Microsoft.MachineLearningServices/workspaces/"
            f"{given['AML_WORKSPACE_NAME']}"
        )
        self.session = requests.Session()
        self.session.trust_env = False
        self.session.proxies = {"https": given["HTTPS_PROXY"]}
        self.session.verify = given["REQUESTS_CA_BUNDLE"]
        signed_in = self.session.post(
            f"https://login.microsoftonline.com/{given['AZURE_TENANT_ID']}/oauth2/v2.0/token",
            data={
                "grant_type": "client_credentials",
                "client_id": given["AZURE_CLIENT_ID"],
                "client_secret": given["AZURE_CLIENT_SECRET"],
                "scope": f"{ARM}/.default",
            },
        )
        self.session.headers["Authorization"] = f"Bearer {signed_in.json()['access_token']}"

    def ask(self, method: str, path: str, **options: Any) -> Any:
        answer = self.session.request(method, ARM + path, timeout=PATIENCE_S, **options)
        answer.raise_for_status()
        return answer.json()

    def assignments(self) -> list[Any]:
        return list(self.ask("GET", f"{self.workspace}{ROLES}/roleAssignments")["value"])

    def give(self, role: str, scope: str, object_id: str) -> None:
        query = {"$filter": f"roleName eq '{role}'"}
        found = self.ask("GET", f"{scope}{ROLES}/roleDefinitions", params=query)["value"]
        given = {"roleDefinitionId": found[0]["id"], "principalId": object_id}
        path = f"{scope}{ROLES}/roleAssignments/{uuid.uuid4()}"
        self.ask("PUT", path, json={"properties": given})


@pytest.fixture(scope="module")
def owner(aml_azure: Azure) -> Iterator[Owner]:
    found = Owner(aml_azure)
    yield found
    found.session.close()


@pytest.fixture
def machine(owner: Owner, sdk: str) -> Iterator[str]:
    """The object id of the machine's identity, which has one role, on the workspace only."""
    contributor = owner.ask(
        "GET",
        f"{owner.workspace}{ROLES}/roleDefinitions",
        params={"$filter": "roleName eq 'Contributor'"},
    )["value"][0]["name"]
    (usual,) = [
        one
        for one in owner.assignments()
        if one["properties"]["roleDefinitionId"].endswith(contributor)
    ]
    object_id = usual["properties"]["principalId"]
    owner.ask("DELETE", usual["id"])
    owner.give("AzureML Data Scientist", owner.workspace, object_id)
    yield object_id
    for one in owner.assignments():
        if one["properties"]["principalId"] == object_id:
            owner.ask("DELETE", one["id"])
    owner.ask("PUT", usual["id"], json={"properties": usual["properties"]})


@pytest.fixture
def as_machine(aml_azure: Azure, start_in_azure: Starter, monkeypatch: Any) -> Starter:
    """Start a task whose service connection is a managed identity."""
    connection = {
        **aml_azure.connection,
        "scheme": "ManagedServiceIdentity",
        "parameters": {"tenantid": aml_azure.environment["AZURE_TENANT_ID"]},
    }
    host = "AZURE_POD_IDENTITY_AUTHORITY_HOST"
    environment = {**aml_azure.client_environment, host: aml_azure.environment[host]}

    def begin(task: str, inputs: dict[str, str]) -> Any:
        return start_in_azure(task, inputs, connection=connection, environment=environment)

    return begin


def test_roles_on_the_workspace_are_enough_and_a_missing_one_is_named(
    cluster: Ended, sdk: str, machine: str, owner: Owner, as_machine: Starter, consumer: Any
) -> None:
    new = {"computeName": f"own-{sdk}"}
    refused = as_machine("ProvisionAmlCompute", new).end()
    assert list(refused.issues) == ["ROLE_MISSING"]
    assert (
        f"(object id {machine}) lacks the permission "
        "Microsoft.MachineLearningServices/workspaces/computes/write, needed while creating the "
        f"cluster 'own-{sdk}' (403). Next: "
    ) in refused.message
    command = re.search(
        r"az role assignment create --assignee-object-id (\S+) --assignee-principal-type "
        r"ServicePrincipal --role '([^']+)' --scope (\S+)\.$",
        refused.message,
    )
    assert command is not None, refused.message
    assert command[3] == owner.workspace
    reused = as_machine("ProvisionAmlCompute", {"computeName": f"{CLUSTER}-{sdk}"}).end()
    assert reused.outputs["computeOutcome"] == "reused"

    owner.give(command[2], command[3], command[1])
    created = as_machine("ProvisionAmlCompute", new).end()
    assert created.outputs["computeOutcome"] == "created", created.log
    run = {
        "pipelineFile": PIPELINES[sdk],
        "experimentName": "roles",
        "parameters": f"accuracy: 0.9\nmode: good\ncompute: own-{sdk}",
    }
    trained = as_machine("RunAmlPipeline", run).end()
    assert trained.result == "Succeeded", trained.log
    assert trained.outputs["metric.accuracy"] == "0.9"


def test_a_reader_may_run_nothing(
    cluster: Ended, sdk: str, machine: str, owner: Owner, as_machine: Starter, consumer: Any
) -> None:
    (scientist,) = [
        one for one in owner.assignments() if one["properties"]["principalId"] == machine
    ]
    owner.ask("DELETE", scientist["id"])
    nobody = as_machine("ProvisionAmlCompute", {"computeName": f"{CLUSTER}-{sdk}"}).end()
    assert list(nobody.issues) == ["ROLE_MISSING"]
    assert "Microsoft.MachineLearningServices/workspaces/read, needed while opening" in (
        nobody.message
    )
    owner.give("Reader", owner.workspace, machine)
    run = {
        "pipelineFile": PIPELINES[sdk],
        "experimentName": "roles",
        "parameters": f"accuracy: 0.9\nmode: good\ncompute: {CLUSTER}-{sdk}",
    }
    refused = as_machine("RunAmlPipeline", run).end()
    assert list(refused.issues) == ["ROLE_MISSING"], refused.log
    assert f"(object id {machine})" in refused.message
    # The data plane, which v1 asks first, does not say where the permission is missing.
    where = owner.workspace if sdk == "v2" else "<the id of the workspace>"
    assert f"--role 'AzureML Data Scientist' --scope {where}" in refused.message
