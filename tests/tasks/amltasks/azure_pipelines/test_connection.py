"""Service connections: who signs in with each of them, and what is refused by name."""

from typing import Any

import pytest

from amltasks.azure_pipelines import connection
from amltasks.azure_pipelines.agent import Connection
from amltasks.errors import TaskError
from amltasks.workspace.port import (
    ClientCertificate,
    ClientSecret,
    Cloud,
    ManagedIdentity,
    WorkloadIdentity,
)

SECRET = {"serviceprincipalkey": "hidden-key"}
PEM = {"authenticationtype": "spnCertificate", "serviceprincipalcertificate": "hidden-pem"}
FEDERATION, MANAGED = "WorkloadIdentityFederation", "ManagedServiceIdentity"
DATA = {"subscriptionid": "s", "environment": "AzureCloud"}


def made(
    scheme: str = "ServicePrincipal", data: Any = DATA, url: str = "", **parameters: str
) -> Connection:
    who = {"tenantid": "t", "serviceprincipalid": "c"}
    given = {**who, **(parameters or SECRET)}
    return Connection(id="guid", name="prod", url=url, scheme=scheme, parameters=given, data=data)


@pytest.mark.parametrize(
    ("given", "proof"),
    [
        (made(**SECRET), ClientSecret(secret="hidden-key")),
        (made(authenticationtype="spnKey", **SECRET), ClientSecret(secret="hidden-key")),
        (made("serviceprincipal", **PEM), ClientCertificate(pem="hidden-pem")),
        (made(FEDERATION), WorkloadIdentity(connection_id="guid", access_token="hidden-token")),
    ],
)
def test_a_service_principal_proves_itself_as_the_scheme_says(given: Any, proof: Any) -> None:
    found = connection.principal(given, "hidden-token")
    assert found.proof == proof
    assert (found.tenant_id, found.client_id, found.subscription_id) == ("t", "c", "s")
    assert "hidden" not in repr(found)


def test_a_managed_identity_is_the_machines_own_unless_it_is_named() -> None:
    own = made(MANAGED, tenantid="", serviceprincipalid="ignored")
    assert connection.principal(own).client_id == ""
    assert connection.principal(own).proof == ManagedIdentity()
    named = made(MANAGED, data={**DATA, "msiclientid": "mine"})
    assert connection.principal(named).client_id == "mine"


PUBLIC = Cloud(
    name="AzureCloud",
    authority="https://login.microsoftonline.com",
    resource_manager="https://management.azure.com",
    scope="https://management.azure.com/.default",
)
CHINA = Cloud(
    name="AzureChinaCloud",
    authority="https://login.chinacloudapi.cn",
    resource_manager="https://management.chinacloudapi.cn",
    scope="https://management.chinacloudapi.cn/.default",
)
GOVERNMENT = Cloud(
    name="AzureUSGovernment",
    authority="https://login.microsoftonline.us",
    resource_manager="https://management.usgovcloudapi.net",
    # The id's own slash stays: it is part of the audience.
    scope="https://management.core.usgovcloudapi.net//.default",
)


@pytest.mark.parametrize(
    ("url", "data", "cloud"),
    [
        ("", {}, PUBLIC),
        ("", {"environment": "azurechinacloud"}, CHINA),
        (
            "https://management.usgovcloudapi.net/",
            {
                "environment": "AzureUSGovernment",
                "activedirectoryauthority": "https://login.microsoftonline.us/",
                "activedirectoryserviceendpointresourceid": (
                    "https://management.core.usgovcloudapi.net/"
                ),
            },
            GOVERNMENT,
        ),
        (
            "",
            {
                "environment": "AzureChinaCloud",
                "environmenturl": "https://management.chinacloudapi.cn/",
            },
            CHINA,
        ),
    ],
)
def test_each_cloud_has_its_addresses(url: str, data: dict[str, str], cloud: Cloud) -> None:
    found = connection.principal(made(url=url, data={"subscriptionid": "s", **data}))
    assert found.cloud == cloud


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (made("PublishProfile"), "the scheme 'PublishProfile'"),
        (made(authenticationtype="spnMagic"), "with 'spnMagic'"),
        (made(data={**DATA, "environment": "AzureStack"}), "the cloud 'AzureStack'"),
        (made(MANAGED, data={**DATA, "environment": "AzureGermanCloud"}), "'AzureGermanCloud'"),
    ],
)
def test_what_cannot_be_used_is_named(given: Connection, words: str) -> None:
    with pytest.raises(TaskError, match=r"CONNECTION_UNSUPPORTED: .*'prod'") as found:
        connection.principal(given)
    assert words in str(found.value)


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (made(tenantid="", **SECRET), "tenant id"),
        (made(serviceprincipalid="", **SECRET), "client id"),
        (made(serviceprincipalkey=""), "key"),
        (made(**{**PEM, "serviceprincipalcertificate": ""}), "certificate"),
        (made(FEDERATION), "access token of the job"),
        (made(data={}), "subscription id"),
        (made(MANAGED, data={}), "subscription id"),
        (made(url="http://management.azure.com/"), "environmentUrl that starts with https://"),
        (
            made(data={**DATA, "activedirectoryauthority": "login"}),
            "activeDirectoryAuthority that starts with https:// (it is 'login')",
        ),
    ],
)
def test_what_is_missing_is_named(given: Connection, words: str) -> None:
    with pytest.raises(TaskError, match="CONNECTION_INVALID") as found:
        connection.principal(given)
    assert f"has no {words}" in str(found.value)


def test_no_connection_at_all() -> None:
    with pytest.raises(TaskError, match="INPUT_MISSING"):
        connection.principal(None)
