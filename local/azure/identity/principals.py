"""Who may sign in: the application, by secret, certificate or federation, and a managed identity.

The certificate and the managed identity are made when they are first asked for. The application
trusts the ID tokens of Azure DevOps for one service connection from the start; Microsoft Graph
(`directory`) adds and removes others.
"""

from __future__ import annotations

import contextlib
import os
import uuid
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import TypedDict

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import NameOID

from local.azure.identity.organization import FIRST_PROJECT, organization
from local.azure.kernel.cloud import Cloud
from local.azure.kernel.store import AlreadyExists
from local.azure.kernel.tables import Table

CERTIFICATE_FILE = "client-certificate.pem"


class FederatedCredential(TypedDict):
    """Whose assertions the application trusts: those with this issuer, subject and audience."""

    id: str
    name: str
    issuer: str
    subject: str
    audiences: list[str]


class Kept(TypedDict, total=False):
    """What the state holds of the principals: the certificate, and the managed identity's ids."""

    pem: str
    client_id: str
    object_id: str


# By name, in lower case.
FEDERATED: Table[FederatedCredential] = Table("federated-credential")
_PRINCIPALS: Table[Kept] = Table("principal")
TRUSTED_CONNECTION = "aml-connection"
_LIFETIME = timedelta(days=365)


@dataclass(frozen=True, kw_only=True)
class Principal:
    """A service principal: the application's own, or a managed identity's."""

    client_id: str
    object_id: str

    @property
    def claims(self) -> dict[str, str]:
        """What its access tokens say of it."""
        return {"appid": self.client_id, "oid": self.object_id, "sub": self.object_id}


def application(cloud: Cloud) -> Principal:
    """The one application."""
    return Principal(client_id=cloud.client_id, object_id=cloud.object_id)


def managed_identity(cloud: Cloud) -> Principal:
    """The identity of the machine that everything local runs on."""
    made: Kept = {"client_id": str(uuid.uuid4()), "object_id": str(uuid.uuid4())}
    kept = _kept(cloud, "managed-identity", made)
    return Principal(client_id=kept["client_id"], object_id=kept["object_id"])


def certificate(cloud: Cloud) -> x509.Certificate:
    """The certificate registered for the application; its key is in the state's file only."""
    kept = _PRINCIPALS.get(cloud, "certificate")
    path = cloud.root / CERTIFICATE_FILE
    if kept is None or not path.exists():
        kept = {"pem": _make_certificate(path, cloud)}
        _PRINCIPALS.put(cloud, "certificate", kept)
    return x509.load_pem_x509_certificate(kept["pem"].encode())


def environment(cloud: Cloud) -> dict[str, str]:
    """The variables of the env file for the ways to sign in other than the secret.

    azure-identity reads both: the second leads `ManagedIdentityCredential` here in place of the
    address 169.254.169.254, which only machines in Azure have.
    """
    certificate(cloud)
    return {
        "AZURE_CLIENT_CERTIFICATE_PATH": str(cloud.root / CERTIFICATE_FILE),
        "AZURE_POD_IDENTITY_AUTHORITY_HOST": cloud.proxy_url,
    }


def federated_credentials(cloud: Cloud) -> list[FederatedCredential]:
    """Whose assertions the application trusts.

    In a new state, the local Azure DevOps for one service connection of its first project.
    """
    own = organization(cloud)
    trusted: FederatedCredential = {
        "id": str(uuid.uuid4()),
        "name": TRUSTED_CONNECTION,
        "issuer": own.issuer,
        "subject": f"sc://{own.name}/{FIRST_PROJECT}/{TRUSTED_CONNECTION}",
        "audiences": ["api://AzureADTokenExchange"],
    }
    with contextlib.suppress(AlreadyExists):
        _PRINCIPALS.insert(cloud, "federation", {})
        FEDERATED.insert(cloud, TRUSTED_CONNECTION, trusted)
    return FEDERATED.list(cloud)


def _make_certificate(path: Path, cloud: Cloud) -> str:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "local-azure-client")])
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(cloud.now() - timedelta(days=1))
        .not_valid_after(cloud.now() + _LIFETIME)
        .sign(key, hashes.SHA256())
    )
    public = made.public_bytes(serialization.Encoding.PEM)
    private = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(public + private)
    return public.decode()


def _kept(cloud: Cloud, key: str, made: Kept) -> Kept:
    """What the state holds under this key; the first to ask puts `made` there."""
    try:
        _PRINCIPALS.insert(cloud, key, made)
    except AlreadyExists:
        return _PRINCIPALS.get(cloud, key) or made
    return made
