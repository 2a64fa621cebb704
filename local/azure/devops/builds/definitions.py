"""Build definitions (area `build`): pipelines by id and name, kept as clients send them."""

from __future__ import annotations

import fnmatch
from typing import Any

from local.azure.devops import secrets
from local.azure.devops.organization.projects import project_of, reference
from local.azure.devops.repos.repositories import default_repository, find_repository
from local.azure.devops.rest import Area, collection, number
from local.azure.identity.organization import organization
from local.azure.kernel import fields
from local.azure.kernel.cloud import Cloud
from local.azure.kernel.http import Request, Response, ServiceError, json_response

area = Area("build", id="965220d5-5bb9-42cf-8d67-9b146df2a5a4")
DEFINITIONS = area.location(
    "dbeaf647-6167-421a-bda9-c9327b25e2e6",
    "{project}/_apis/build/{resource}/{definitionId}",
    resource="Definitions",
    version=7,
)
_KIND = "devops-definition"


def definition_of(cloud: Cloud, project: dict[str, Any], identity: int) -> dict[str, Any]:
    """A definition as it is stored. Raises ServiceError 404."""
    found = cloud.store.get(_KIND, _key(identity))
    if found is None or found["project"] != project["id"]:
        raise ServiceError(
            404,
            "DefinitionNotFoundException",
            f"Definition {identity} was not found in project {project['name']}.",
        )
    return found


def variables(stored: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """The variables of a definition with their secret values, for jobs only."""
    return fields.mapping(stored["body"], "variables")


def summary(cloud: Cloud, project: dict[str, Any], stored: dict[str, Any]) -> dict[str, Any]:
    """What builds and lists show of a definition (DefinitionReference)."""
    identity = stored["id"]
    names = ("id", "name", "path", "type", "queueStatus", "revision", "createdDate")
    return {
        **{name: stored[name] for name in names},
        "uri": f"vstfs:///Build/Definition/{identity}",
        "url": f"{organization(cloud).url}/{project['id']}/_apis/build/Definitions/{identity}",
        "drafts": [],
        "project": reference(cloud, project),
    }


@area.on("POST", DEFINITIONS, "project")
def create_definition(cloud: Cloud, request: Request) -> Response:
    """Create a definition; its folder and name are unique together."""
    project = project_of(cloud, request)
    body = request.json_object()
    stored = _checked(cloud, project, body, None)
    stored |= {"id": cloud.store.next_number(_KIND), "revision": 1}
    stored["createdDate"] = cloud.timestamp()
    cloud.store.insert(_KIND, _key(stored["id"]), stored)
    return json_response(_shown(cloud, project, stored))


@area.on("PUT", DEFINITIONS, "project", "definitionId")
def update_definition(cloud: Cloud, request: Request) -> Response:
    """Replace a definition; the revision that was read must be the present one."""
    project = project_of(cloud, request)
    identity = number(request.params["definitionId"], "definitionId")
    present = definition_of(cloud, project, identity)
    body = request.json_object()
    given = fields.mapping(body, "variables")
    if given:
        body["variables"] = secrets.kept(variables(present), given)
    if body.get("revision") != present["revision"]:
        raise ServiceError(
            409,
            "DefinitionUpdateConflictException",
            f"The definition {identity} was changed since revision {body.get('revision')}; the "
            f"present revision is {present['revision']}.",
        )
    stored = _checked(cloud, project, body, identity)
    stored |= {"id": identity, "revision": present["revision"] + 1}
    stored["createdDate"] = present["createdDate"]
    cloud.store.put(_KIND, _key(identity), stored)
    return json_response(_shown(cloud, project, stored))


@area.on("GET", DEFINITIONS, "project", "definitionId")
def get_definition(cloud: Cloud, request: Request) -> Response:
    """One definition in full."""
    project = project_of(cloud, request)
    identity = number(request.params["definitionId"], "definitionId")
    return json_response(_shown(cloud, project, definition_of(cloud, project, identity)))


@area.on("DELETE", DEFINITIONS, "project", "definitionId")
def delete_definition(cloud: Cloud, request: Request) -> Response:
    """Remove a definition; its builds stay."""
    project = project_of(cloud, request)
    identity = number(request.params["definitionId"], "definitionId")
    definition_of(cloud, project, identity)
    cloud.store.delete(_KIND, _key(identity))
    return Response(status=204)


@area.on("GET", DEFINITIONS, "project")
def list_definitions(cloud: Cloud, request: Request) -> Response:
    """Definitions by name (with `*`), ids and folder."""
    project = project_of(cloud, request)
    query = request.query
    found = [one for one in cloud.store.list(_KIND) if one["project"] == project["id"]]
    if query.get("name"):
        pattern = query["name"].lower()
        found = [one for one in found if fnmatch.fnmatchcase(one["name"].lower(), pattern)]
    if query.get("definitionIds"):
        wanted = {number(part, "definitionIds") for part in query["definitionIds"].split(",")}
        found = [one for one in found if one["id"] in wanted]
    if query.get("path"):
        found = [one for one in found if one["path"].lower() == query["path"].lower()]
    found.sort(key=lambda one: str(one["name"]).lower())
    top = number(query.get("$top", "10000"), "$top")
    full = query.get("includeAllProperties", "").lower() == "true"
    show = _shown if full else summary
    return collection([show(cloud, project, one) for one in found[:top]])


def _shown(cloud: Cloud, project: dict[str, Any], stored: dict[str, Any]) -> dict[str, Any]:
    found = organization(cloud)
    web = f"{found.url}/{project['id']}/_build/definition?definitionId={stored['id']}"
    return {
        **stored["body"],
        **summary(cloud, project, stored),
        "authoredBy": found.user,
        "repository": stored["repository"],
        "_links": {"web": {"href": web}},
    }


def _checked(
    cloud: Cloud, project: dict[str, Any], body: dict[str, Any], identity: int | None
) -> dict[str, Any]:
    """The parts of a definition that we use, and the rest as `body`."""
    name = fields.text(body, "name")
    path = fields.optional_text(body, "path") or "\\"
    for other in cloud.store.list(_KIND):
        taken = (other["project"], other["path"].lower(), other["name"].lower())
        if taken == (project["id"], path.lower(), name.lower()) and other["id"] != identity:
            raise ServiceError(
                409,
                "DefinitionExistsException",
                f"A definition named {name} already exists in folder {path} of project "
                f"{project['name']}.",
            )
    return {
        "project": project["id"],
        "name": name,
        "path": path,
        "type": "build",
        "queueStatus": "enabled",
        "repository": _repository(cloud, project, fields.mapping(body, "repository")),
        "body": body,
    }


def _repository(cloud: Cloud, project: dict[str, Any], given: dict[str, Any]) -> dict[str, Any]:
    kind = str(given.get("type") or "TfsGit")
    if kind.lower() != "tfsgit":
        return given
    asked = given.get("id") or given.get("name")
    found = (
        find_repository(cloud, project, str(asked)) if asked else default_repository(cloud, project)
    )
    branch = {"defaultBranch": "refs/heads/main"}
    return {**branch, **given, "id": found["id"], "name": found["name"], "type": "TfsGit"}


def _key(identity: int) -> str:
    return f"{identity:010}"
