"""Roles: who may do what where, and how a refusal is worded."""

from __future__ import annotations

import uuid

import pytest

from local.azure.identity.principals import application, managed_identity
from local.azure.identity.roles import ROLES, authorize
from local.azure.kernel.http import Request, ServiceError
from tests.local.azure.conftest import get_token

ARM = "https://management.azure.com"
API = {"api-version": "2022-04-01"}
BY_NAME = {role.name: role for role in ROLES}
ML = "Microsoft.MachineLearningServices/workspaces"


@pytest.mark.parametrize(
    ("role", "action", "allowed"),
    [
        ("Owner", "Microsoft.Authorization/roleAssignments/write", True),
        ("Contributor", "Microsoft.Authorization/roleAssignments/write", False),
        ("Contributor", f"{ML}/write", True),
        ("Reader", f"{ML}/computes/read", True),
        ("Reader", f"{ML}/jobs/write", False),
        ("Reader", f"{ML}/computes/listKeys/action", False),
        ("AzureML Data Scientist", f"{ML}/read", True),
        ("AzureML Data Scientist", f"{ML}/jobs/write", True),
        ("AzureML Data Scientist", f"{ML}/onlineEndpoints/deployments/delete", True),
        ("AzureML Data Scientist", f"{ML}/computes/read", True),
        ("AzureML Data Scientist", f"{ML}/computes/write", False),
        ("AzureML Data Scientist", f"{ML}/write", False),
        ("AzureML Data Scientist", "Microsoft.Resources/subscriptions/resourceGroups/read", False),
        ("AzureML Compute Operator", f"{ML}/computes/write", True),
        ("AzureML Compute Operator", f"{ML}/read", False),
    ],
)
def test_what_a_role_allows(role, action, allowed):
    assert BY_NAME[role].allows(action) is allowed


@pytest.fixture
def arm(anonymous_http, local_azure):
    """Ask Resource Manager as the application, or with another token."""
    own = get_token(anonymous_http, local_azure)

    def ask(method, path, token=own, **body):
        return anonymous_http.request(
            method,
            ARM + path,
            params=API,
            json=body or None,
            headers={"Authorization": f"Bearer {token}"},
        )

    return ask


@pytest.fixture
def machine(anonymous_http, local_azure):
    """A token of the managed identity."""
    base = local_azure.environment["AZURE_POD_IDENTITY_AUTHORITY_HOST"]
    answer = anonymous_http.get(
        f"{base}/metadata/identity/oauth2/token",
        params={"resource": "https://management.azure.com/"},
        headers={"Metadata": "true"},
    ).json()
    return answer["access_token"]


def roles_of(arm, scope):
    below = "/providers/Microsoft.Authorization/roleAssignments"
    return {
        one["properties"]["principalId"]: one["properties"]["roleDefinitionId"].rpartition("/")[2]
        for one in arm("GET", scope + below).json()["value"]
    }


def test_a_role_is_given_and_taken(arm, machine, local_azure):
    subscription = "/".join(local_azure.scope.split("/")[:3])
    before = arm("GET", f"{subscription}/providers/Microsoft.Authorization/roleAssignments").json()
    (given,) = [
        one
        for one in before["value"]
        if one["properties"]["roleDefinitionId"].endswith(BY_NAME["Contributor"].id)
    ]
    oid = given["properties"]["principalId"]
    cluster = f"{local_azure.scope}/computes/no-such"
    assert arm("DELETE", cluster, machine).status_code == 404
    assert arm("DELETE", given["id"], machine).status_code == 403  # a contributor gives no roles
    assert arm("DELETE", given["id"]).status_code == 200
    try:
        for path in (cluster, local_azure.scope, subscription):
            refused = arm("GET", path, machine)
            assert refused.status_code == 403
        assert arm("GET", "/subscriptions", machine).status_code == 403
        name = f"/providers/Microsoft.Authorization/roleAssignments/{uuid.uuid4()}"
        scientist = f"/x/{BY_NAME['AzureML Data Scientist'].id}"
        body = {"properties": {"principalId": oid, "roleDefinitionId": scientist}}
        assert arm("PUT", local_azure.scope + name, **body).status_code == 201
        assert arm("PUT", local_azure.scope + name, **body).status_code == 409
        assert arm("GET", local_azure.scope, machine).status_code == 200
        assert arm("GET", "/subscriptions", machine).status_code == 200
        refused = arm("DELETE", cluster, machine).json()["error"]
        assert refused["code"] == "AuthorizationFailed"
        assert f"with object id '{oid}' does not have authorization" in refused["message"]
        assert f"'{ML}/computes/delete' over scope '{cluster}'" in refused["message"]
        assert roles_of(arm, local_azure.scope)[oid] == BY_NAME["AzureML Data Scientist"].id
        assert arm("DELETE", local_azure.scope + name).status_code == 200
        unknown = {"principalId": oid, "roleDefinitionId": "/x/unknown"}
        assert arm("PUT", local_azure.scope + name, properties=unknown).status_code == 400
    finally:
        arm("PUT", given["id"], properties=given["properties"])


