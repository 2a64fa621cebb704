"""Service connections (area `serviceendpoint`), kept as they are sent; secrets are never shown."""

from __future__ import annotations

import re
import uuid

from local.azure.devops.organization.endpoint_shapes import (
    DeleteQuery,
    EndpointBody,
    EndpointQuery,
    EndpointRecord,
    EndpointsQuery,
    ServiceEndpoint,
)
from local.azure.devops.organization.projects import (
    ProjectRecord,
    find_project,
    project_of,
    when_deleted,
)
from local.azure.devops.rest import Area
from local.azure.identity.organization import organization
from local.azure.kernel.cloud import Cloud
from local.azure.kernel.http import Request, ServiceError
from local.azure.kernel.tables import Table

area = Area("serviceendpoint", id="1814ab31-2f4f-4a9f-8761-f4d77dc5a5d7")
IN_PROJECT = area.location(
    "e85f1c62-adfc-4b74-b618-11a150fb195e",
    "{project}/_apis/{area}/{resource}/{endpointId}",
    resource="endpoints",
    version=4,
    minimum=4.1,
)
ENDPOINTS = area.location(
    "14e48fdc-2c8b-41ce-a0c3-e26f6cc55bd0",
    "_apis/{area}/{resource}/{endpointId}",
    resource="endpoints",
    version=4,
    minimum=5.2,
)
_SECRET_NAME = re.compile("key|pass|secret|token|certificate|credential", re.IGNORECASE)
FEDERATION = "WorkloadIdentityFederation"
# Every other parameter counts as a secret: a type of connection that is not known here must not
# give its secrets away.
_PUBLIC = frozenset(
    (
        *("accesstype", "acceptuntrustedcerts", "accesslevel", "authenticationtype", "authority"),
        *("azureenvironment", "azuretenantid", "clientid", "cluster", "configurationid", "email"),
        *("githubhandle", "isadmin", "loginserver", "namespace", "realmname"),
        *("registry", "registrytype", "role", "scope", "serviceaccountname", "serviceprincipalid"),
        *("tenantid", "username", "workloadidentityfederationissuer"),
        *("workloadidentityfederationissuertype", "workloadidentityfederationsubject"),
    )
)


_ENDPOINTS = Table[EndpointRecord]("devops-endpoint")


def endpoints_of(cloud: Cloud, project: ProjectRecord) -> list[EndpointRecord]:
    """The service connections that a project may use."""
    return [one for one in _ENDPOINTS.list(cloud) if project["id"] in one["projects"]]


def scheme_of(endpoint: EndpointRecord) -> str:
    """How a connection signs in."""
    return endpoint["body"].get("authorization", {}).get("scheme", "")


def subject(cloud: Cloud, project: ProjectRecord, endpoint: EndpointRecord) -> str:
    """Whom the ID tokens of a connection with workload identity federation speak for."""
    return f"sc://{organization(cloud).name}/{project['name']}/{endpoint['body']['name']}"


@area.on("POST", ENDPOINTS)
def create_endpoint(cloud: Cloud, request: Request, body: EndpointBody) -> ServiceEndpoint:
    """Create a service connection in the projects that its body names."""
    given = [
        one.get("projectReference", {}) for one in body.get("serviceEndpointProjectReferences", [])
    ]
    return _create(
        cloud,
        request,
        body,
        [find_project(cloud, one.get("id") or one.get("name") or "") for one in given],
    )


@area.on("POST", IN_PROJECT, "project")
def create_endpoint_in_project(
    cloud: Cloud, request: Request, body: EndpointBody
) -> ServiceEndpoint:
    """Create a service connection in the project of the route, as clients before 6.0 do."""
    return _create(cloud, request, body, [project_of(cloud, request)])


def _create(
    cloud: Cloud, request: Request, body: EndpointBody, projects: list[ProjectRecord]
) -> ServiceEndpoint:
    _refuse_jobs(request)
    if not projects:
        raise ServiceError(
            400,
            "ArgumentException",
            "serviceEndpointProjectReferences must name a project to put the connection into.",
        )
    for project in projects:
        _check_name(cloud, project, body["name"])
    record: EndpointRecord = {
        "id": str(uuid.uuid4()),
        "projects": [project["id"] for project in projects],
        "body": body,
    }
    _ENDPOINTS.insert(cloud, record["id"], record)
    return _shown(cloud, projects[0], record)


@area.on("GET", IN_PROJECT, "project")
def list_endpoints(cloud: Cloud, request: Request, query: EndpointsQuery) -> list[ServiceEndpoint]:
    """The connections of a project, by names, ids, types and schemes where they are given."""
    project = project_of(cloud, request)
    return [
        _shown(cloud, project, one)
        for one in endpoints_of(cloud, project)
        if _is_among(one["body"]["name"], query.get("endpointNames"))
        and _is_among(one["id"], query.get("endpointIds"))
        and _is_among(one["body"]["type"], query.get("type"))
        and _is_among(scheme_of(one), query.get("authSchemes"))
        and query.get("owner", "library").lower() == "library"
    ]


