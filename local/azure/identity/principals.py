"""Who may sign in: the application, by secret, certificate or federation, and a managed identity.

The certificate and the managed identity are made when they are first asked for. The application
trusts the ID tokens of Azure DevOps for one service connection from the start; Microsoft Graph
(`directory`) adds and removes others.
"""

from __future__ import annotations

import contextlib
import os
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import NameOID

from local.azure.identity.organization import FIRST_PROJECT, organization
from local.azure.kernel.cloud import Cloud
from local.azure.kernel.store import AlreadyExists

CERTIFICATE_FILE = "client-certificate.pem"
FEDERATED = "federated-credential"
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
    made = {name: str(uuid.uuid4()) for name in ("client_id", "object_id")}
    return Principal(**_kept(cloud, "managed-identity", made))


def certificate(cloud: Cloud) -> x509.Certificate:
    """The certificate registered for the application; its key is in the state's file only."""
    kept = cloud.store.get("principal", "certificate")
    path = cloud.root / CERTIFICATE_FILE
    if kept is None or not path.exists():
        kept = {"pem": _make_certificate(path, cloud)}
        cloud.store.put("principal", "certificate", kept)
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


def federated_credentials(cloud: Cloud) -> list[dict[str, Any]]:
    """Whose assertions the application trusts: `name`, `issuer`, `subject` and `audiences`.

    In a new state, the local Azure DevOps for one service connection of its first project.
    """
    own = organization(cloud)
    trusted = {
        "id": str(uuid.uuid4()),
        "name": TRUSTED_CONNECTION,
        "issuer": own.issuer,
        "subject": f"sc://{own.name}/{FIRST_PROJECT}/{TRUSTED_CONNECTION}",
        "audiences": ["api://AzureADTokenExchange"],
    }
    with contextlib.suppress(AlreadyExists):
        cloud.store.insert("principal", "federation", {})
        cloud.store.insert(FEDERATED, TRUSTED_CONNECTION, trusted)
    return cloud.store.list(FEDERATED)


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


def _kept(cloud: Cloud, key: str, made: Mapping[str, str]) -> dict[str, Any]:
    """What the state holds under this key; the first to ask puts `made` there."""
    try:
        cloud.store.insert("principal", key, dict(made))
    except AlreadyExists:
        return cloud.store.get("principal", key) or {}
    return dict(made)
