"""All areas of Azure DevOps, as `server.py` serves them. A new area is one more name here."""

from __future__ import annotations

from local.azure.devops.builds import (
    build_details,
    builds,
    definitions,
    logs,
    plans,
    pools,
    test_runs,
)
from local.azure.devops.organization import (
    endpoints,
    extensions,
    gallery,
    oidc,
    permissions,
    projects,
)
from local.azure.devops.organization.location import location_service
from local.azure.devops.releases import release_attachments, release_definitions, releases
from local.azure.devops.repos import (
    contents,
    pull_request_threads,
    pull_requests,
    repositories,
)
from local.azure.devops.rest import Area
from local.azure.kernel.web import Router

AREAS: tuple[Area, ...] = (
    projects.area,
    projects.operations,
    definitions.area,
    plans.area,
    repositories.area,
    endpoints.area,
    extensions.area,
    permissions.area,
    permissions.security,
    release_definitions.area,
    test_runs.area,
)
# These add their routes to an area of those above.
EXTENDING = (
    *(build_details, builds, logs, oidc, pools, pull_requests, pull_request_threads),
    *(release_attachments, releases, contents),
)

ROUTERS: tuple[Router, ...] = (*AREAS, oidc.issuer, gallery.router, *location_service(AREAS))
