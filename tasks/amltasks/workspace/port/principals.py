"""Who signs in, how and where."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, kw_only=True)
class Cloud:
    """One Azure cloud. ``name`` is the SDKs' name; addresses have no slash at the end.

    ``scope`` is the scope of a token for Resource Manager.
    """

    name: str
    authority: str
    resource_manager: str
    scope: str


@dataclass(frozen=True, kw_only=True)
class ClientSecret:
    """A service principal's key."""

    secret: str = field(repr=False)


@dataclass(frozen=True, kw_only=True)
class ClientCertificate:
    """A service principal's certificate and its private key, as PEM text."""

    pem: str = field(repr=False)


@dataclass(frozen=True, kw_only=True)
class ManagedIdentity:
    """The identity of the machine that the agent runs on."""


@dataclass(frozen=True, kw_only=True)
class WorkloadIdentity:
    """A service principal that trusts an ID token of Azure DevOps (federation).

    ``access_token`` is the job's own, with which the task requests that ID token.
    """

    connection_id: str
    access_token: str = field(repr=False)


@dataclass(frozen=True, kw_only=True)
class Principal:
    """Who signs in, how and where. ``client_id`` is empty for a machine's own identity."""

    tenant_id: str
    client_id: str
    proof: ClientSecret | ClientCertificate | ManagedIdentity | WorkloadIdentity
    subscription_id: str
    cloud: Cloud
