"""Service connections to Azure Resource Manager as the project has them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from amltasks.admin.organization import Organization

FEDERATION = "WorkloadIdentityFederation"
SECRET = "ServicePrincipal"  # noqa: S105  (a scheme's name)


@dataclass(frozen=True, kw_only=True)
class AzureConnection:
    """What is told of a connection. ``issuer`` and ``subject`` are empty without federation."""

    id: str
    name: str
    type: str
    scheme: str
    tenant: str
    client: str
    subscription: str
    issuer: str
    subject: str


def find_connection(organization: Organization, project: Any, name: str) -> AzureConnection | None:
    """The project's connection of that name, None when there is none."""
    client = organization.client("service_endpoint")
    found = organization.ask(
        f"looking for the service connection '{name}'",
        lambda: client.get_service_endpoints_by_names(project.id, [name]),
        permission="the role Reader on the project's service connections",
    )
    same = [one for one in found if one.name.lower() == name.lower()]
    return read_connection(same[0]) if same else None


def read_connection(endpoint: Any) -> AzureConnection:
    """A connection out of the package's model; names in any case, as the agent takes them."""
    authorization = endpoint.authorization
    parameters = _lower(authorization.parameters if authorization else None)
    data = _lower(endpoint.data)
    return AzureConnection(
        id=endpoint.id,
        name=endpoint.name,
        type=endpoint.type,
        scheme=(authorization.scheme if authorization else "") or "",
        tenant=parameters.get("tenantid", ""),
        client=parameters.get("serviceprincipalid", ""),
        subscription=data.get("subscriptionid", ""),
        issuer=parameters.get("workloadidentityfederationissuer", ""),
        subject=parameters.get("workloadidentityfederationsubject", ""),
    )


def _lower(pairs: dict[str, str | None] | None) -> dict[str, str]:
    return {name.lower(): value or "" for name, value in (pairs or {}).items()}
