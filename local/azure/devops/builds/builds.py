"""Builds (area `build`): queue, read, list, change, delete.

A build is notStarted until an agent takes it, inProgress from its job's first event on, and
completed with the last. One that is cancelled before an agent has it ends by itself.
"""

from __future__ import annotations

import ast
import datetime
import json
import uuid
from collections.abc import Callable

from local.azure.devops.builds.build_filters import indexed, selected
from local.azure.devops.builds.build_shapes import (
    Build,
    BuildRecord,
    BuildsQuery,
    ChangedBuild,
    NewBuild,
    QueueQuery,
)
from local.azure.devops.builds.build_views import shown
from local.azure.devops.builds.definition_shapes import BuildRepository, DefinitionRecord
from local.azure.devops.builds.definitions import area, definition_of, summary, variables
from local.azure.devops.builds.plan_records import open_plan
from local.azure.devops.contracts import Page
from local.azure.devops.errors import invalid
from local.azure.devops.organization.access import BUILD, Owner, owner_kind
from local.azure.devops.organization.projects import (
    ProjectRecord,
    project_of,
    when_deleted,
)
from local.azure.devops.repos.branches import branch
from local.azure.devops.repos.repositories import MAIN
from local.azure.devops.rest import number
from local.azure.devops.variables import Variables
from local.azure.identity.organization import organization
from local.azure.kernel.cloud import Cloud
from local.azure.kernel.http import Request, ServiceError
from local.azure.kernel.tables import Table

BUILDS = area.location(
    "0cd358e1-9217-4d94-8269-1c1ee6f93dcf",
    "{project}/_apis/build/{resource}/{buildId}",
    resource="Builds",
    version=7,
)
_BUILDS = Table[BuildRecord]("devops-build")
_DEFAULT_TOP = 1000
_CANCEL_S = 0.3
"""How long a build that nobody runs is cancelling."""


def builds(cloud: Cloud) -> list[BuildRecord]:
    """All builds, the oldest first."""
    return [_settled(cloud, one) for one in _BUILDS.find(cloud)]


def build_of(cloud: Cloud, request: Request) -> BuildRecord:
    """The build that a route names, as it is stored. Raises ServiceError 404."""
    project = project_of(cloud, request)
    identity = number(request.params["buildId"], "buildId")
    found = _BUILDS.get(cloud, identity)
    if found is None or found["project"] != project["id"]:
        raise ServiceError(
            404, "BuildNotFoundException", f"The requested build {identity} could not be found."
        )
    return _settled(cloud, found)


@owner_kind(BUILD)
def _owner(cloud: Cloud, identity: int) -> Owner | None:
    found = _BUILDS.get(cloud, identity)
    if found is None:
        return None
    return Owner(
        number=identity,
        name=found["buildNumber"],
        project=found["project"],
        definition=found["definition"]["id"],
        definition_name=found["definition"]["name"],
        running=found["status"] != "completed",
    )


def change_build(cloud: Cloud, identity: int, change: Callable[[BuildRecord], None]) -> BuildRecord:
    """Let `change` edit a stored build; its start and end get their times."""

    def edit(stored: BuildRecord) -> None:
        change(stored)
        stored["changed"] = cloud.timestamp()
        if stored["status"] == "inProgress" and not stored["startTime"]:
            stored["startTime"] = stored["changed"]
        if stored["status"] == "completed" and not stored["finishTime"]:
            stored["finishTime"] = stored["changed"]

    return _BUILDS.update(cloud, identity, edit)


def set_state(cloud: Cloud, identity: int, status: str, result: str) -> None:
    """Set how far a build has come; `result` is empty until it is completed."""

    def change(stored: BuildRecord) -> None:
        stored["status"], stored["result"] = status, result

    change_build(cloud, identity, change)


def take(cloud: Cloud, identity: int) -> bool:
    """Give a build to an agent; False when another has it already."""
    before: list[bool] = []

    def change(stored: BuildRecord) -> None:
        before.append(stored["sent"])
        stored["sent"] = True

    _BUILDS.update(cloud, identity, change)
    return not before[0]


def queue(
    cloud: Cloud, project: ProjectRecord, definition: DefinitionRecord, body: NewBuild
) -> BuildRecord:
    """Queue a build of a definition. Raises ServiceError 400 for a definition that is disabled."""
    if definition["body"].get("queueStatus") == "disabled":
        raise ServiceError(
            400,
            "DefinitionDisabledException",
            f"Cannot queue a build for definition {definition['name']} because it is disabled.",
        )
    identity = _BUILDS.next_number(cloud)
    now = cloud.timestamp()
    day = now[:10].replace("-", "")
    daily = _BUILDS.next_number(cloud, of=f"number-{definition['id']}-{day}")
    public, hidden = _parameters(variables(definition), body.get("parameters", ""))
    source = body.get("sourceBranch") or definition["repository"].get("defaultBranch", MAIN)
    record: BuildRecord = {
        "id": identity,
        "project": project["id"],
        "definition": summary(cloud, project, definition),
        "buildNumber": f"{day}.{daily}",
        "buildNumberRevision": daily,
        "status": "notStarted",
        "result": "",
        "queueTime": now,
        "startTime": "",
        "finishTime": "",
        "changed": now,
        "cancelled": "",
        "sourceBranch": source,
        "sourceVersion": body.get("sourceVersion") or _tip(cloud, definition, source),
        "reason": body.get("reason", "manual"),
        "priority": body.get("priority", "normal"),
        "keepForever": body.get("keepForever", False),
        "parameters": public,
        "templateParameters": body.get("templateParameters", {}),
        "secrets": hidden,
        "variables": variables(definition),
        "variableGroups": [
            int(one["id"]) for one in definition["body"].get("variableGroups", []) if "id" in one
        ],
        "triggerInfo": body.get("triggerInfo", {}),
        "demands": [str(one) for one in body.get("demands", [])],
        "tags": sorted(body.get("tags", [])),
        "properties": {},
        "artifacts": [],
        "repository": _repository(definition["repository"]),
        "plan": str(uuid.uuid4()),
        "job": str(uuid.uuid4()),
        "sent": False,
    }
    _BUILDS.insert(cloud, identity, record)
    open_plan(cloud, record["plan"], owner=BUILD, number=identity)
    return record


