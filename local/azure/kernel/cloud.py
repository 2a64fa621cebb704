"""The subscription, workspaces and service principal of a state folder, as handlers see them."""

from __future__ import annotations

import base64
import secrets
import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timezone
from pathlib import Path

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from local.azure.kernel.background import Background
from local.azure.kernel.fault_state import Faults
from local.azure.kernel.faults import Fault
from local.azure.kernel.store import Store

LOCATION = "eastus"
RESOURCE_GROUP = "rg-local"
WORKSPACE_NAME = "ws-local"
REGISTRY_NAME = "registry-local"
PROVIDER = "Microsoft.MachineLearningServices"
TOKEN_LIFETIME_S = 3600


@dataclass(frozen=True, kw_only=True)
class Cloud:
    """Everything a handler needs: the store, the folder for files, and who and where we are."""

    store: Store
    root: Path
    proxy_url: str
    ca_file: Path
    subscription_id: str
    tenant_id: str
    client_id: str
    client_secret: str
    object_id: str
    workspace_id: str
    storage_account: str
    storage_key: str
    signing_key: rsa.RSAPrivateKey
    resource_group: str = RESOURCE_GROUP
    workspace_name: str = WORKSPACE_NAME
    location: str = LOCATION
    token_lifetime_s: int = TOKEN_LIFETIME_S
    faults: Faults = field(default_factory=Faults)
    background: Background = field(default_factory=Background)
    others: tuple[Cloud, ...] = ()

    @property
    def workspaces(self) -> tuple[Cloud, ...]:
        """This workspace and the others of the resource group, each with a state of its own."""
        return (self, *self.others)

    @property
    def base_url(self) -> str:
        """Where all Azure ML data planes answer."""
        return f"https://{self.location}.api.azureml.ms"

    @property
    def workspace_scope(self) -> str:
        """The ARM id of the workspace."""
        return (
            f"/subscriptions/{self.subscription_id}/resourceGroups/{self.resource_group}"
            f"/providers/{PROVIDER}/workspaces/{self.workspace_name}"
        )

    @property
    def mlflow_tracking_uri(self) -> str:
        """What mlflow is told to track to; the plug-in azureml-mlflow makes https of it."""
        return f"azureml://{self.location}.api.azureml.ms/mlflow/v1.0{self.workspace_scope}"

    def now(self) -> datetime:
        """The present time, UTC."""
        return datetime.now(timezone.utc)

    def timestamp(self) -> str:
        """The present time as Resource Manager and Azure DevOps write it, with a trailing Z."""
        return self.now().isoformat(timespec="microseconds").replace("+00:00", "Z")

    def ml_timestamp(self) -> str:
        """The present time as Azure ML's services write it."""
        return ml_time(self.now())

    def client_environment(self) -> dict[str, str]:
        """The variables that lead any client to this server, without credentials."""
        return {
            "HTTPS_PROXY": self.proxy_url,
            "https_proxy": self.proxy_url,
            "NO_PROXY": "localhost,127.0.0.1",
            "no_proxy": "localhost,127.0.0.1",
            "REQUESTS_CA_BUNDLE": str(self.ca_file),
            "SSL_CERT_FILE": str(self.ca_file),
            "CURL_CA_BUNDLE": str(self.ca_file),
        }

    def environment(self) -> dict[str, str]:
        """All variables of the env file: where, and as whom."""
        return {
            **self.client_environment(),
            "AZURE_TENANT_ID": self.tenant_id,
            "AZURE_CLIENT_ID": self.client_id,
            "AZURE_CLIENT_SECRET": self.client_secret,
            "AML_SUBSCRIPTION_ID": self.subscription_id,
            "AML_RESOURCE_GROUP": self.resource_group,
            "AML_WORKSPACE_NAME": self.workspace_name,
            "AML_REGISTRY_NAME": REGISTRY_NAME,
        }


def ml_time(moment: datetime) -> str:
    """A time as Azure ML's services write it: seven digits, and the offset of UTC as numbers."""
    return moment.astimezone(timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.%f0+00:00")


def open_cloud(
    root: Path,
    *,
    store: Store,
    proxy_url: str,
    ca_file: Path,
    faults: Iterable[Fault] = (),
    token_lifetime_s: int = TOKEN_LIFETIME_S,
    others: Iterable[str] = (),
) -> Cloud:
    """The identity kept in `store`; a new state gets a new one.

    others: names of further workspaces, each with a store and files of its own below `root`.

    The workspace id must differ between states: the SDK caches snapshots under it.
    """
    identity = store.get("identity", "identity")
    if identity is None:
        identity = _new_identity()
        store.insert("identity", "identity", identity)
    key = serialization.load_pem_private_key(identity.pop("signing_key").encode(), password=None)
    if not isinstance(key, rsa.RSAPrivateKey):
        raise TypeError("the signing key in the state is not an RSA key")
    cloud = Cloud(
        store=store,
        root=root,
        proxy_url=proxy_url,
        ca_file=ca_file,
        signing_key=key,
        faults=Faults(faults),
        token_lifetime_s=token_lifetime_s,
        **identity,
    )
    return replace(cloud, others=tuple(_other(cloud, name) for name in others))


def _other(cloud: Cloud, name: str) -> Cloud:
    """Another workspace of the same resource group, for the same principals."""
    root = cloud.root / "workspaces" / name
    root.mkdir(parents=True, exist_ok=True)
    identity = uuid.uuid5(uuid.UUID(cloud.workspace_id), name)
    return replace(
        cloud,
        root=root,
        store=Store(root / "state.db"),
        workspace_name=name,
        workspace_id=str(identity),
        storage_account="stother" + identity.hex[:12],
    )


def _new_identity() -> dict[str, str]:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    pem = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    guids: Mapping[str, str] = {
        name: str(uuid.uuid4())
        for name in ("subscription_id", "tenant_id", "client_id", "object_id", "workspace_id")
    }
    return {
        **guids,
        "client_secret": secrets.token_urlsafe(32),
        "storage_account": "stlocal" + secrets.token_hex(6),
        "storage_key": base64.b64encode(secrets.token_bytes(64)).decode(),
        "signing_key": pem.decode(),
    }
