"""The service connections, made from the agent's environment, and the system's own connection.

The agent: src/Agent.Worker/Handlers/Handler.cs AddEndpointsToEnvironment. Parameter and data
names: tasks-common-packages common-npm-packages/azure-arm-rest/azure-arm-endpoint.ts.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from local.agent.errors import AgentError
from local.agent.host.masking import SecretMasker, is_secret_parameter
from local.agent.host.variables import environment_name

SYSTEM = "SystemVssConnection"
# What each way to sign in is called in Azure DevOps, and the settings that it needs.
SCHEMES = {
    "spnKey": ("AZURE_TENANT_ID", "AZURE_CLIENT_ID", "AZURE_CLIENT_SECRET"),
    "spnCertificate": ("AZURE_TENANT_ID", "AZURE_CLIENT_ID", "AZURE_CLIENT_CERTIFICATE_PATH"),
    "ManagedServiceIdentity": ("AZURE_TENANT_ID",),
    "WorkloadIdentityFederation": ("AZURE_TENANT_ID", "AZURE_CLIENT_ID"),
}
_SUBSCRIPTION = "AML_SUBSCRIPTION_ID"
# With these there is a connection without being asked for.
DEFAULT_SETTINGS = (*SCHEMES["spnKey"], _SUBSCRIPTION)
# Configuration of this agent, in place of what the service stores: no step sees it.
OWN_SETTINGS = (
    *dict.fromkeys(name for names in SCHEMES.values() for name in names),
    _SUBSCRIPTION,
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


def from_environment(
    environment: Mapping[str, str], asked: Mapping[str, str]
) -> tuple[Connection, ...]:
    """Return the Azure Resource Manager connections.

    Args:
        environment: the agent's. With ``DEFAULT_SETTINGS`` there is a connection with a key
            named ``AML_SERVICE_CONNECTION``, or ``aml-connection``.
        asked: more connections: names and what of ``SCHEMES`` they are.

    Raises:
        AgentError: a connection that was asked for lacks a setting, or is of no known kind.
    """
    found: dict[str, Connection] = {}
    if all(environment.get(name) for name in DEFAULT_SETTINGS):
        name = environment.get("AML_SERVICE_CONNECTION") or "aml-connection"
        found[name.lower()] = _connection(name, "spnKey", environment)
    for name, kind in asked.items():
        known = next((scheme for scheme in SCHEMES if scheme.lower() == kind.lower()), None)
        if known is None:
            raise AgentError(f"--connection {name}={kind}: choose one of {', '.join(SCHEMES)}")
        missing = [n for n in (*SCHEMES[known], _SUBSCRIPTION) if not environment.get(n)]
        if missing:
            raise AgentError(
                f"--connection {name}={kind}: set {', '.join(missing)} in the environment of the "
                "agent"
            )
        found[name.lower()] = _connection(name, known, environment)
    return tuple(found.values())


def _connection(name: str, kind: str, environment: Mapping[str, str]) -> Connection:
    subscription, client = environment[_SUBSCRIPTION], environment.get("AZURE_CLIENT_ID", "")
    parameters = {"tenantid": environment["AZURE_TENANT_ID"]}
    if kind != "ManagedServiceIdentity":
        parameters["serviceprincipalid"] = client
    if kind == "spnKey":
        parameters |= {
            "authenticationType": kind,
            "serviceprincipalkey": environment["AZURE_CLIENT_SECRET"],
        }
    elif kind == "spnCertificate":
        parameters |= {
            "authenticationType": kind,
            "servicePrincipalCertificate": _text(environment["AZURE_CLIENT_CERTIFICATE_PATH"]),
        }
    return Connection(
        identity=str(uuid.uuid5(uuid.NAMESPACE_URL, f"{name}/{subscription}/{client}")),
        name=name,
        url="https://management.azure.com/",
        scheme="ServicePrincipal" if kind.startswith("spn") else kind,
        parameters=parameters,
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


def _text(path: str) -> str:
    try:
        return Path(path).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise AgentError(
            f"AZURE_CLIENT_CERTIFICATE_PATH: '{path}' cannot be read ({type(error).__name__})"
        ) from None


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
