"""What the real azure-identity refuses before it asks anybody, as named errors."""

from __future__ import annotations

import copy

import pytest

from amltasks.azure_pipelines.agent import Connection
from amltasks.azure_pipelines.connection import principal
from amltasks.errors import TaskError
from amltasks.workspace.port import ClientCertificate, Cloud, Principal, WorkloadIdentity
from amltasks.workspace.sign_in import SignIn

CLOUD = Cloud(
    name="AzureCloud",
    authority="https://login.microsoftonline.com",
    resource_manager="https://management.azure.com",
    scope="https://management.azure.com/.default",
)


def signing_in(proof: ClientCertificate | WorkloadIdentity) -> SignIn:
    who = Principal(
        tenant_id="tenant", client_id="client", proof=proof, subscription_id="s", cloud=CLOUD
    )
    return SignIn(who)


@pytest.mark.parametrize("pem", ["no certificate", "-----BEGIN CERTIFICATE-----\nMII"])
def test_a_certificate_that_cannot_be_read(pem: str) -> None:
    with pytest.raises(TaskError, match=r"CERTIFICATE_INVALID: .* Next: paste one PEM"):
        signing_in(ClientCertificate(pem=pem)).get_token(CLOUD.scope)


def test_an_agent_that_names_no_address_for_id_tokens(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SYSTEM_OIDCREQUESTURI", raising=False)
    proof = WorkloadIdentity(connection_id="guid", access_token="hidden")
    with pytest.raises(TaskError, match=r"ID_TOKEN_REFUSED: .*System\.OidcRequestUri"):
        signing_in(proof).get_token(CLOUD.scope)


def test_a_deep_copy_is_the_same() -> None:
    own = signing_in(ClientCertificate(pem=""))
    assert copy.deepcopy({"auth": [own]})["auth"][0] is own


# azureml-core warns at its import of what it has deprecated itself.
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(
    ("name", "address"),
    [
        ("AzureChinaCloud", "https://management.chinacloudapi.cn"),
        ("AzureUSGovernment", "https://management.usgovcloudapi.net"),
    ],
)
def test_both_sdks_go_to_the_connections_cloud(name: str, address: str) -> None:
    from amltasks.workspace.sdk_v1.credential import WrappedSignIn
    from amltasks.workspace.sdk_v2.rest import Rest

    given = Connection(
        id="guid",
        name="prod",
        url="",
        scheme="ManagedServiceIdentity",
        parameters={},
        data={"subscriptionid": "s", "environment": name},
    )
    who = principal(given)
    rest = Rest(who, resource_group="g", workspace="w")
    assert rest.address("jobs/j").startswith(f"{address}/subscriptions/s/resourceGroups/g/")
    wrapped = WrappedSignIn(SignIn(who))
    assert wrapped._get_arm_end_point().rstrip("/") == address
    assert [one.subscription_id for one in wrapped._get_all_subscription_ids()[0]] == ["s"]
