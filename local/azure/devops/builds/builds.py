"""Builds (area `build`): queue, read, list with the service's filters, update."""

from __future__ import annotations

import json
import uuid
from typing import Any

from local.azure.devops.builds.definitions import area, definition_of, summary, variables
from local.azure.devops.organization.access import BUILD, key, open_plan
from local.azure.devops.organization.projects import find_project, project_of, reference
from local.azure.devops.rest import collection, number
from local.azure.identity.organization import organization
from local.azure.kernel import fields
from local.azure.kernel.cloud import Cloud
from local.azure.kernel.http import Request, Response, ServiceError, json_response

BUILDS = area.location(
    "0cd358e1-9217-4d94-8269-1c1ee6f93dcf",
    "{project}/_apis/build/{resource}/{buildId}",
    resource="Builds",
    version=7,
)
KIND = "devops-build"
RESULTS = ("succeeded", "partiallySucceeded", "failed", "canceled", "none")
STATUSES = ("notStarted", "inProgress", "completed", "cancelling", "postponed")
_ORDERS = {
    "2": "finishTimeAscending",
    "3": "finishTimeDescending",
    "4": "queueTimeDescending",
    "5": "queueTimeAscending",
    "6": "startTimeDescending",
    "7": "startTimeAscending",
}
"""BuildQueryOrder by its number, as azure-devops-extension-api sends it."""
_DEFAULT_TOP = 1000


def build_of(cloud: Cloud, request: Request) -> dict[str, Any]:
    """The build that a route names, as it is stored. Raises ServiceError 404."""
    project = project_of(cloud, request)
    identity = number(request.params["buildId"], "buildId")
    found = cloud.store.get(KIND, key(identity))
    if found is None or found["project"] != project["id"]:
        raise ServiceError(
            404, "BuildNotFoundException", f"The requested build {identity} could not be found."
        )
    return found


def change_build(cloud: Cloud, identity: int, **changes: Any) -> dict[str, Any]:
    """Set fields of a stored build; the end of a build gets its time."""

    def change(stored: dict[str, Any]) -> None:
        stored.update(changes)
        if stored["status"] == "inProgress" and not stored["startTime"]:
            stored["startTime"] = cloud.timestamp()
        if stored["status"] == "completed" and not stored["finishTime"]:
            stored["finishTime"] = cloud.timestamp()

    return cloud.store.update(KIND, key(identity), change)


def shown(cloud: Cloud, stored: dict[str, Any]) -> dict[str, Any]:
    """A build as the service writes it."""
    found = organization(cloud)
    project = find_project(cloud, stored["project"])
    base = f"{found.url}/{project['id']}"
    url = f"{base}/_apis/build/Builds/{stored['id']}"
    plan = {"planId": stored["plan"]}
    names = (
        *("id", "buildNumber", "status", "result", "queueTime", "startTime", "finishTime"),
        *("sourceBranch", "sourceVersion", "reason", "tags", "parameters", "triggerInfo"),
    )
    return {
        **{name: stored[name] for name in names if stored[name] is not None},
        "uri": f"vstfs:///Build/Build/{stored['id']}",
        "url": url,
        "_links": {
            "self": {"href": url},
            "web": {"href": f"{base}/_build/results?buildId={stored['id']}"},
            "timeline": {"href": f"{url}/Timeline"},
        },
        "properties": {},
        "plans": [plan],
        "orchestrationPlan": plan,
        "definition": stored["definition"],
        "project": reference(cloud, project),
        "repository": stored["repository"],
        "queue": stored["queue"],
        "priority": "normal",
        "requestedFor": found.user,
        "requestedBy": found.user,
        "keepForever": False,
        "retainedByRelease": False,
    }


@area.on("POST", BUILDS, "project")
def queue_build(cloud: Cloud, request: Request) -> Response:
    """Queue a build of a definition; an agent of the pool will be told (see `pools`)."""
    project = project_of(cloud, request)
    body = request.json_object()
    given = fields.mapping(body, "definition")
    definition = definition_of(cloud, project, number(str(given.get("id", "")), "definition.id"))
    identity = cloud.store.next_number(KIND)
    now = cloud.timestamp()
    day = now[:10].replace("-", "")
    daily = cloud.store.next_number(f"devops-build-number-{definition['id']}-{day}")
    repository = definition["repository"]
    plan = str(uuid.uuid4())
    public, hidden = _parameters(variables(definition), body)
    stored = {
        "id": identity,
        "project": project["id"],
        "definition": summary(cloud, project, definition),
        "buildNumber": f"{day}.{daily}",
        "status": "notStarted",
        "result": None,
        "queueTime": now,
        "startTime": None,
        "finishTime": None,
        "sourceBranch": body.get("sourceBranch") or repository.get("defaultBranch"),
        "sourceVersion": body.get("sourceVersion"),
        "reason": body.get("reason") or "manual",
        "parameters": public,
        "secrets": hidden,
        "variables": variables(definition),
        "triggerInfo": body.get("triggerInfo") or {},
        "demands": body.get("demands") or [],
        "tags": [],
        "repository": {
            name: repository[name] for name in ("id", "type", "name") if name in repository
        },
        "queue": {"id": 1, "name": "Default", "pool": {"id": 1, "name": "Default"}},
        "plan": plan,
        "job": str(uuid.uuid4()),
        "sent": False,
    }
    cloud.store.insert(KIND, key(identity), stored)
    open_plan(cloud, plan, owner=BUILD, number=identity)
    return json_response(shown(cloud, stored))


