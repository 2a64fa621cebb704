"""Service connections of every scheme, as the agent makes them from its environment."""

from __future__ import annotations

from pathlib import Path

import pytest

from local.agent.errors import AgentError
from local.agent.host.connection import OWN_SETTINGS, SCHEMES, from_environment
from local.agent.host.masking import SecretMasker

PEM = "-----BEGIN CERTIFICATE-----\nMII\n-----END CERTIFICATE-----\n"


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    (tmp_path / "client.pem").write_text(PEM)
    return {
        "AZURE_TENANT_ID": "the-tenant",
        "AZURE_CLIENT_ID": "the-client",
        "AZURE_CLIENT_SECRET": "the-secret",
        "AZURE_CLIENT_CERTIFICATE_PATH": str(tmp_path / "client.pem"),
        "AML_SUBSCRIPTION_ID": "the-subscription",
    }


def test_each_scheme_has_the_parameters_of_the_real_one(environment: dict[str, str]) -> None:
    asked = {f"c-{scheme}": scheme.lower() for scheme in SCHEMES}
    default, *found = from_environment(environment, asked)
    assert (default.name, default.scheme) == ("aml-connection", "ServicePrincipal")
    who = {"tenantid": "the-tenant", "serviceprincipalid": "the-client"}
    key = {**who, "authenticationType": "spnKey", "serviceprincipalkey": "the-secret"}
    certificate = {"authenticationType": "spnCertificate", "servicePrincipalCertificate": PEM}
    assert [(one.name, one.scheme, one.parameters) for one in found] == [
        ("c-spnKey", "ServicePrincipal", key),
        ("c-spnCertificate", "ServicePrincipal", {**who, **certificate}),
        ("c-ManagedServiceIdentity", "ManagedServiceIdentity", {"tenantid": "the-tenant"}),
        ("c-WorkloadIdentityFederation", "WorkloadIdentityFederation", who),
    ]
    assert len({one.identity for one in (default, *found)}) == 5


def test_a_certificate_is_masked_and_its_path_is_the_agents_own(
    environment: dict[str, str],
) -> None:
    (found,) = from_environment(environment, {"aml-connection": "spnCertificate"})
    masker = SecretMasker()
    found.hide(masker)
    assert masker.mask(f"a {PEM} b") == "a *** b"
    assert masker.mask("the-tenant") == "the-tenant"
    assert "AZURE_CLIENT_CERTIFICATE_PATH" in OWN_SETTINGS


@pytest.mark.parametrize(
    ("scheme", "gone", "said"),
    [
        ("spnCertificate", "AZURE_CLIENT_CERTIFICATE_PATH", "set AZURE_CLIENT_CERTIFICATE_PATH in"),
        ("ManagedServiceIdentity", "AML_SUBSCRIPTION_ID", "set AML_SUBSCRIPTION_ID in"),
        ("PublishProfile", "", "choose one of spnKey, spnCertificate, ManagedServiceIdentity"),
    ],
)
def test_what_cannot_be_made_is_refused(
    environment: dict[str, str], scheme: str, gone: str, said: str
) -> None:
    environment.pop(gone, None)
    with pytest.raises(AgentError, match=f"--connection x={scheme}: {said}"):
        from_environment(environment, {"x": scheme})


def test_an_unreadable_certificate_is_named(environment: dict[str, str], tmp_path: Path) -> None:
    environment["AZURE_CLIENT_CERTIFICATE_PATH"] = str(tmp_path / "none.pem")
    with pytest.raises(AgentError, match=r"none\.pem' cannot be read"):
        from_environment(environment, {"x": "spnCertificate"})
