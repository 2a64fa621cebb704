"""A refusal names the role that is missing, whoever it is that refuses."""

from __future__ import annotations

import json

import pytest
import requests

from amltasks.workspace import permissions
from amltasks.workspace.failures import translate

OBJECT = "0b5f6d1c-7a38-4a7e-9f0a-2f6f3f2f7c11"
WORKSPACE = (
    "/subscriptions/s/resourceGroups/g/providers/Microsoft.MachineLearningServices/workspaces/w"
)
ML = "Microsoft.MachineLearningServices/workspaces"


def of_resource_manager(action: str, scope: str) -> str:
    return (
        f"The client '11111111-7a38-4a7e-9f0a-2f6f3f2f7c11' with object id '{OBJECT}' does not "
        f"have authorization to perform action '{action}' over scope '{scope}' or the scope is "
        "invalid. If access was recently granted, please refresh your credentials."
    )


@pytest.mark.parametrize(
    ("action", "scope", "role", "where"),
    [
        (f"{ML}/computes/write", f"{WORKSPACE}/computes/c", "AzureML Compute Operator", WORKSPACE),
        (f"{ML}/computes/read", f"{WORKSPACE}/computes/c", "AzureML Data Scientist", WORKSPACE),
        (f"{ML}/jobs/write", f"{WORKSPACE}/jobs/j", "AzureML Data Scientist", WORKSPACE),
        (f"{ML}/read", WORKSPACE, "AzureML Data Scientist", WORKSPACE),
        (f"{ML}/write", WORKSPACE, "Contributor", WORKSPACE),
        (
            "Microsoft.Resources/subscriptions/resourceGroups/read",
            "/subscriptions/s/resourceGroups/g",
            "Contributor",
            "/subscriptions/s/resourceGroups/g",
        ),
    ],
)
def test_the_least_role_for_an_action(action: str, scope: str, role: str, where: str) -> None:
    told = of_resource_manager(action, scope)
    for text in (told, told.replace("'", "\\'"), told.replace("'", "\\\\'")):  # as SDKs quote it
        found = permissions.missing(text)
        assert found is not None
        assert (found.action, found.role, found.scope) == (action, role, where)
        assert found.object_id == OBJECT


def test_the_data_plane_names_no_scope_but_was_asked_for_one() -> None:
    said = f"Identity(object id: {OBJECT}) does not have permissions for {ML}/models/write actions."
    address = f"https://eastus.api.azureml.ms/modelmanagement/v1.0{WORKSPACE}/models?x=1"
    found = permissions.missing(said, address)
    assert found is not None
    assert found.command == (
        f"az role assignment create --assignee-object-id {OBJECT} --assignee-principal-type "
        f"ServicePrincipal --role 'AzureML Data Scientist' --scope {WORKSPACE}"
    )


def test_a_refusal_becomes_one_sentence_with_the_command() -> None:
    response = requests.Response()
    response.status_code = 403
    scope = f"{WORKSPACE}/computes/cpu"
    told = of_resource_manager(f"{ML}/computes/write", scope)
    response._content = json.dumps(
        {"error": {"code": "AuthorizationFailed", "message": told}}
    ).encode()
    error = translate(requests.HTTPError(response=response), "creating the cluster 'cpu'")
    assert str(error) == (
        f"ROLE_MISSING: the service connection's identity (object id {OBJECT}) lacks the "
        f"permission {ML}/computes/write, needed while creating the cluster 'cpu' (403). Next: "
        "ask an owner to give it the role 'AzureML Compute Operator', which takes effect within "
        f"minutes: az role assignment create --assignee-object-id {OBJECT} "
        "--assignee-principal-type ServicePrincipal --role 'AzureML Compute Operator' "
        f"--scope {WORKSPACE}."
    )


def test_another_refusal_names_no_action() -> None:
    assert permissions.missing("The workspace's firewall does not let you in.") is None
