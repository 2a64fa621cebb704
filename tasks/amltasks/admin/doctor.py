"""``doctor``: what is missing for the sample to run. Reads only."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from amltasks.admin import causes, console, devops_checks
from amltasks.admin.arm import Reader
from amltasks.admin.azure_checks import Target, azure_findings
from amltasks.admin.connections import find_connection
from amltasks.admin.findings import Finding, missing, unknown
from amltasks.admin.install import Extension
from amltasks.admin.organization import Organization
from amltasks.errors import TaskError


@dataclass(frozen=True, kw_only=True)
class Subject:
    """Whose health is asked after: names as they were given to the other verbs."""

    name: str
    connection: str
    pool: str
    resource_group: str
    workspace: str
    aks: str
    extension: Extension


def doctor(organization: Organization, project_name: str, subject: Subject) -> None:
    """Show every finding.

    Raises:
        TaskError: the organisation or project could not be opened, or something is not there.
    """
    project = organization.project(project_name)
    findings = []
    for finding in _findings(organization, project, subject):
        finding.show()
        findings.append(finding)
    bad = [one.name for one in findings if one.state != console.OK]
    if bad:
        raise causes.NOT_READY.error(count=len(bad), all=len(findings), names=", ".join(bad))
    console.plain(f"All {len(findings)} checks passed: the sample can run.")


def _findings(organization: Organization, project: object, subject: Subject) -> Iterator[Finding]:
    yield devops_checks.permissions(organization, project)
    yield devops_checks.agents(organization, project, subject.pool)
    yield devops_checks.extension(organization, subject.extension)
    try:
        found = find_connection(organization, project, subject.connection)
    except TaskError as error:
        found = None
        yield missing("connection", error.happened, error.next_step)
    else:
        yield devops_checks.connection(found, subject.connection)
    yield from devops_checks.pipelines(organization, project, subject.name, found, subject.pool)
    if found is None:
        yield unknown(
            "Azure",
            "the connection says which subscription to look into, and there is none",
            "make the connection first",
        )
        return
    target = Target(
        connection=found,
        resource_group=subject.resource_group,
        workspace=subject.workspace,
        aks=subject.aks,
    )
    yield from azure_findings(Reader(tenant=found.tenant), target)
