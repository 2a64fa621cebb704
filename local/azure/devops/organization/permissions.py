"""What a caller may do (area `Security`), which pipelines may use what (`pipelinePermissions`).

There is one user, who may do everything; a job's access token is told that it may do nothing.
"""

from __future__ import annotations

from typing import Any

from local.azure.devops.organization.projects import project_of
from local.azure.devops.rest import Area, collection, number
from local.azure.identity.organization import organization
from local.azure.kernel import fields
from local.azure.kernel.cloud import Cloud
from local.azure.kernel.http import Request, Response, ServiceError, json_response

security = Area("Security", id=None)
PERMISSIONS = security.location(
    "dd3b8bd6-c7fc-4cbd-929a-933d9c011c9d",
    "_apis/{resource}/{securityNamespaceId}/{permissions}",
    resource="Permissions",
    version=2,
)
area = Area("pipelinePermissions", id="a81a0441-de52-4000-aa15-ff0e07bfbbaa")
RESOURCE = area.location(
    "b5b9a4a4-e6cd-4096-853c-ab7d8b0c4eb2",
    "{project}/_apis/pipelines/{area}/{resourceType}/{resourceId}",
    resource="pipelinePermissions",
    minimum=5.1,
    released=0.0,
)
_KIND = "devops-pipeline-permission"


@security.on("GET", PERMISSIONS, "securityNamespaceId", "permissions")
def has_permissions(_cloud: Cloud, request: Request) -> Response:
    """For each token whether the caller has all the bits that are asked for."""
    number(request.params["permissions"], "permissions")
    tokens = request.query.get("tokens", "").split(request.query.get("delimiter") or ",")
    return collection([not request.caller for _ in tokens])


@area.on("GET", RESOURCE, "project", "resourceType", "resourceId")
def get_permissions(cloud: Cloud, request: Request) -> Response:
    """Which pipelines of a project may use a resource."""
    return json_response(_shown(cloud, request, _stored(cloud, request)))


@area.on("PATCH", RESOURCE, "project", "resourceType", "resourceId")
def update_permissions(cloud: Cloud, request: Request) -> Response:
    """Authorise pipelines, or take their authorisation away."""
    if request.caller:
        raise ServiceError(403, "AccessDeniedException", "A job cannot authorise pipelines.")
    stored = set(_stored(cloud, request))
    for one in fields.objects(request.json_object(), "pipelines"):
        identity = number(fields.text(one, "id"), "id")
        (stored.add if one.get("authorized") else stored.discard)(identity)
    cloud.store.put(_KIND, _key(cloud, request), {"pipelines": sorted(stored)})
    return json_response(_shown(cloud, request, sorted(stored)))


def _stored(cloud: Cloud, request: Request) -> list[int]:
    found: dict[str, Any] = cloud.store.get(_KIND, _key(cloud, request)) or {"pipelines": []}
    return list(found["pipelines"])


def _key(cloud: Cloud, request: Request) -> str:
    project = project_of(cloud, request)["id"]
    return "/".join([project, request.params["resourceType"], request.params["resourceId"]]).lower()


def _shown(cloud: Cloud, request: Request, pipelines: list[int]) -> dict[str, Any]:
    return {
        "resource": {"type": request.params["resourceType"], "id": request.params["resourceId"]},
        "pipelines": [
            {"id": one, "authorized": True, "authorizedBy": organization(cloud).user}
            for one in pipelines
        ],
    }
