"""Pipelines and their runs (area `pipelines`): the newer form of definitions and builds."""

from __future__ import annotations

import json
from typing import TypedDict

from local.azure.devops.builds.build_shapes import BuildRecord, NewBuild
from local.azure.devops.builds.builds import builds, queue
from local.azure.devops.builds.definition_shapes import DefinitionRecord
from local.azure.devops.builds.definitions import definition_of, definitions_of
from local.azure.devops.contracts import Date, Unread
from local.azure.devops.enumerations import RunResult, RunState
from local.azure.devops.errors import unsupported
from local.azure.devops.organization.projects import ProjectRecord, project_of
from local.azure.devops.rest import Area, number
from local.azure.devops.shapes import Links
from local.azure.devops.variables import Variables
from local.azure.identity.organization import organization
from local.azure.kernel.cloud import Cloud
from local.azure.kernel.http import Request, ServiceError

area = Area("Pipelines", id="2e0bf237-8973-4ec9-a581-9c3d679d1776")
PIPELINES = area.location(
    "28e1305e-2afe-47bf-abaf-cbb0e6a91988",
    "{project}/_apis/{area}/{pipelineId}",
    resource="pipelines",
    minimum=5.1,
)
RUNS = area.location(
    "7859261e-d2e9-4a68-b820-a5d84cc5bb3d",
    "{project}/_apis/{area}/{pipelineId}/{resource}/{runId}",
    resource="runs",
    version=2,
    minimum=5.1,
)
_RESULTS = {
    "succeeded": "succeeded",
    "partiallySucceeded": "succeeded",
    "failed": "failed",
    "canceled": "canceled",
}


class RepositoryVersion(TypedDict, total=False):
    """The version of a repository that a run uses."""

    refName: str
    version: str


class RunResources(TypedDict, total=False):
    """What a run uses: of repositories `self`."""

    repositories: dict[str, RepositoryVersion]


class RunParameters(TypedDict, total=False):
    """The body that starts a run."""

    resources: RunResources
    templateParameters: dict[str, Unread]
    variables: Variables
    stagesToSkip: list[str]
    previewRun: bool
    yamlOverride: str


class RunQuery(TypedDict, total=False):
    """Which version of a pipeline runs: the present one."""

    pipelineVersion: int


class PipelineReference(TypedDict):
    """A pipeline as its runs show it."""

    url: str
    id: int
    revision: int
    name: str
    folder: str


class Pipeline(PipelineReference):
    """A pipeline."""

    _links: Links
    configuration: dict[str, Unread]


class _Run(TypedDict):
    _links: Links
    templateParameters: dict[str, Unread]
    pipeline: PipelineReference
    state: RunState
    createdDate: Date
    url: str
    resources: dict[str, Unread]
    id: int
    name: str


class Run(_Run, total=False):
    """A run."""

    result: RunResult
    finishedDate: Date
    variables: Variables


PipelinesQuery = TypedDict("PipelinesQuery", {"orderBy": str, "$top": int}, total=False)


@area.on("GET", PIPELINES, "project")
def list_pipelines(cloud: Cloud, request: Request, query: PipelinesQuery) -> list[Pipeline]:
    """The pipelines of a project."""
    project = project_of(cloud, request)
    found = [_pipeline(cloud, project, one) for one in definitions_of(cloud, project)]
    order = query.get("orderBy", "name asc").lower().split()
    if order[0] != "name":
        raise unsupported(f"The local Azure does not order pipelines by '{query['orderBy']}'.")
    found.sort(key=lambda one: one["name"].lower(), reverse=order[-1] == "desc")
    return found[: query.get("$top", len(found))]


@area.on("GET", PIPELINES, "project", "pipelineId")
def get_pipeline(cloud: Cloud, request: Request, query: RunQuery) -> Pipeline:
    """One pipeline."""
    project = project_of(cloud, request)
    return _pipeline(cloud, project, _definition(cloud, project, request, query))


@area.on("POST", RUNS, "project", "pipelineId")
def run_pipeline(cloud: Cloud, request: Request, query: RunQuery, body: RunParameters) -> Run:
    """Start a run, with variables and template parameters."""
    project = project_of(cloud, request)
    definition = _definition(cloud, project, request, query)
    for name in ("stagesToSkip", "previewRun", "yamlOverride"):
        if body.get(name):
            raise unsupported(f"The local Azure does not know the member '{name}' of a run.")
    version = _version(body)
    given: NewBuild = {
        "definition": {"id": definition["id"]},
        "sourceBranch": version.get("refName", ""),
        "sourceVersion": version.get("version", ""),
        "templateParameters": body.get("templateParameters", {}),
    }
    if body.get("variables"):
        _check_settable(definition, body["variables"])
        values = {name: str(one.get("value", "")) for name, one in body["variables"].items()}
        given["parameters"] = json.dumps(values)
    return _shown(cloud, project, definition, queue(cloud, project, definition, given))


