"""The one service connection, made from the environment, and the system's own connection.

The agent: src/Agent.Worker/Handlers/Handler.cs AddEndpointsToEnvironment. Parameter and data
names: tasks-common-packages common-npm-packages/azure-arm-rest/azure-arm-endpoint.ts.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping
from dataclasses import dataclass

from local.agent.masking import SecretMasker, is_secret_parameter
from local.agent.variables import environment_name

SYSTEM = "SystemVssConnection"
# Configuration of this agent, which stands for what the service stores: no step sees it.
OWN_SETTINGS = (
    "AZURE_TENANT_ID",
    "AZURE_CLIENT_ID",
    "AZURE_CLIENT_SECRET",
    "AML_SUBSCRIPTION_ID",
    "AML_SERVICE_CONNECTION",
)


@dataclass(frozen=True, kw_only=True)
class Connection:
    """A service connection as a task receives it; ``identity`` is a lower-case GUID."""

    identity: str
    name: str
    url: str
    scheme: str
    parameters: Mapping[str, str]
    data: Mapping[str, str]

    @property
    def environment(self) -> dict[str, str]:
        """The ``ENDPOINT_*`` variables."""
        key = self.identity
        authorization = {"parameters": dict(self.parameters), "scheme": self.scheme}
        found = {
            f"ENDPOINT_URL_{key}": self.url,
            f"ENDPOINT_AUTH_{key}": json.dumps(authorization, separators=(",", ":")),
            f"ENDPOINT_AUTH_SCHEME_{key}": self.scheme,
        }
        for name, value in self.parameters.items():
            found[f"ENDPOINT_AUTH_PARAMETER_{key}_{environment_name(name)}"] = value
        if self.name != SYSTEM:
            found[f"ENDPOINT_DATA_{key}"] = json.dumps(dict(self.data), separators=(",", ":"))
            for name, value in self.data.items():
                found[f"ENDPOINT_DATA_{key}_{environment_name(name)}"] = value
        return found

    def hide(self, masker: SecretMasker) -> None:
        """Hand the secret parameters to the masker."""
        for name, value in self.parameters.items():
            if is_secret_parameter(name):
                masker.add(value)


def from_environment(environment: Mapping[str, str]) -> Connection | None:
    """Return the Azure Resource Manager connection, None when a setting is missing."""
    settings = [environment.get(name, "") for name in OWN_SETTINGS[:4]]
    if not all(settings):
        return None
    tenant, client, secret, subscription = settings
    name = environment.get("AML_SERVICE_CONNECTION") or "aml-connection"
    return Connection(
        identity=str(uuid.uuid5(uuid.NAMESPACE_URL, f"{name}/{subscription}/{client}")),
        name=name,
        url="https://management.azure.com/",
        scheme="ServicePrincipal",
        parameters={
            "tenantid": tenant,
            "serviceprincipalid": client,
            "authenticationType": "spnKey",
            "serviceprincipalkey": secret,
        },
        data={
            "subscriptionid": subscription,
            "subscriptionname": "Local subscription",
            "environment": "AzureCloud",
            "environmentUrl": "https://management.azure.com/",
            "environmentAuthorityUrl": "https://login.windows.net/",
            "activeDirectoryAuthority": "https://login.microsoftonline.com/",
            "activeDirectoryServiceEndpointResourceId": "https://management.core.windows.net/",
            "graphUrl": "https://graph.windows.net/",
            "microsoftGraphUrl": "https://graph.microsoft.com/",
            "AzureKeyVaultDnsSuffix": "vault.azure.net",
            "AzureKeyVaultServiceEndpointResourceId": "https://vault.azure.net",
            "ScopeLevel": "Subscription",
        },
    )


def system_connection(url: str, token: str) -> Connection:
    """Return the connection to the service itself, which every task receives."""
    return Connection(
        identity=SYSTEM.upper(),
        name=SYSTEM,
        url=url,
        scheme="OAuth",
        parameters={"AccessToken": token},
        data={},
    )