def test_a_role_is_found_by_its_name(anonymous_http, azure_http, local_azure):
    subscription = "/".join(local_azure.scope.split("/")[:3])
    url = f"{ARM}{subscription}/providers/Microsoft.Authorization/roleDefinitions"
    (found,) = azure_http.get(url, params={"$filter": "roleName eq 'Reader'"}).json()["value"]
    assert found["name"] == BY_NAME["Reader"].id
    assert len(azure_http.get(url).json()["value"]) == len(ROLES)
    answer = azure_http.get(url, params={"$filter": "type eq 'CustomRole'"})
    assert (answer.status_code, "type eq 'CustomRole'" in answer.text) == (501, True)


def test_assignments_are_found_by_their_principal(azure_http, local_azure):
    url = f"{ARM}{local_azure.scope}/providers/Microsoft.Authorization/roleAssignments"
    every = azure_http.get(url).json()["value"]
    ids = {one["properties"]["principalId"] for one in every}
    for one in ids:
        for text in (f"principalId eq '{one}'", f"assignedTo('{one.upper()}')"):
            found = azure_http.get(url, params={"$filter": text}).json()["value"]
            assert {entry["properties"]["principalId"] for entry in found} == {one}
    assert azure_http.get(url, params={"$filter": "atScopeOnly()"}).status_code == 501


def request(method, host, path, principal=None, **claims):
    caller = {"aud": "https://management.azure.com/", **(principal.claims if principal else {})}
    return Request(
        method=method,
        host=host,
        path=path,
        query={},
        headers={},
        body=b"",
        caller={**caller, **claims},
    )


def test_the_data_plane_refuses_in_its_own_words(fresh_azure):
    machine = managed_identity(fresh_azure)
    for one in fresh_azure.store.list("role-assignment"):
        fresh_azure.store.delete("role-assignment", one["name"])
    fresh_azure.store.put("role-defaults", "made", {})
    host = "eastus.api.azureml.ms"
    runs = f"/history/v1.0{fresh_azure.workspace_scope}/runs"
    with pytest.raises(ServiceError) as raised:
        authorize(fresh_azure, request("POST", host, runs, machine))
    assert raised.value.status == 403
    assert raised.value.message.startswith(
        f"Identity(object id: {machine.object_id}) does not have permissions for "
        f"{ML}/experiments/runs/write actions."
    )
    with pytest.raises(ServiceError, match=r"computes/read actions"):
        path = f"/rp/workspaces{fresh_azure.workspace_scope}/computes/c"
        authorize(fresh_azure, request("GET", host, path, machine))
    # A run speaks for itself, and storage has roles of its own.
    authorize(fresh_azure, request("POST", host, runs, machine, aud="azureml"))
    authorize(fresh_azure, request("PUT", "x.blob.core.windows.net", "/c/b", machine))


def test_the_application_may_do_all_in_a_new_state(fresh_azure):
    own = application(fresh_azure)
    path = f"{fresh_azure.workspace_scope}/computes/c"
    authorize(fresh_azure, request("PUT", "management.azure.com", path, own))