@area.on("GET", RUNS, "project", "pipelineId")
def list_runs(cloud: Cloud, request: Request) -> list[Run]:
    """The runs of a pipeline, newest first."""
    project = project_of(cloud, request)
    definition = _definition(cloud, project, request, {})
    found = [one for one in builds(cloud) if one["definition"]["id"] == definition["id"]]
    return [_shown(cloud, project, definition, one) for one in reversed(found)]


@area.on("GET", RUNS, "project", "pipelineId", "runId")
def get_run(cloud: Cloud, request: Request) -> Run:
    """One run."""
    project = project_of(cloud, request)
    definition = _definition(cloud, project, request, {})
    identity = number(request.params["runId"], "runId")
    for one in builds(cloud):
        if one["id"] == identity and one["definition"]["id"] == definition["id"]:
            return _shown(cloud, project, definition, one)
    raise ServiceError(
        404, "BuildNotFoundException", f"The requested build {identity} could not be found."
    )


def _definition(
    cloud: Cloud, project: ProjectRecord, request: Request, query: RunQuery
) -> DefinitionRecord:
    found = definition_of(cloud, project, number(request.params["pipelineId"], "pipelineId"))
    if query.get("pipelineVersion", found["revision"]) != found["revision"]:
        raise unsupported("The local Azure keeps the present version of a pipeline only.")
    return found


def _version(body: RunParameters) -> RepositoryVersion:
    repositories = dict(body.get("resources", {}).get("repositories", {}))
    own = repositories.pop("self", {})
    if repositories:
        name = next(iter(repositories))
        raise unsupported(f"The local Azure does not know the repository '{name}' of a run.")
    return own


def _check_settable(definition: DefinitionRecord, given: Variables) -> None:
    """As in the service, a variable must say that it may be set when a run is started."""
    known = {name.lower(): one for name, one in definition["body"].get("variables", {}).items()}
    for name in given:
        if not known.get(name.lower(), {}).get("allowOverride"):
            raise ServiceError(
                400,
                "PipelineValidationException",
                f"You can't set the following variables ({name}). If you want to be able to set "
                "these variables, then edit the pipeline and select Settable at queue time on the "
                "variables tab of the pipeline editor.",
            )


def _reference(
    cloud: Cloud, project: ProjectRecord, definition: DefinitionRecord
) -> PipelineReference:
    base = f"{organization(cloud).url}/{project['id']}/_apis/pipelines/{definition['id']}"
    return {
        "url": f"{base}?revision={definition['revision']}",
        "id": definition["id"],
        "revision": definition["revision"],
        "name": definition["name"],
        "folder": definition["path"],
    }


def _pipeline(cloud: Cloud, project: ProjectRecord, definition: DefinitionRecord) -> Pipeline:
    reference = _reference(cloud, project, definition)
    web = f"{organization(cloud).url}/{project['id']}/_build/definition"
    process = definition["body"].get("process", {})
    repository = {"id": definition["repository"].get("id"), "type": "azureReposGit"}
    return {
        **reference,
        "_links": {
            "self": {"href": reference["url"]},
            "web": {"href": f"{web}?definitionId={definition['id']}"},
        },
        "configuration": {
            "path": process.get("yamlFilename"),
            "repository": repository,
            "type": "yaml",
        },
    }


def _shown(
    cloud: Cloud, project: ProjectRecord, definition: DefinitionRecord, build: BuildRecord
) -> Run:
    base = f"{organization(cloud).url}/{project['id']}"
    reference = _reference(cloud, project, definition)
    url = f"{base}/_apis/pipelines/{definition['id']}/runs/{build['id']}"
    states = {"completed": "completed", "cancelling": "canceling"}
    document: Run = {
        "_links": {
            "self": {"href": url},
            "web": {"href": f"{base}/_build/results?buildId={build['id']}"},
            "pipeline.web": {"href": f"{base}/_build/definition?definitionId={definition['id']}"},
            "pipeline": {"href": reference["url"]},
        },
        "templateParameters": build["templateParameters"],
        "pipeline": reference,
        "state": states.get(build["status"], "inProgress"),
        "createdDate": build["queueTime"],
        "url": url,
        "resources": {
            "repositories": {
                "self": {
                    "repository": {"id": build["repository"].get("id"), "type": "azureReposGit"},
                    "refName": build["sourceBranch"],
                    "version": build["sourceVersion"],
                }
            }
        },
        "id": build["id"],
        "name": build["buildNumber"],
    }
    if build["result"]:
        document["result"] = _RESULTS[build["result"]]
        document["finishedDate"] = build["finishTime"]
    if build["parameters"]:
        values = json.loads(build["parameters"])
        document["variables"] = {name: {"value": value} for name, value in values.items()}
    return document
