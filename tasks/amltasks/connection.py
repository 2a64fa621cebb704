"""From the agent's service connection to an open workspace."""

from __future__ import annotations

import importlib
import logging

from amltasks import errors
from amltasks.agent import Connection, Job
from amltasks.workspace.port import ServicePrincipal, Workspace

log = logging.getLogger("amltasks")

_CLOUDS = {"azurecloud", "azurechinacloud", "azureusgovernment"}


def service_principal(connection: Connection | None) -> ServicePrincipal:
    """The credential in a service connection.

    The schemes and keys are those of ``azure-arm-endpoint.ts`` (tasks-common-packages).

    Raises:
        TaskError: ``CONNECTION_UNSUPPORTED`` for another scheme than a service principal with a
            key, or another cloud; ``CONNECTION_INVALID`` when something is missing.
    """
    if connection is None:
        raise errors.INPUT_MISSING.error(name="connectedServiceNameARM", why="")
    given, data = connection.parameters, connection.data
    kind = given.get("authenticationtype") or "spnKey"
    if connection.scheme.lower() != "serviceprincipal":
        raise _unsupported(connection, f"the scheme '{connection.scheme}'")
    if kind.lower() != "spnkey":
        raise _unsupported(connection, f"a service principal with '{kind}'")
    cloud = data.get("environment") or "AzureCloud"
    if cloud.lower() not in _CLOUDS:
        raise _unsupported(connection, f"the cloud '{cloud}'")
    names = {
        "tenant id": given.get("tenantid", ""),
        "client id": given.get("serviceprincipalid", ""),
        "key": given.get("serviceprincipalkey", ""),
        "subscription id": data.get("subscriptionid", ""),
    }
    missing = [name for name, value in names.items() if not value]
    if missing:
        raise errors.CONNECTION_INVALID.error(connection=connection.name, missing=missing[0])
    return ServicePrincipal(
        tenant_id=names["tenant id"],
        client_id=names["client id"],
        key=names["key"],
        subscription_id=names["subscription id"],
        cloud=cloud,
    )


def open_workspace(job: Job, *, resource_group: str, workspace: str, sdk: str) -> Workspace:
    """Sign in and open the workspace with the adapter for ``sdk`` (v1 or v2).

    Raises:
        TaskError: as :func:`service_principal`; ``AUTHENTICATION_FAILED``,
            ``WORKSPACE_NOT_FOUND``, ``FORBIDDEN``, ``NO_NETWORK`` and the like.
    """
    principal = service_principal(job.handover.connection)
    log.info("Opening workspace %s in resource group %s", workspace, resource_group)
    # One of them is installed only, and its import may take seconds: bad input is told before it.
    adapter = importlib.import_module(f"amltasks.workspace.sdk_{sdk}.session")
    opened: Workspace = adapter.open_workspace(
        principal,
        resource_group=resource_group,
        workspace=workspace,
        debug=job.handover.debug,
    )
    return opened


def _unsupported(connection: Connection, scheme: str) -> errors.TaskError:
    return errors.CONNECTION_UNSUPPORTED.error(connection=connection.name, scheme=scheme)
