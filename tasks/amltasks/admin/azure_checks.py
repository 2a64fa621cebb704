"""What ``doctor`` looks for in Azure: providers, workspace, roles, quota, network."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

import requests

from amltasks.admin.arm import ARM, GRAPH, Reader, RefusedError
from amltasks.admin.connections import FEDERATION, AzureConnection
from amltasks.admin.findings import Finding, missing, ok, unknown
from amltasks.workspace.permissions import CONTRIBUTOR, OPERATOR, SCIENTIST

# The size and the greatest number of nodes that Provision AML Compute asks for by default.
VM_SIZE, NODES = "STANDARD_DS3_V2", 4
_ML = "Microsoft.MachineLearningServices"
_PROVIDERS = (_ML, "Microsoft.ContainerRegistry", "Microsoft.Storage", "Microsoft.KeyVault")
_SIGN_IN = "sign in with 'az login' as somebody who may read the subscription, and run doctor again"
# Built-in roles: learn.microsoft.com/azure/role-based-access-control/built-in-roles.
_ROLES = {
    "8e3af657-a8ff-443c-a75c-2fe8c4bcb635": "Owner",
    "b24988ac-6180-42a0-ab88-20f7382dd24c": CONTRIBUTOR,
    "f6c7c914-8db3-469d-8ca1-694a8f32e121": SCIENTIST,
    "e503ece1-11d0-4e8e-8e2c-7a6c3bf38815": OPERATOR,
}
_CONNECT_S = 10


@dataclass(frozen=True, kw_only=True)
class Target:
    """The workspace that the sample is to use, and the connection it uses it by."""

    connection: AzureConnection
    resource_group: str
    workspace: str
    aks: str

    @property
    def subscription(self) -> str:
        """The ARM id of the connection's subscription."""
        return f"/subscriptions/{self.connection.subscription}"

    @property
    def scope(self) -> str:
        """The ARM id of the workspace."""
        return (
            f"{self.subscription}/resourceGroups/{quote(self.resource_group)}"
            f"/providers/{_ML}/workspaces/{quote(self.workspace)}"
        )


def azure_findings(reader: Reader, target: Target) -> Iterator[Finding]:
    """All of them; those that need the workspace's region only where the workspace was found."""
    yield _try("providers", lambda: _providers(reader, target))
    found: dict[str, Any] = {}

    def workspace() -> Finding:
        found.update(reader.get(f"{ARM}{target.scope}?api-version=2024-10-01"))
        return ok("workspace", f"'{target.workspace}' in {found['location']}")

    yield _try("workspace", workspace)
    yield _try("roles", lambda: _roles(reader, target))
    if target.connection.scheme.lower() == FEDERATION.lower():
        yield _try("trust", lambda: _trust(reader, target.connection))
    if found:
        yield _try("cluster", lambda: _cluster(reader, target))
        yield _try("quota", lambda: _quota(reader, target, found["location"]))
        yield _network(found["location"])


def _try(name: str, check: Callable[[], Finding]) -> Finding:
    try:
        return check()
    except RefusedError as error:
        if error.status == requests.codes.not_found:
            return missing(
                name,
                str(error),
                "correct --resource-group and --workspace, or the subscription of the connection",
            )
        return unknown(name, str(error), _SIGN_IN)


def _providers(reader: Reader, target: Target) -> Finding:
    states = {
        name: reader.get(f"{ARM}{target.subscription}/providers/{name}?api-version=2021-04-01")
        for name in _PROVIDERS
    }
    lacking = [
        name for name, state in states.items() if state.get("registrationState") != "Registered"
    ]
    if lacking:
        commands = "; ".join(f"az provider register --namespace {name}" for name in lacking)
        return missing("providers", f"{', '.join(lacking)} not registered", commands)
    return ok("providers", f"{len(_PROVIDERS)} resource providers are registered")


