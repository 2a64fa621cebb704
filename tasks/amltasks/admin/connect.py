"""``connect``: a service connection with workload identity federation, and what Azure needs."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from amltasks.admin import causes, console
from amltasks.admin.connections import (
    FEDERATION,
    SECRET,
    AzureConnection,
    find_connection,
    read_connection,
)
from amltasks.admin.organization import Organization
from amltasks.workspace.permissions import OPERATOR, SCIENTIST

AUDIENCE = "api://AzureADTokenExchange"


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """The connection that is asked for. ``tenant``, ``client`` and ``subscription`` are GUIDs."""

    name: str
    tenant: str
    client: str
    subscription: str
    subscription_name: str
    resource_group: str
    workspace: str

    @property
    def scope(self) -> str:
        """The ARM id of the workspace."""
        return (
            f"/subscriptions/{self.subscription}/resourceGroups/{self.resource_group}"
            f"/providers/Microsoft.MachineLearningServices/workspaces/{self.workspace}"
        )


def connect(organization: Organization, project_name: str, wanted: Wanted) -> None:
    """Make the connection unless it is there, and print what is left to do in Azure.

    Raises:
        TaskError: another connection has the name, or Azure DevOps refused.
    """
    project = organization.project(project_name)
    found = find_connection(organization, project, wanted.name)
    if found is None:
        client = organization.client("service_endpoint")
        made = organization.change(
            "create",
            f"the service connection '{wanted.name}' in the project '{project.name}'",
            lambda: client.create_service_endpoint(_body(wanted, project)),
            permission="the role Creator on the project's service connections",
        )
        found = read_connection(made) if made else None
    else:
        _check(found, wanted)
        console.say(console.UNCHANGED, f"the service connection '{found.name}' is there already")
        if found.scheme.lower() == SECRET.lower():
            console.more("it signs in with a secret; its page in Azure DevOps has Convert, which")
            console.more("makes it one with workload identity federation")
    for line in instructions(organization, project.name, wanted, found):
        console.plain(line)


def instructions(
    organization: Organization, project: str, wanted: Wanted, found: AzureConnection | None
) -> Iterator[str]:
    """The federated credential and the two role assignments, as commands of the Azure CLI."""
    yield ""
    if found is None:
        yield "Issuer and subject of its federated credential are known once it is made."
    elif found.scheme.lower() == SECRET.lower():
        yield "Give the application its two roles:"
        yield ""
    else:
        name = re.sub(r"[^A-Za-z0-9-]+", "-", f"{organization.name}-{project}-{found.name}")
        credential = {
            "name": name[:120],
            "issuer": found.issuer,
            "subject": found.subject,
            "audiences": [AUDIENCE],
        }
        yield f"Issuer   {found.issuer}"
        yield f"Subject  {found.subject}"
        yield ""
        yield "Let the application trust the connection, once, and give it its two roles:"
        yield ""
        yield _command(
            *("az", "ad", "app", "federated-credential", "create"),
            *("--id", wanted.client, "--parameters", json.dumps(credential)),
        )
    for role in (SCIENTIST, OPERATOR):
        yield _command(
            *("az", "role", "assignment", "create", "--assignee", wanted.client),
            *("--role", role, "--scope", wanted.scope),
        )


def _body(wanted: Wanted, project: Any) -> dict[str, Any]:
    """Shape: learn.microsoft.com/rest/api/azure/devops/serviceendpoint/endpoints/create."""
    return {
        "name": wanted.name,
        "type": "azurerm",
        "url": "https://management.azure.com/",
        "authorization": {
            "scheme": FEDERATION,
            "parameters": {"tenantid": wanted.tenant, "serviceprincipalid": wanted.client},
        },
        "data": {
            "environment": "AzureCloud",
            "scopeLevel": "Subscription",
            "creationMode": "Manual",
            "subscriptionId": wanted.subscription,
            "subscriptionName": wanted.subscription_name or wanted.subscription,
        },
        "isShared": False,
        "serviceEndpointProjectReferences": [
            {
                "name": wanted.name,
                "projectReference": {"id": project.id, "name": project.name},
            }
        ],
    }


def _check(found: AzureConnection, wanted: Wanted) -> None:
    # One with a secret of the same application serves the tasks as well.
    known = found.scheme if found.scheme.lower() == SECRET.lower() else FEDERATION
    pairs = {
        "type": (found.type, "azurerm"),
        "scheme": (found.scheme, known),
        "tenant": (found.tenant, wanted.tenant),
        "client id": (found.client, wanted.client),
        "subscription": (found.subscription, wanted.subscription),
    }
    differing = [name for name, (is_, was) in pairs.items() if is_.lower() != was.lower()]
    if differing:
        raise causes.CONNECTION_DIFFERS.error(name=found.name, differences=", ".join(differing))


def _command(*words: str) -> str:
    return shlex.join(words)
