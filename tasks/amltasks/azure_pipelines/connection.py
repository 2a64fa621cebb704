"""From the agent's service connection to an open workspace."""

from __future__ import annotations

import importlib
import logging

from amltasks import errors, waiting
from amltasks.azure_pipelines.agent import Connection, Job
from amltasks.workspace.port import (
    ClientCertificate,
    ClientSecret,
    Cloud,
    ManagedIdentity,
    Principal,
    WorkloadIdentity,
    Workspace,
)

log = logging.getLogger("amltasks")

_PATIENCE_MINUTES = 0.2

# learn.microsoft.com/azure/developer/identity/national-cloud, and what the SDKs call them.
_CLOUDS = {
    "azurecloud": (
        "AzureCloud",
        "https://login.microsoftonline.com",
        "https://management.azure.com",
    ),
    "azurechinacloud": (
        "AzureChinaCloud",
        "https://login.chinacloudapi.cn",
        "https://management.chinacloudapi.cn",
    ),
    "azureusgovernment": (
        "AzureUSGovernment",
        "https://login.microsoftonline.us",
        "https://management.usgovcloudapi.net",
    ),
}


def principal(connection: Connection | None, access_token: str = "") -> Principal:
    """Who signs in with a service connection.

    The schemes and keys are those of ``azure-arm-endpoint.ts`` (tasks-common-packages).

    Args:
        connection: the connection as the agent gave it.
        access_token: the job's, which workload identity federation needs.

    Raises:
        TaskError: ``CONNECTION_UNSUPPORTED`` for a scheme or cloud that is none of Azure ML's;
            ``CONNECTION_INVALID`` when something is missing.
    """
    if connection is None:
        raise errors.INPUT_MISSING.error(name="azureSubscription", why="")
    given, data = connection.parameters, connection.data
    scheme, kind = connection.scheme.lower(), given.get("authenticationtype") or "spnKey"
    client_id = given.get("serviceprincipalid", "")
    needed = {"subscription id": data.get("subscriptionid", "")}
    proof: ClientSecret | ClientCertificate | ManagedIdentity | WorkloadIdentity
    if scheme == "managedserviceidentity":
        client_id = data.get("msiclientid", "")
        proof = ManagedIdentity()
    else:
        needed |= {"tenant id": given.get("tenantid", ""), "client id": client_id}
        if scheme == "workloadidentityfederation":
            needed["access token of the job"] = access_token
            proof = WorkloadIdentity(connection_id=connection.id, access_token=access_token)
        elif scheme != "serviceprincipal":
            raise _unsupported(connection, f"the scheme '{connection.scheme}'")
        elif kind.lower() == "spncertificate":
            needed["certificate"] = given.get("serviceprincipalcertificate", "")
            proof = ClientCertificate(pem=needed["certificate"])
        elif kind.lower() == "spnkey":
            needed["key"] = given.get("serviceprincipalkey", "")
            proof = ClientSecret(secret=needed["key"])
        else:
            raise _unsupported(connection, f"a service principal with '{kind}'")
    for name, value in needed.items():
        if not value:
            raise errors.CONNECTION_INVALID.error(connection=connection.name, missing=name)
    return Principal(
        tenant_id=given.get("tenantid", ""),
        client_id=client_id,
        proof=proof,
        subscription_id=needed["subscription id"],
        cloud=_cloud(connection),
    )


def open_workspace(job: Job, *, resource_group: str, workspace: str, sdk: str) -> Workspace:
    """Sign in and open the workspace with the adapter for ``sdk`` (v1 or v2).

    Raises:
        TaskError: as :func:`principal`; what signing in can raise (see
            :mod:`amltasks.workspace.sign_in`); ``WORKSPACE_NOT_FOUND``, ``FORBIDDEN``,
            ``NO_NETWORK`` and the like.
    """
    who = principal(job.handover.connection, job.handover.access_token)
    log.info("Opening workspace %s in resource group %s", workspace, resource_group)
    # One of them is installed only, and its import may take seconds: bad input is told before it.
    adapter = importlib.import_module(f"amltasks.workspace.sdk_{sdk}.session")

    def opened() -> Workspace:
        found: Workspace = adapter.open_workspace(
            who,
            resource_group=resource_group,
            workspace=workspace,
            debug=job.handover.debug,
        )
        return found

    # Each attempt signs in anew. A wrong address is told soon: nothing is under way yet.
    return waiting.patiently(opened, job.cancellation.pause, _PATIENCE_MINUTES)


def _cloud(connection: Connection) -> Cloud:
    """The connection's cloud; the addresses that it names win over those we know."""
    data = connection.data
    environment = data.get("environment") or "AzureCloud"
    if environment.lower() not in _CLOUDS:
        raise _unsupported(connection, f"the cloud '{environment}'")
    name, authority, resource_manager = _CLOUDS[environment.lower()]
    named = {
        "activeDirectoryAuthority": data.get("activedirectoryauthority") or authority,
        "environmentUrl": connection.url or data.get("environmenturl") or resource_manager,
    }
    for what, address in named.items():
        if not address.lower().startswith("https://"):
            missing = f"{what} that starts with https:// (it is '{address}')"
            raise errors.CONNECTION_INVALID.error(connection=connection.name, missing=missing)
    authority, resource_manager = (address.rstrip("/") for address in named.values())
    # The id's own last slash stays: it is part of the token's audience.
    audience = data.get("activedirectoryserviceendpointresourceid") or resource_manager
    return Cloud(
        name=name,
        authority=authority,
        resource_manager=resource_manager,
        scope=f"{audience}/.default",
    )


def _unsupported(connection: Connection, scheme: str) -> errors.TaskError:
    return errors.CONNECTION_UNSUPPORTED.error(connection=connection.name, scheme=scheme)