def _is_among(value: str, wanted: list[str] | None) -> bool:
    return wanted is None or value.lower() in {one.lower() for one in wanted}


@area.on("GET", IN_PROJECT, "project", "endpointId")
def get_endpoint(cloud: Cloud, request: Request, query: EndpointQuery) -> ServiceEndpoint | None:
    """One connection; the service answers null for one that is not there."""
    del query
    project = project_of(cloud, request)
    for one in endpoints_of(cloud, project):
        if one["id"] == request.params["endpointId"].lower():
            return _shown(cloud, project, one)
    return None


@area.on("PUT", ENDPOINTS, "endpointId")
@area.on("PUT", IN_PROJECT, "project", "endpointId")
def update_endpoint(cloud: Cloud, request: Request, body: EndpointBody) -> ServiceEndpoint:
    """Replace a connection; a secret that is left out stays."""
    stored = _stored(cloud, request)
    project = find_project(cloud, stored["projects"][0])
    _check_name(cloud, project, body["name"], but=stored["id"])
    authorization = body.setdefault("authorization", {})
    given = authorization.setdefault("parameters", {})
    for name, value in stored["body"].get("authorization", {}).get("parameters", {}).items():
        if name.lower() not in _PUBLIC and given.get(name) is None:
            given[name] = value
    data = body.setdefault("data", {})
    for name, value in stored["body"].get("data", {}).items():
        if _SECRET_NAME.search(name) and data.get(name) is None:
            data[name] = value
    record: EndpointRecord = {**stored, "body": body}
    _ENDPOINTS.put(cloud, stored["id"], record)
    return _shown(cloud, project, record)


@area.on("DELETE", ENDPOINTS, "endpointId")
@area.on("DELETE", IN_PROJECT, "project", "endpointId")
def delete_endpoint(cloud: Cloud, request: Request, query: DeleteQuery) -> None:
    """Remove a connection from the projects that are named, or from all."""
    stored = _stored(cloud, request)
    removed = {one.lower() for one in query.get("projectIds", stored["projects"])}
    left = [one for one in stored["projects"] if one not in removed]
    if left:
        _ENDPOINTS.put(cloud, stored["id"], {**stored, "projects": left})
    else:
        _ENDPOINTS.delete(cloud, stored["id"])


def _stored(cloud: Cloud, request: Request) -> EndpointRecord:
    _refuse_jobs(request)
    found = _ENDPOINTS.get(cloud, request.params["endpointId"].lower())
    project = project_of(cloud, request)["id"] if "project" in request.params else None
    if found is None or project not in (None, *found["projects"]):
        raise ServiceError(
            404, "ServiceEndpointNotFoundException", "There is no such service connection."
        )
    return found


def _refuse_jobs(request: Request) -> None:
    if request.caller:
        raise ServiceError(
            403, "AccessDeniedException", "A job's access token cannot change service connections."
        )


def _check_name(cloud: Cloud, project: ProjectRecord, name: str, *, but: str = "") -> None:
    for one in endpoints_of(cloud, project):
        if one["body"]["name"].lower() == name.lower() and one["id"] != but:
            raise ServiceError(
                409,
                "DuplicateServiceConnectionException",
                f"Service connection with name {name} already exists. Only a user having "
                f"Administrator/User role permissions on service connection {name} can see it.",
            )


def _shown(cloud: Cloud, project: ProjectRecord, stored: EndpointRecord) -> ServiceEndpoint:
    body = stored["body"]
    authorization = body.get("authorization", {})
    parameters = {
        name: value if name.lower() in _PUBLIC else None
        for name, value in authorization.get("parameters", {}).items()
    }
    if scheme_of(stored).lower() == FEDERATION.lower():
        parameters["workloadIdentityFederationIssuer"] = organization(cloud).issuer
        parameters["workloadIdentityFederationSubject"] = subject(cloud, project, stored)
    projects = [find_project(cloud, identity) for identity in stored["projects"]]
    return {
        "data": {
            name: None if _SECRET_NAME.search(name) else value
            for name, value in body.get("data", {}).items()
        },
        "id": stored["id"],
        "name": body["name"],
        "type": body["type"],
        "url": body.get("url", ""),
        "description": body.get("description", ""),
        "createdBy": organization(cloud).user,
        "authorization": {"scheme": scheme_of(stored), "parameters": parameters},
        "isShared": len(projects) > 1,
        "isReady": True,
        "isOutdated": False,
        "owner": "Library",
        "serviceEndpointProjectReferences": [
            {
                "projectReference": {"id": one["id"], "name": one["name"]},
                "name": body["name"],
                "description": body.get("description", ""),
            }
            for one in projects
        ],
    }


@when_deleted
def _forget(cloud: Cloud, project: str) -> None:
    for one in _ENDPOINTS.list(cloud):
        left = [identity for identity in one["projects"] if identity != project]
        if not left:
            _ENDPOINTS.delete(cloud, one["id"])
        elif left != one["projects"]:
            _ENDPOINTS.put(cloud, one["id"], {**one, "projects": left})
