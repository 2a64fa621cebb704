"""Service connections (area `serviceendpoint`), kept as they are sent; secrets are never shown."""

from __future__ import annotations

import uuid
from typing import Any

from local.azure.devops.organization.projects import find_project, project_of, reference
from local.azure.devops.rest import Area, collection
from local.azure.identity.organization import organization
from local.azure.kernel import fields
from local.azure.kernel.cloud import Cloud
from local.azure.kernel.http import Request, Response, ServiceError, json_response

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
KIND = "devops-endpoint"
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


def endpoints_of(cloud: Cloud, project: dict[str, Any]) -> list[dict[str, Any]]:
    """The service connections that a project may use."""
    return [one for one in cloud.store.list(KIND) if project["id"] in one["projects"]]


def subject(cloud: Cloud, project: dict[str, Any], endpoint: dict[str, Any]) -> str:
    """Whom the ID tokens of a connection with workload identity federation speak for."""
    return f"sc://{organization(cloud).name}/{project['name']}/{endpoint['body']['name']}"


@area.on("POST", ENDPOINTS)
def create_endpoint(cloud: Cloud, request: Request) -> Response:
    """Create a service connection in the projects that its body names."""
    body = request.json_object()
    name = fields.text(body, "name")
    fields.text(body, "type")
    references = fields.objects(body, "serviceEndpointProjectReferences")
    projects = [
        find_project(cloud, str(given.get("id") or given.get("name")))
        for given in (fields.mapping(one, "projectReference") for one in references)
    ]
    if not projects:
        raise ServiceError(
            400,
            "ArgumentException",
            "serviceEndpointProjectReferences must name a project to put the connection into.",
        )
    for project in projects:
        _check_name(cloud, project, name)
    identity = str(uuid.uuid4())
    stored = {
        "id": identity,
        "projects": [project["id"] for project in projects],
        "body": body,
    }
    cloud.store.insert(KIND, identity, stored)
    return json_response(_shown(cloud, projects[0], stored))


@area.on("GET", IN_PROJECT, "project")
def list_endpoints(cloud: Cloud, request: Request) -> Response:
    """The connections of a project, by names, types and schemes where they are given."""
    project = project_of(cloud, request)
    found = endpoints_of(cloud, project)
    scheme = {"authSchemes": lambda one: one["body"].get("authorization", {}).get("scheme", "")}
    readers: dict[str, Any] = {
        "endpointNames": lambda one: one["body"]["name"],
        "endpointIds": lambda one: one["id"],
        "type": lambda one: one["body"]["type"],
        **scheme,
    }
    for name, read in readers.items():
        if request.query.get(name):
            wanted = {part.strip().lower() for part in request.query[name].split(",")}
            found = [one for one in found if read(one).lower() in wanted]
    return collection([_shown(cloud, project, one) for one in found])


@area.on("GET", IN_PROJECT, "project", "endpointId")
def get_endpoint(cloud: Cloud, request: Request) -> Response:
    """One connection; the service answers null for one that is not there."""
    project = project_of(cloud, request)
    for one in endpoints_of(cloud, project):
        if one["id"] == request.params["endpointId"].lower():
            return json_response(_shown(cloud, project, one))
    return json_response(None)


@area.on("PUT", ENDPOINTS, "endpointId")
def update_endpoint(cloud: Cloud, request: Request) -> Response:
    """Replace a connection; a secret that is left out stays."""
    stored = _stored(cloud, request)
    body = request.json_object()
    project = find_project(cloud, stored["projects"][0])
    _check_name(cloud, project, fields.text(body, "name"), but=stored["id"])
    kept = _parameters(stored["body"])
    given = _parameters(body)
    for name, value in kept.items():
        if name.lower() not in _PUBLIC and given.get(name) is None:
            given[name] = value
    cloud.store.put(KIND, stored["id"], {**stored, "body": body})
    return json_response(_shown(cloud, project, {**stored, "body": body}))


@area.on("DELETE", ENDPOINTS, "endpointId")
def delete_endpoint(cloud: Cloud, request: Request) -> Response:
    """Remove a connection."""
    cloud.store.delete(KIND, _stored(cloud, request)["id"])
    return Response(status=204)


def _stored(cloud: Cloud, request: Request) -> dict[str, Any]:
    if request.caller:
        raise ServiceError(
            403, "AccessDeniedException", "A job's access token cannot change service connections."
        )
    found = cloud.store.get(KIND, request.params["endpointId"].lower())
    if found is None:
        raise ServiceError(
            404, "ServiceEndpointNotFoundException", "There is no such service connection."
        )
    return found


def _check_name(cloud: Cloud, project: dict[str, Any], name: str, *, but: str = "") -> None:
    for one in endpoints_of(cloud, project):
        if one["body"]["name"].lower() == name.lower() and one["id"] != but:
            raise ServiceError(
                409,
                "DuplicateServiceConnectionException",
                f"Service connection with name {name} already exists. Only a user having "
                f"Administrator/User role permissions on service connection {name} can see it.",
            )


def _parameters(body: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = body.setdefault("authorization", {}).setdefault("parameters", {})
    return found


def _shown(cloud: Cloud, project: dict[str, Any], stored: dict[str, Any]) -> dict[str, Any]:
    body = dict(stored["body"])
    authorization = dict(body.get("authorization") or {})
    parameters = {
        name: value if name.lower() in _PUBLIC else None
        for name, value in (authorization.get("parameters") or {}).items()
    }
    if str(authorization.get("scheme", "")).lower() == FEDERATION.lower():
        parameters["workloadIdentityFederationIssuer"] = organization(cloud).issuer
        parameters["workloadIdentityFederationSubject"] = subject(cloud, project, stored)
    authorization["parameters"] = parameters
    return {
        **body,
        "id": stored["id"],
        "authorization": authorization,
        "createdBy": organization(cloud).user,
        "isReady": True,
        "isShared": len(stored["projects"]) > 1,
        "owner": "library",
        "serviceEndpointProjectReferences": [
            {
                "name": body["name"],
                "description": body.get("description") or "",
                "projectReference": {
                    name: reference(cloud, find_project(cloud, identity))[name]
                    for name in ("id", "name")
                },
            }
            for identity in stored["projects"]
        ],
    }
