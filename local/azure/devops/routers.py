"""All areas of Azure DevOps, as `server.py` serves them. A new area is one more name here."""

from __future__ import annotations

from local.azure.devops.builds import (
    agents,
    build_details,
    builds,
    definitions,
    folders,
    logs,
    pipeline_runs,
    plans,
    pools,
    test_runs,
    variable_groups,
)
from local.azure.devops.organization import (
    endpoints,
    extensions,
    gallery,
    identities,
    oidc,
    operations,
    permissions,
    projects,
    tasks,
)
from local.azure.devops.organization.location import location_service
from local.azure.devops.releases import (
    release_attachments,
    release_definitions,
    releases,
    stages,
)
from local.azure.devops.repos import (
    branches,
    commits,
    items,
    pull_request_threads,
    pull_requests,
    pushes,
    repositories,
    reviewers,
)
from local.azure.devops.rest import Area
from local.azure.kernel.web import Router

AREAS: tuple[Area, ...] = (
    projects.area,
    operations.area,
    definitions.area,
    plans.area,
    repositories.area,
    endpoints.area,
    extensions.area,
    permissions.area,
    permissions.security,
    release_definitions.area,
    test_runs.area,
    pipeline_runs.area,
    identities.area,
)
# These add their routes to an area of those above.
EXTENDING = (
    *(agents, build_details, builds, folders, logs, oidc, pools, tasks, variable_groups),
    *(branches, commits, items, pull_requests, pull_request_threads, pushes, reviewers),
    *(release_attachments, releases, stages),
)

ROUTERS: tuple[Router, ...] = (*AREAS, oidc.issuer, gallery.router, *location_service(AREAS))
_DOMAINS = ("dev.azure.com", "visualstudio.com")


def is_devops(host: str) -> bool:
    """Whether a host is one of Azure DevOps, and errors have its form."""
    return any(host == domain or host.endswith(f".{domain}") for domain in _DOMAINS)
