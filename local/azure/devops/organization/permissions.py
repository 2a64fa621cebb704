"""What a caller may do (area `Security`), which pipelines may use what (`pipelinePermissions`).

There is one user, who may do everything; a job's access token is told that it may do nothing.
"""

from __future__ import annotations

from typing import TypedDict

from local.azure.devops.builds.definitions import area as build_area
from local.azure.devops.contracts import Date, ReadOnly
from local.azure.devops.errors import unsupported
from local.azure.devops.organization.projects import project_of
from local.azure.devops.rest import Area, number
from local.azure.devops.shapes import IdentityRef
from local.azure.identity.organization import organization
from local.azure.kernel.cloud import Cloud
from local.azure.kernel.http import Request, ServiceError
from local.azure.kernel.tables import Table

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
    "{project}/_apis/pipelines/{resource}/{resourceType}/{resourceId}",
    resource="pipelinePermissions",
    minimum=5.1,
    released=0.0,
)
AUTHORIZED = build_area.location(
    "398c85bc-81aa-4822-947c-a194a05f0fef",
    "{project}/_apis/{area}/{resource}",
    resource="authorizedresources",
    minimum=5.0,
    released=0.0,
)


class PermissionRecord(TypedDict):
    """Who may use a resource, as it is stored: all pipelines, or some by id."""

    everyone: bool
    pipelines: list[int]


class AllPipelines(TypedDict, total=False):
    """Whether all pipelines may use a resource."""

    authorized: bool
    authorizedBy: ReadOnly
    authorizedOn: ReadOnly


class PipelinePermission(TypedDict, total=False):
    """Whether a pipeline may use a resource."""

    id: int
    authorized: bool
    authorizedBy: IdentityRef
    authorizedOn: Date


class PermissionsBody(TypedDict, total=False):
    """The body that authorizes pipelines."""

    pipelines: list[PipelinePermission]
    allPipelines: AllPipelines
    resource: ReadOnly


class ResourceShown(TypedDict):
    """The resource that permissions are of."""

    type: str
    id: str


class AllPipelinesShown(TypedDict):
    """That all pipelines may use a resource."""

    authorized: bool
    authorizedBy: IdentityRef
    authorizedOn: Date


class _ResourcePermissions(TypedDict):
    resource: ResourceShown
    pipelines: list[PipelinePermission]


class ResourcePermissions(_ResourcePermissions, total=False):
    """Which pipelines may use a resource."""

    allPipelines: AllPipelinesShown


class AuthorizedResource(TypedDict, total=False):
    """A resource that all pipelines of a project may use, in the older form."""

    type: str
    id: str
    name: str
    authorized: bool


class AuthorizedQuery(TypedDict, total=False):
    """Which resource is asked for."""

    type: str
    id: str


class PermissionsQuery(TypedDict, total=False):
    """What permissions are asked for."""

    tokens: str
    delimiter: str
    alwaysAllowAdministrators: bool


_PERMISSIONS = Table[PermissionRecord]("devops-pipeline-permission")


@security.on("GET", PERMISSIONS, "securityNamespaceId", "permissions")
def has_permissions(_cloud: Cloud, request: Request, query: PermissionsQuery) -> list[bool]:
    """For each token whether the caller has all the bits that are asked for."""
    number(request.params["permissions"], "permissions")
    tokens = query.get("tokens", "").split(query.get("delimiter", ","))
    return [not request.caller for _ in tokens]


@area.on("GET", RESOURCE, "project", "resourceType", "resourceId")
def get_permissions(cloud: Cloud, request: Request) -> ResourcePermissions:
    """Which pipelines of a project may use a resource."""
    return _shown(cloud, request, _stored(cloud, _key(cloud, request)))


@area.on("PATCH", RESOURCE, "project", "resourceType", "resourceId")
def update_permissions(
    cloud: Cloud, request: Request, body: PermissionsBody
) -> ResourcePermissions:
    """Authorize pipelines, or take their authorization away."""
    _refuse_jobs(request)
    stored = _stored(cloud, _key(cloud, request))
    pipelines = set(stored["pipelines"])
    for one in body.get("pipelines", []):
        identity = one.get("id", 0)
        if one.get("authorized"):
            pipelines.add(identity)
        else:
            pipelines.discard(identity)
    record: PermissionRecord = {
        "everyone": body.get("allPipelines", {}).get("authorized", stored["everyone"]),
        "pipelines": sorted(pipelines),
    }
    _PERMISSIONS.put(cloud, _key(cloud, request), record)
    return _shown(cloud, request, record)


@build_area.on("GET", AUTHORIZED, "project")
def get_authorized(
    cloud: Cloud, request: Request, query: AuthorizedQuery
) -> list[AuthorizedResource]:
    """A resource, if all pipelines of the project may use it."""
    if "type" not in query or "id" not in query:
        raise unsupported("The local Azure tells of one authorized resource by its type and id.")
    project = project_of(cloud, request)["id"]
    kind, identity = query["type"], query["id"]
    everyone = _stored(cloud, f"{project}/{kind}/{identity}".lower())["everyone"]
    return [{"type": kind, "id": identity, "authorized": True}] if everyone else []


@build_area.on("PATCH", AUTHORIZED, "project")
def authorize(
    cloud: Cloud, request: Request, body: list[AuthorizedResource]
) -> list[AuthorizedResource]:
    """Let all pipelines of the project use resources, or no longer."""
    _refuse_jobs(request)
    project = project_of(cloud, request)["id"]
    shown: list[AuthorizedResource] = []
    for one in body:
        kind, identity = one.get("type", ""), one.get("id", "")
        key = f"{project}/{kind}/{identity}".lower()
        authorized = one.get("authorized", False)
        _PERMISSIONS.put(cloud, key, {**_stored(cloud, key), "everyone": authorized})
        shown.append({"type": kind, "id": identity, "authorized": authorized})
    return shown


def _refuse_jobs(request: Request) -> None:
    if request.caller:
        raise ServiceError(403, "AccessDeniedException", "A job cannot authorize pipelines.")


def _stored(cloud: Cloud, key: str) -> PermissionRecord:
    return _PERMISSIONS.get(cloud, key) or {"everyone": False, "pipelines": []}


def _key(cloud: Cloud, request: Request) -> str:
    project = project_of(cloud, request)["id"]
    return "/".join([project, request.params["resourceType"], request.params["resourceId"]]).lower()


def _shown(cloud: Cloud, request: Request, stored: PermissionRecord) -> ResourcePermissions:
    user, now = organization(cloud).user, cloud.timestamp()
    document: ResourcePermissions = {
        "resource": {"type": request.params["resourceType"], "id": request.params["resourceId"]},
        "pipelines": [
            {"id": one, "authorized": True, "authorizedBy": user, "authorizedOn": now}
            for one in stored["pipelines"]
        ],
    }
    if stored["everyone"]:
        document["allPipelines"] = {"authorized": True, "authorizedBy": user, "authorizedOn": now}
    return document
