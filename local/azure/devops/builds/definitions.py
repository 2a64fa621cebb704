"""Build definitions (area `build`): pipelines by id and name."""

from __future__ import annotations

import fnmatch
from typing import TypedDict, cast

from local.azure.devops.builds.definition_shapes import (
    BuildDefinition,
    BuildQueue,
    BuildRepository,
    DefinitionBody,
    DefinitionRecord,
    DefinitionReference,
    ListedDefinition,
    RepositoryGiven,
    Trigger,
)
from local.azure.devops.contracts import Page
from local.azure.devops.enumerations import DefinitionQueryOrder
from local.azure.devops.errors import unsupported
from local.azure.devops.organization.projects import (
    ProjectRecord,
    project_of,
    reference,
    when_deleted,
)
from local.azure.devops.repos.repositories import MAIN, default_repository, find_repository
from local.azure.devops.rest import Area, number
from local.azure.devops.variables import Variables, kept
from local.azure.devops.variables import shown as shown_variables
from local.azure.identity.organization import organization
from local.azure.kernel.cloud import Cloud
from local.azure.kernel.http import Request, ServiceError
from local.azure.kernel.tables import Table

area = Area("build", id="965220d5-5bb9-42cf-8d67-9b146df2a5a4")
DEFINITIONS = area.location(
    "dbeaf647-6167-421a-bda9-c9327b25e2e6",
    "{project}/_apis/build/{resource}/{definitionId}",
    resource="Definitions",
    version=7,
)
QUEUE: BuildQueue = {
    "id": 1,
    "name": "Default",
    "pool": {"id": 1, "name": "Default", "isHosted": False},
}
_DEFINITIONS = Table[DefinitionRecord]("devops-definition")
_KEPT = (
    *("variableGroups", "description", "comment", "process", "processParameters"),
    *("options", "demands", "retentionRules", "buildNumberFormat", "badgeEnabled", "dropLocation"),
    *("jobTimeoutInMinutes", "jobCancelTimeoutInMinutes"),
)
"""Members that are shown as they were sent, where they were."""
DefinitionsQuery = TypedDict(
    "DefinitionsQuery",
    {
        "name": str,
        "definitionIds": list[int],
        "path": str,
        "repositoryId": str,
        "repositoryType": str,
        "yamlFilename": str,
        "processType": int,
        "queryOrder": DefinitionQueryOrder,
        "includeAllProperties": bool,
        "$top": int,
        "continuationToken": int,
    },
    total=False,
)


class DefinitionQuery(TypedDict, total=False):
    """Which revision is asked for: there is the present one."""

    revision: int


def definition_of(cloud: Cloud, project: ProjectRecord, identity: int) -> DefinitionRecord:
    """A definition as it is stored. Raises ServiceError 404."""
    found = _DEFINITIONS.get(cloud, identity)
    if found is None or found["project"] != project["id"]:
        raise ServiceError(
            404,
            "DefinitionNotFoundException",
            f"Definition {identity} was not found in project {project['name']}.",
        )
    return found


def definitions_of(cloud: Cloud, project: ProjectRecord) -> list[DefinitionRecord]:
    """The definitions of a project, the oldest first."""
    return [one for one in _DEFINITIONS.list(cloud) if one["project"] == project["id"]]


def variables(stored: DefinitionRecord) -> Variables:
    """The variables of a definition with their secret values, for jobs only."""
    return stored["body"].get("variables", {})


def summary(cloud: Cloud, project: ProjectRecord, stored: DefinitionRecord) -> DefinitionReference:
    """What builds show of their definition."""
    identity = stored["id"]
    base = f"{organization(cloud).url}/{project['id']}/_apis/build/Definitions/{identity}"
    return {
        "drafts": [],
        "id": identity,
        "name": stored["name"],
        "url": f"{base}?revision={stored['revision']}",
        "uri": f"vstfs:///Build/Definition/{identity}",
        "path": stored["path"],
        "type": stored["body"].get("type", "build"),
        "queueStatus": stored["body"].get("queueStatus", "enabled"),
        "revision": stored["revision"],
        "project": reference(cloud, project),
    }


