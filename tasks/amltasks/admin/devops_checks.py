"""What ``doctor`` looks for in Azure DevOps: permissions, agents, extension, connection, sample."""

from __future__ import annotations

import functools
from collections.abc import Iterator
from typing import Any

from amltasks.admin.connections import AzureConnection
from amltasks.admin.findings import Finding, look, missing, ok
from amltasks.admin.install import Extension, find_installed
from amltasks.admin.organization import Organization
from amltasks.admin.pools import find_queue, online_agents
from amltasks.admin.sample import allowed

# Namespaces and bits: learn.microsoft.com/azure/devops/organizations/security/namespace-reference.
_PERMISSIONS = (
    ("edit build pipelines", "33344d9c-fc72-4d6f-aba5-fa317101a7e9", 2048, "{project}"),
    ("queue builds", "33344d9c-fc72-4d6f-aba5-fa317101a7e9", 128, "{project}"),
    ("edit release pipelines", "c788c23e-1b46-4162-8f5e-d7585343b5de", 2, "{project}"),
    ("create repositories", "2e9eb7ed-3c0a-47d4-87c1-0ffdd275fd87", 256, "repoV2/{project}"),
    ("contribute to them", "2e9eb7ed-3c0a-47d4-87c1-0ffdd275fd87", 4, "repoV2/{project}"),
)


def permissions(organization: Organization, project: Any) -> Finding:
    """Whether the token's owner may do what ``sample`` does."""
    name = "permissions"

    def check() -> Finding:
        client = organization.client("security")
        lacking = []
        for what, namespace, bits, token in _PERMISSIONS:
            tokens = token.format(project=project.id)
            answers = organization.ask(
                f"asking whether you may {what}",
                functools.partial(client.has_permissions, namespace, bits, tokens),
            )
            if not all(answers):
                lacking.append(what)
        if lacking:
            return missing(
                name,
                f"you may not {', '.join(lacking)} in '{project.name}'",
                "have a project administrator grant that, or run sample as somebody who may",
            )
        return ok(name, f"you may import the sample into '{project.name}'")

    return look(name, check)


def agents(organization: Organization, project: Any, pool: str) -> Finding:
    """Whether there is somebody to run jobs."""
    name = "agents"

    def check() -> Finding:
        queue = find_queue(organization, project, pool)
        if queue.hosted:
            return ok(
                name,
                f"the pool '{queue.name}' is Microsoft's (a new organization asks for its free "
                "parallel job first: Organization settings > Parallel jobs)",
            )
        online = online_agents(organization, queue)
        if not online:
            return missing(
                name,
                f"no agent of the pool '{queue.name}' is online",
                "start an agent of the pool, with Python 3.10 to 3.12 on its machine",
            )
        return ok(name, f"{', '.join(online)} online in the pool '{queue.name}'")

    return look(name, check)


def extension(organization: Organization, wanted: Extension) -> Finding:
    """Whether the tasks are there."""
    name = "extension"

    def check() -> Finding:
        found = find_installed(organization, wanted)
        if found is None:
            return missing(
                name, f"{wanted} is not installed in {organization.name}", "run the verb install"
            )
        return ok(name, f"{wanted} {found.version} is installed")

    return look(name, check)


def connection(found: AzureConnection | None, name: str) -> Finding:
    """Whether there is a service connection that the tasks can use."""
    if found is None:
        return missing(
            "connection", f"there is no service connection '{name}'", "run the verb connect"
        )
    if found.type.lower() != "azurerm":
        return missing(
            "connection",
            f"'{name}' is a connection of the type {found.type}",
            "give --connection the name of one of the type Azure Resource Manager",
        )
    return ok("connection", f"'{found.name}' ({found.scheme})")


def pipelines(
    organization: Organization,
    project: Any,
    name: str,
    connection: AzureConnection | None,
    pool: str,
) -> Iterator[Finding]:
    """Whether the sample is imported, and may use what it names."""
    client = organization.client("build")
    found: list[Any] = []

    def imported() -> Finding:
        found.extend(
            organization.ask(
                f"looking for the pipeline '{name}'",
                lambda: client.get_definitions(project.id, name=name, path="\\"),
            )
        )
        if not found:
            return missing("sample", f"there is no pipeline '{name}'", "run the verb sample")
        return ok("sample", f"the pipeline '{name}' is there")

    yield look("sample", imported)
    if not found:
        return

    def authorized() -> Finding:
        queue = find_queue(organization, project, pool)
        resources = {"the agent pool": ("queue", str(queue.id))}
        if connection is not None:
            resources["the service connection"] = ("endpoint", connection.id)
        lacking = [
            what
            for what, (kind, identity) in resources.items()
            if not allowed(organization, project, found[0], kind, identity)
        ]
        if lacking:
            return missing(
                "authorization",
                f"the pipeline '{name}' may not use {' and '.join(lacking)} yet",
                "run the verb sample, or press Permit on the page of its first run",
            )
        return ok("authorization", f"the pipeline '{name}' may use {' and '.join(resources)}")

    yield look("authorization", authorized)
