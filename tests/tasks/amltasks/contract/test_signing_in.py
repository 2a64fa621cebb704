"""Why nobody could sign in, by scheme: each cause is told as itself on both SDKs."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import NameOID

from ..conftest import VARIABLES, Azure, start_task

CERTIFICATE = {"authenticationtype": "spnCertificate"}
FEDERATION = {"scheme": "WorkloadIdentityFederation"}
MANAGED = {"scheme": "ManagedServiceIdentity"}


@pytest.fixture(scope="module")
def foreign_certificate() -> Iterator[str]:
    """A certificate that the application does not know, with its key."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "foreign")])
    now = datetime.now(timezone.utc)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    yield (private + made.public_bytes(serialization.Encoding.PEM)).decode()


def refusal(
    azure: Azure, sdk: str, folder: Path, *, more: dict[str, str] | None = None, **connection: Any
) -> str:
    """How a task ends whose connection is as it should be but for what is given."""
    own = azure.connection
    parameters = {**own["parameters"], **connection.pop("parameters", {})}
    data = {**own["data"], **connection.pop("data", {})}
    document = {
        "task": "ProvisionAmlCompute",
        "inputs": {**azure.place, "sdk": sdk, "computeName": "never"},
        "connection": {**own, **connection, "parameters": parameters, "data": data},
        "variables": VARIABLES,
        "accessToken": "not-the-jobs-token",
    }
    ended = start_task(
        "ProvisionAmlCompute",
        {},
        folder=folder,
        environment={**azure.client_environment, **(more or {})},
        document=json.dumps(document).encode(),
    ).end()
    assert ended.result == "Failed"
    assert list(ended.issues) == [ended.message.partition(":")[0]]
    assert "Traceback" not in ended.log
    assert "PRIVATE KEY" not in ended.log + ended.message
    return ended.message


def test_a_certificate_that_is_none(aml_azure: Azure, sdk: str, tmp_path: Path) -> None:
    given = {**CERTIFICATE, "serviceprincipalcertificate": "-----BEGIN CERTIFICATE-----"}
    message = refusal(aml_azure, sdk, tmp_path, parameters=given)
    assert message.startswith(
        "CERTIFICATE_INVALID: the task cannot use the service connection's certificate"
    )


def test_a_certificate_that_is_not_registered(
    aml_azure: Azure, sdk: str, tmp_path: Path, foreign_certificate: str
) -> None:
    given = {**CERTIFICATE, "serviceprincipalcertificate": foreign_certificate}
    message = refusal(aml_azure, sdk, tmp_path, parameters=given)
    assert message.startswith("AUTHENTICATION_FAILED: Microsoft Entra refused ")
    assert "AADSTS700027" in message


def test_a_job_that_is_given_no_id_token(aml_azure: Azure, sdk: str, tmp_path: Path) -> None:
    organization = aml_azure.environment["AZURE_DEVOPS_ORG_URL"]
    plan = "_apis/distributedtask/hubs/build/plans/00000000-0000-0000-0000-000000000000/jobs"
    address = f"{organization}/aml/{plan}/00000000-0000-0000-0000-000000000000/oidctoken"
    more = {"SYSTEM_OIDCREQUESTURI": address}
    message = refusal(aml_azure, sdk, tmp_path, more=more, **FEDERATION)
    assert message.startswith(
        "ID_TOKEN_REFUSED: Azure DevOps gave no ID token for the service connection: HTTP 401. Next"
    )
    assert "not-the-jobs-token" not in message


def test_a_machine_without_that_identity(aml_azure: Azure, sdk: str, tmp_path: Path) -> None:
    host = "AZURE_POD_IDENTITY_AUTHORITY_HOST"
    more = {host: aml_azure.environment[host]}
    message = refusal(aml_azure, sdk, tmp_path, more=more, data={"msiclientid": "mine"}, **MANAGED)
    assert message.startswith(
        "MANAGED_IDENTITY_MISSING: the agent's machine has no managed identity with the client id "
        "mine: "
    )
    assert "Identity not found" in message