@area.on("POST", DEFINITIONS, "project")
def create_definition(cloud: Cloud, request: Request, body: DefinitionBody) -> BuildDefinition:
    """Create a definition; its folder and name are unique together."""
    project = project_of(cloud, request)
    _check_name(cloud, project, body, None)
    identity = _DEFINITIONS.next_number(cloud)
    record: DefinitionRecord = {
        "id": identity,
        "project": project["id"],
        "revision": 1,
        "createdDate": cloud.timestamp(),
        "name": body["name"],
        "path": _folder(body),
        "repository": _repository(cloud, project, body.get("repository", {})),
        "body": body,
    }
    _DEFINITIONS.insert(cloud, identity, record)
    return _shown(cloud, project, record)


@area.on("PUT", DEFINITIONS, "project", "definitionId")
def update_definition(cloud: Cloud, request: Request, body: DefinitionBody) -> BuildDefinition:
    """Replace a definition; the revision that was read must be the present one."""
    project = project_of(cloud, request)
    identity = number(request.params["definitionId"], "definitionId")
    present = definition_of(cloud, project, identity)
    if body.get("revision") != present["revision"]:
        raise ServiceError(
            409,
            "DefinitionUpdateConflictException",
            f"The definition {identity} was changed since revision {body.get('revision')}; the "
            f"present revision is {present['revision']}.",
        )
    _check_name(cloud, project, body, identity)
    if "variables" in body:
        body["variables"] = kept(variables(present), body["variables"])
    record: DefinitionRecord = {
        **present,
        "revision": present["revision"] + 1,
        "name": body["name"],
        "path": _folder(body),
        "repository": _repository(cloud, project, body.get("repository", {})),
        "body": body,
    }
    _DEFINITIONS.put(cloud, identity, record)
    return _shown(cloud, project, record)


@area.on("GET", DEFINITIONS, "project", "definitionId")
def get_definition(cloud: Cloud, request: Request, query: DefinitionQuery) -> BuildDefinition:
    """One definition in full."""
    project = project_of(cloud, request)
    identity = number(request.params["definitionId"], "definitionId")
    found = definition_of(cloud, project, identity)
    if query.get("revision", found["revision"]) != found["revision"]:
        raise unsupported("The local Azure keeps the present revision of a definition only.")
    return _shown(cloud, project, found)


@area.on("DELETE", DEFINITIONS, "project", "definitionId")
def delete_definition(cloud: Cloud, request: Request) -> None:
    """Remove a definition; its builds stay."""
    project = project_of(cloud, request)
    identity = number(request.params["definitionId"], "definitionId")
    _DEFINITIONS.delete(cloud, definition_of(cloud, project, identity)["id"])


@area.on("GET", DEFINITIONS, "project")
def list_definitions(
    cloud: Cloud, request: Request, query: DefinitionsQuery
) -> Page[BuildDefinition]:
    """Definitions by name (with `*`), ids, folder, repository and file; pages by token."""
    project = project_of(cloud, request)
    found = [one for one in definitions_of(cloud, project) if _matches(one, query)]
    order = query.get("queryOrder", "definitionNameAscending")
    if order.startswith("lastModified"):
        found.sort(key=lambda one: one["createdDate"])
    else:
        found.sort(key=lambda one: one["name"].lower())
    if order.endswith("Descending"):
        found.reverse()
    start = query.get("continuationToken", 0)
    end = start + query.get("$top", 10_000)
    full = query.get("includeAllProperties", False)
    values = [
        _shown(cloud, project, one)
        if full
        else cast("BuildDefinition", _listed(cloud, project, one))
        for one in found[start:end]
    ]
    return Page(values, str(end) if end < len(found) else "")


def _matches(one: DefinitionRecord, query: DefinitionsQuery) -> bool:
    process = one["body"].get("process", {})
    wanted = query.get("repositoryId", "").lower()
    kind = query.get("repositoryType", "").lower()
    return (
        fnmatch.fnmatchcase(one["name"].lower(), query.get("name", "*").lower())
        and ("definitionIds" not in query or one["id"] in query["definitionIds"])
        and ("path" not in query or one["path"].lower() == query["path"].lower())
        and wanted in ("", one["repository"].get("id", "").lower())
        and kind in ("", one["repository"].get("type", "").lower())
        and query.get("yamlFilename", process.get("yamlFilename")) == process.get("yamlFilename")
        and query.get("processType", process.get("type")) == process.get("type")
    )