def _roles(reader: Reader, target: Target) -> Finding:
    client = target.connection.client
    if not client:
        return unknown(
            "roles",
            "the connection names no application",
            f"see that its identity has the roles '{SCIENTIST}' and '{OPERATOR}' on the workspace",
        )
    principal = reader.get(f"{GRAPH}/v1.0/servicePrincipals(appId='{client}')?$select=id")["id"]
    query = quote(f"assignedTo('{principal}')")
    found = reader.get(
        f"{ARM}{target.scope}/providers/Microsoft.Authorization/roleAssignments"
        f"?api-version=2022-04-01&$filter={query}"
    )
    held = {
        _ROLES.get(one["properties"]["roleDefinitionId"].rpartition("/")[2].lower(), "")
        for one in found["value"]
        if f"{target.scope}/".lower().startswith(
            one["properties"]["scope"].lower().rstrip("/") + "/"
        )
    }
    needed = [] if held & {"Owner", CONTRIBUTOR} else [SCIENTIST, OPERATOR]
    lacking = [role for role in needed if role not in held]
    if lacking:
        commands = "; ".join(
            f"az role assignment create --assignee {client} --role '{role}' --scope {target.scope}"
            for role in lacking
        )
        return missing("roles", f"the connection's identity lacks {', '.join(lacking)}", commands)
    return ok("roles", f"the connection's identity has {', '.join(sorted(held - {''}))}")


def _trust(reader: Reader, connection: AzureConnection) -> Finding:
    what = f"the application {connection.client}"
    application = f"{GRAPH}/v1.0/applications(appId='{connection.client}')"
    try:
        found = reader.get(f"{application}/federatedIdentityCredentials")["value"]
    except RefusedError as error:
        if error.status != requests.codes.not_found:
            raise
        return unknown(
            "trust",
            f"{what} has no registration here; it may be a managed identity",
            "see that its federated credential has the issuer and subject that connect prints",
        )
    # Entra compares both letter by letter.
    wanted = (connection.issuer, connection.subject)
    if not any((one["issuer"], one["subject"]) == wanted for one in found):
        return missing(
            "trust",
            f"{what} does not trust the connection",
            "run the verb connect again and the first command that it prints",
        )
    return ok("trust", f"{what} trusts the connection")


def _cluster(reader: Reader, target: Target) -> Finding:
    url = f"{ARM}{target.scope}/computes/{quote(target.aks)}?api-version=2024-10-01"
    try:
        state = reader.get(url)["properties"]["provisioningState"]
    except RefusedError as error:
        if error.status != requests.codes.not_found:
            raise
        return missing(
            "cluster",
            f"no Kubernetes cluster '{target.aks}' is attached to the workspace",
            "attach one ('az ml compute attach --type Kubernetes ...'), or set target to 'managed' "
            "in the sample's DeployToAks",
        )
    return ok("cluster", f"'{target.aks}' is attached ({state})")


def _quota(reader: Reader, target: Target, region: str) -> Finding:
    base = f"{ARM}{target.subscription}/providers/{_ML}/locations/{region}"
    sizes = reader.get(f"{base}/vmSizes?api-version=2024-10-01")["value"]
    size = next((one for one in sizes if one["name"].upper() == VM_SIZE), None)
    if size is None:
        return missing(
            "quota",
            f"{region} has no {VM_SIZE}",
            "give vmSize of Provision AML Compute a size that the region has",
        )
    usages = reader.get(f"{base}/usages?api-version=2024-10-01")["value"]
    family = str(size.get("family", ""))
    used = next((one for one in usages if one["name"]["value"].lower() == family.lower()), None)
    if used is None:
        return unknown("quota", f"{region} tells no quota for {family}", "look in Azure ML studio")
    free, wanted = used["limit"] - used["currentValue"], NODES * size["vCPUs"]
    facts = (
        f"{free} cores of {family} are free in {region}; {NODES} nodes of {VM_SIZE} take {wanted}"
    )
    if free < wanted:
        return missing(
            "quota", facts, "ask for quota in Azure ML studio > Quota, or lower maxNodes or vmSize"
        )
    return ok("quota", facts)


def _network(region: str) -> Finding:
    hosts = ("login.microsoftonline.com", "management.azure.com", f"{region}.api.azureml.ms")
    dead = []
    for host in hosts:
        try:
            # Any answer will do, also a refusal: it is the way that is in question.
            requests.get(f"https://{host}/", timeout=_CONNECT_S)
        except (OSError, requests.RequestException) as error:
            dead.append(f"{host} ({type(error).__name__})")
    if dead:
        return missing(
            "network",
            f"no way from here to {', '.join(dead)}",
            "open it in the firewall, or set HTTPS_PROXY and REQUESTS_CA_BUNDLE",
        )
    return ok("network", f"{', '.join(hosts)} answer here (an agent elsewhere has its own network)")
