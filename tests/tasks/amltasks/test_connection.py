"""Service connections: what can be used, and what is refused by name."""

from typing import Any

import pytest

from amltasks import connection
from amltasks.agent import Connection
from amltasks.errors import TaskError

PARAMETERS = {"tenantid": "t", "serviceprincipalid": "c", "serviceprincipalkey": "hidden-key"}
DATA = {"subscriptionid": "s", "environment": "AzureCloud"}


def made(scheme: str = "ServicePrincipal", data: Any = DATA, **changed: str) -> Connection:
    parameters = {**PARAMETERS, **changed}
    return Connection(id="guid", name="prod", scheme=scheme, parameters=parameters, data=data)


@pytest.mark.parametrize("kind", [{}, {"authenticationtype": "spnKey"}])
def test_a_service_principal_with_a_key(kind: dict[str, str]) -> None:
    found = connection.service_principal(made(**kind))
    assert (found.tenant_id, found.client_id, found.key) == ("t", "c", "hidden-key")
    assert (found.subscription_id, found.cloud) == ("s", "AzureCloud")
    assert "hidden-key" not in repr(found)


def test_a_sovereign_cloud() -> None:
    data = {**DATA, "environment": "AzureUSGovernment"}
    assert connection.service_principal(made(data=data)).cloud == "AzureUSGovernment"


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (made("WorkloadIdentityFederation"), "the scheme 'WorkloadIdentityFederation'"),
        (made("ManagedServiceIdentity"), "the scheme 'ManagedServiceIdentity'"),
        (made(authenticationtype="spnCertificate"), "with 'spnCertificate'"),
        (made(data={**DATA, "environment": "AzureStack"}), "the cloud 'AzureStack'"),
    ],
)
def test_what_cannot_be_used_is_named(given: Connection, words: str) -> None:
    with pytest.raises(TaskError, match=r"CONNECTION_UNSUPPORTED: .*'prod'") as found:
        connection.service_principal(given)
    assert words in str(found.value)


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (made(tenantid=""), "tenant id"),
        (made(serviceprincipalid=""), "client id"),
        (made(serviceprincipalkey=""), "key"),
        (made(data={}), "subscription id"),
    ],
)
def test_what_is_missing_is_named(given: Connection, words: str) -> None:
    with pytest.raises(TaskError, match="CONNECTION_INVALID") as found:
        connection.service_principal(given)
    assert f"has no {words}" in str(found.value)


def test_no_connection_at_all() -> None:
    with pytest.raises(TaskError, match="INPUT_MISSING"):
        connection.service_principal(None)