def _repository(given: BuildRepository) -> BuildRepository:
    """What a build shows of its definition's repository."""
    return {
        "id": given.get("id", ""),
        "type": given.get("type", ""),
        "name": given.get("name", ""),
        "url": given.get("url", ""),
        "clean": given.get("clean"),
        "checkoutSubmodules": given.get("checkoutSubmodules", False),
    }


@area.on("POST", BUILDS, "project")
def queue_build(cloud: Cloud, request: Request, query: QueueQuery, body: NewBuild) -> Build:
    """Queue a build of a definition; an agent of the pool will be told (see `pools`)."""
    project = project_of(cloud, request)
    asked = body["definition"].get("id", query.get("definitionId"))
    if asked is None:
        raise invalid("The definition of a build is named by its id.")
    return shown(cloud, queue(cloud, project, definition_of(cloud, project, asked), body))


@area.on("GET", BUILDS, "project", "buildId")
def get_build(cloud: Cloud, request: Request) -> Build:
    """One build."""
    return shown(cloud, build_of(cloud, request))


@area.on("PATCH", BUILDS, "project", "buildId")
def update_build(cloud: Cloud, request: Request, body: ChangedBuild) -> Build:
    """Change status, result, number, priority or source, or keep the build forever."""
    build = build_of(cloud, request)
    if body.get("status") in ("none", "all"):
        raise invalid(f"A build cannot have the status '{body['status']}'.")

    def change(stored: BuildRecord) -> None:
        if body.get("status") == "cancelling" and stored["status"] == "completed":
            return
        stored["status"] = body.get("status", stored["status"])
        stored["result"] = body.get("result", stored["result"])
        stored["buildNumber"] = body.get("buildNumber", stored["buildNumber"])
        stored["keepForever"] = body.get("keepForever", stored["keepForever"])
        stored["priority"] = body.get("priority", stored["priority"])
        stored["sourceBranch"] = body.get("sourceBranch", stored["sourceBranch"])
        stored["sourceVersion"] = body.get("sourceVersion", stored["sourceVersion"])
        if stored["status"] == "cancelling" and not stored["cancelled"]:
            stored["cancelled"] = cloud.timestamp()

    return shown(cloud, change_build(cloud, build["id"], change))


@area.on("DELETE", BUILDS, "project", "buildId")
def delete_build(cloud: Cloud, request: Request) -> None:
    """Delete a build that is not kept forever."""
    build = build_of(cloud, request)
    if build["keepForever"]:
        raise ServiceError(
            400,
            "CannotDeleteRetainedBuildException",
            f"Build {build['id']} cannot be deleted because it is retained.",
        )
    _BUILDS.delete(cloud, build["id"])


@area.on("GET", BUILDS, "project")
def list_builds(cloud: Cloud, request: Request, query: BuildsQuery) -> Page[Build]:
    """Builds that match all filters, in the order asked for; pages by continuation token."""
    project = project_of(cloud, request)
    mine = _BUILDS.find(cloud, {"project": project["id"], **indexed(query)})
    found = selected([_settled(cloud, one) for one in mine], query, organization(cloud).user)
    start = query.get("continuationToken", 0)
    end = start + query.get("$top", _DEFAULT_TOP)
    token = str(end) if end < len(found) else ""
    return Page([shown(cloud, one) for one in found[start:end]], token)


def _parameters(known: Variables, text: str) -> tuple[str, dict[str, str]]:
    """The variables set at queue time: what builds show of them, and the secret ones."""
    if not text:
        return "", {}
    try:
        given = json.loads(text)
    except ValueError:
        given = _leniently(text)
    if not isinstance(given, dict):
        raise invalid("parameters must be a JSON object as text.")
    secret = {name.lower() for name, one in known.items() if one.get("isSecret") is True}
    public = {name: value for name, value in given.items() if name.lower() not in secret}
    hidden = {name: str(value) for name, value in given.items() if name.lower() in secret}
    return json.dumps(public), hidden


def _leniently(text: str) -> object:
    """JSON with quotes of the other kind, which the service takes and `az pipelines run` sends."""
    try:
        return ast.literal_eval(text)
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        return None


def _tip(cloud: Cloud, definition: DefinitionRecord, source: str) -> str:
    found = branch(cloud, definition["repository"].get("id", ""), source)
    return found["commit"] if found else ""


def _settled(cloud: Cloud, stored: BuildRecord) -> BuildRecord:
    """A cancelled build that no agent has is completed after a moment."""
    if stored["status"] != "cancelling" or stored["sent"]:
        return stored
    began = datetime.datetime.fromisoformat(stored["cancelled"].replace("Z", "+00:00"))
    if (cloud.now() - began).total_seconds() < _CANCEL_S:
        return stored
    set_state(cloud, stored["id"], "completed", "canceled")
    return _BUILDS.get(cloud, stored["id"]) or stored


@when_deleted
def _forget(cloud: Cloud, project: str) -> None:
    for one in _BUILDS.find(cloud, {"project": project}):
        _BUILDS.delete(cloud, one["id"])