def _parameters(
    known: dict[str, dict[str, Any]], body: dict[str, Any]
) -> tuple[str | None, dict[str, str]]:
    """The variables set at queue time: what builds show of them, and the secret ones."""
    text = fields.optional_text(body, "parameters")
    if not text:
        return text, {}
    try:
        given = json.loads(text)
    except ValueError:
        given = None
    if not isinstance(given, dict):
        raise ServiceError(
            400, "VssPropertyValidationException", "parameters must be a JSON object as text."
        )
    secret = {name.lower() for name, one in known.items() if one.get("isSecret") is True}
    public = {name: value for name, value in given.items() if name.lower() not in secret}
    hidden = {name: str(value) for name, value in given.items() if name.lower() in secret}
    return json.dumps(public), hidden


@area.on("GET", BUILDS, "project", "buildId")
def get_build(cloud: Cloud, request: Request) -> Response:
    """One build."""
    return json_response(shown(cloud, build_of(cloud, request)))


@area.on("PATCH", BUILDS, "project", "buildId")
def update_build(cloud: Cloud, request: Request) -> Response:
    """Change status, result, number or tags of a build."""
    build = build_of(cloud, request)
    body = request.json_object()
    changes: dict[str, Any] = {}
    for name, allowed in (("status", STATUSES), ("result", RESULTS)):
        if name in body:
            known = {one.lower(): one for one in allowed}
            value = str(body[name]).lower()
            if value not in known:
                raise ServiceError(
                    400, "VssPropertyValidationException", f"There is no {name} '{body[name]}'."
                )
            changes[name] = known[value]
    if "buildNumber" in body:
        changes["buildNumber"] = fields.text(body, "buildNumber")
    return json_response(shown(cloud, change_build(cloud, build["id"], **changes)))


@area.on("GET", BUILDS, "project")
def list_builds(cloud: Cloud, request: Request) -> Response:
    """Builds that match all filters, in the order asked for; pages by continuation token."""
    project = project_of(cloud, request)
    query = request.query
    found = [one for one in cloud.store.list(KIND) if one["project"] == project["id"]]
    found = [one for one in found if _matches(one, query)]
    order = query.get("queryOrder", "queueTimeDescending")
    order = _ORDERS.get(order, order).lower()
    for field in ("finishTime", "startTime", "queueTime"):
        if order.startswith(field.lower()):
            found = [one for one in found if one[field]]
            found.sort(key=lambda one: (one[field], one["id"]))
    if order.endswith("descending"):
        found.reverse()
    limit = query.get("maxBuildsPerDefinition")
    if limit:
        found = _limited(found, number(limit, "maxBuildsPerDefinition"))
    start = number(query.get("continuationToken") or "0", "continuationToken")
    end = start + number(query.get("$top") or str(_DEFAULT_TOP), "$top")
    headers = {"x_ms_continuationtoken": str(end)} if end < len(found) else {}
    return collection([shown(cloud, one) for one in found[start:end]], **headers)


def _matches(build: dict[str, Any], query: Any) -> bool:
    def listed(name: str) -> list[str]:
        return [part.strip().lower() for part in query.get(name, "").split(",") if part.strip()]

    tags = {tag.lower() for tag in build["tags"]}
    pairs = (
        ("definitions", str(build["definition"]["id"])),
        ("buildIds", str(build["id"])),
        ("statusFilter", build["status"].lower()),
        ("resultFilter", (build["result"] or "none").lower()),
        ("reasonFilter", build["reason"].lower()),
        ("branchName", (build["sourceBranch"] or "").lower()),
        ("repositoryId", str(build["repository"].get("id", "")).lower()),
    )
    for name, value in pairs:
        wanted = listed(name)
        if wanted and "all" not in wanted and value not in wanted:
            return False
    wanted_number = query.get("buildNumber", "")
    if wanted_number.endswith("*"):
        if not build["buildNumber"].startswith(wanted_number[:-1]):
            return False
    elif wanted_number and wanted_number != build["buildNumber"]:
        return False
    return set(listed("tagFilters")) <= tags


def _limited(builds: list[dict[str, Any]], most: int) -> list[dict[str, Any]]:
    seen: dict[int, int] = {}
    kept = []
    for one in builds:
        identity = one["definition"]["id"]
        seen[identity] = seen.get(identity, 0) + 1
        if seen[identity] <= most:
            kept.append(one)
    return kept