def _listed(cloud: Cloud, project: ProjectRecord, stored: DefinitionRecord) -> ListedDefinition:
    found, identity = organization(cloud), stored["id"]
    base = f"{found.url}/{project['id']}"
    document = cast("ListedDefinition", dict(summary(cloud, project, stored)))
    document["_links"] = {
        "self": {"href": document["url"]},
        "web": {"href": f"{base}/_build/definition?definitionId={identity}"},
        "editor": {"href": f"{base}/_build/designer?id={identity}&_a=edit-build-definition"},
        "badge": {"href": f"{base}/_apis/build/status/{identity}"},
    }
    document["quality"] = stored["body"].get("quality", "definition")
    document["authoredBy"] = found.user
    queue = f"{base}/_apis/build/Queues/{QUEUE['id']}"
    document["queue"] = {**QUEUE, "_links": {"self": {"href": queue}}, "url": queue}
    document["createdDate"] = stored["createdDate"]
    return document


def _shown(cloud: Cloud, project: ProjectRecord, stored: DefinitionRecord) -> BuildDefinition:
    body = stored["body"]
    document = cast("BuildDefinition", dict(_listed(cloud, project, stored)))
    kept = {name: value for name, value in body.items() if name in _KEPT}
    document.update(cast("BuildDefinition", kept))
    if "variables" in body:
        document["variables"] = shown_variables(body["variables"])
    document["triggers"] = [_trigger(one) for one in body.get("triggers", [])]
    document["properties"] = body.get("properties", {})
    document["tags"] = body.get("tags", [])
    document["jobAuthorizationScope"] = body.get("jobAuthorizationScope", "projectCollection")
    document["repository"] = stored["repository"]
    return document


def _trigger(given: Trigger) -> Trigger:
    if given.get("triggerType") != "continuousIntegration":
        return given
    defaults: Trigger = {
        "branchFilters": [],
        "pathFilters": [],
        "settingsSourceType": 1,
        "batchChanges": False,
        "maxConcurrentBuildsPerBranch": 1,
    }
    return {**defaults, **given}


def _check_name(
    cloud: Cloud, project: ProjectRecord, body: DefinitionBody, identity: int | None
) -> None:
    name, path = body["name"], _folder(body)
    for other in _DEFINITIONS.list(cloud):
        taken = (other["project"], other["path"].lower(), other["name"].lower())
        if taken == (project["id"], path.lower(), name.lower()) and other["id"] != identity:
            raise ServiceError(
                400,
                "DefinitionExistsException",
                f"A definition named {name} already exists in folder {path} of project "
                f"{project['name']}.",
            )


def _folder(body: DefinitionBody) -> str:
    return "\\" + body.get("path", "").replace("/", "\\").strip("\\")


def _repository(cloud: Cloud, project: ProjectRecord, given: RepositoryGiven) -> BuildRepository:
    """The repository as definitions show it: one of the project, or one that is elsewhere."""
    kind = given.get("type", "TfsGit")
    document = cast("BuildRepository", {"clean": None, "checkoutSubmodules": False, **given})
    document["type"] = kind
    if kind.lower() == "tfsgit":
        asked = given.get("id") or given.get("name")
        found = (
            find_repository(cloud, project, asked) if asked else default_repository(cloud, project)
        )
        web = f"{organization(cloud).url}/{project['name']}/_git/{found['name']}"
        document.update({"id": found["id"], "name": found["name"], "type": "TfsGit", "url": web})
        branch = given.get("defaultBranch") or found["defaultBranch"] or MAIN
        document["defaultBranch"] = branch if branch.startswith("refs/") else f"refs/heads/{branch}"
    return document


@when_deleted
def _forget(cloud: Cloud, project: str) -> None:
    for one in _DEFINITIONS.list(cloud):
        if one["project"] == project:
            _DEFINITIONS.delete(cloud, one["id"])
