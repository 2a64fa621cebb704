"""Test runs and their results (area `Test`), which a run's Tests tab shows."""

from __future__ import annotations

from typing import Any

from local.azure.devops.organization.access import key
from local.azure.devops.organization.projects import project_of, reference
from local.azure.devops.rest import Area, collection, number
from local.azure.identity.organization import organization
from local.azure.kernel import fields
from local.azure.kernel.cloud import Cloud
from local.azure.kernel.http import Request, Response, ServiceError, json_response

area = Area("Test", id="c2aa639c-3ccc-4740-b3b6-ce2a1e1d984e")
RUNS = area.location(
    "cadb3810-d47d-4a3c-a234-fe5f3be50138",
    "{project}/_apis/test/{resource}/{runId}",
    resource="Runs",
    version=3,
)
RESULTS = area.location(
    "4637d869-3a76-4468-8057-0bb02aa385cf",
    "{project}/_apis/test/Runs/{runId}/{resource}/{testCaseResultId}",
    resource="Results",
    version=6,
)
_KIND = "devops-test-run"
# The service's first id of a result.
_FIRST = 100_000
_STATES = ("Unspecified", "NotStarted", "InProgress", "Completed", "Aborted", "Waiting")


@area.on("POST", RUNS, "project")
def create_run(cloud: Cloud, request: Request) -> Response:
    """Begin a run of a build's tests."""
    project = project_of(cloud, request)
    body = request.json_object()
    build = fields.mapping(body, "build").get("id")
    stored = {
        "id": cloud.store.next_number(_KIND),
        "project": project["id"],
        "name": fields.text(body, "name"),
        "isAutomated": bool(body.get("automated") or body.get("isAutomated")),
        "build": None if build is None else str(build),
        "state": _state(body) or "NotStarted",
        "startedDate": cloud.timestamp(),
        "results": [],
    }
    cloud.store.insert(_KIND, key(stored["id"]), stored)
    return json_response(_shown(cloud, project, stored))


@area.on("GET", RUNS, "project")
def list_runs(cloud: Cloud, request: Request) -> Response:
    """The runs of a project, or of a build."""
    project = project_of(cloud, request)
    found = [one for one in cloud.store.list(_KIND) if one["project"] == project["id"]]
    if request.query.get("buildUri"):
        build = request.query["buildUri"].rpartition("/")[2]
        found = [one for one in found if one["build"] == build]
    return collection([_shown(cloud, project, one) for one in found])


@area.on("GET", RUNS, "project", "runId")
def get_run(cloud: Cloud, request: Request) -> Response:
    """One run."""
    return json_response(_shown(cloud, project_of(cloud, request), _run(cloud, request)))


@area.on("PATCH", RUNS, "project", "runId")
def update_run(cloud: Cloud, request: Request) -> Response:
    """Change the state of a run."""
    run, state = _run(cloud, request), _state(request.json_object())

    def change(stored: dict[str, Any]) -> None:
        stored["state"] = state or stored["state"]
        if state == "Completed":
            stored["completedDate"] = cloud.timestamp()

    changed = cloud.store.update(_KIND, key(run["id"]), change)
    return json_response(_shown(cloud, project_of(cloud, request), changed))


@area.on("POST", RESULTS, "project", "runId")
def add_results(cloud: Cloud, request: Request) -> Response:
    """Add results to a run."""
    run = _run(cloud, request)
    body = request.json()
    if not isinstance(body, list) or not all(isinstance(one, dict) for one in body):
        raise ServiceError(400, "InvalidPropertyException", "The body is no list of results.")

    def change(stored: dict[str, Any]) -> None:
        for given in body:
            told = {"outcome": "Unspecified", "state": "Completed", **given}
            stored["results"].append({**told, "id": _FIRST + len(stored["results"])})

    changed = cloud.store.update(_KIND, key(run["id"]), change)
    return collection(changed["results"][-len(body) :] if body else [])


@area.on("GET", RESULTS, "project", "runId")
def list_results(cloud: Cloud, request: Request) -> Response:
    """The results of a run, of some outcomes where they are given."""
    found = _run(cloud, request)["results"]
    wanted = {one.lower() for one in request.query.get("outcomes", "").split(",") if one}
    found = [one for one in found if not wanted or one["outcome"].lower() in wanted]
    start = number(request.query.get("$skip") or "0", "$skip")
    return collection(found[start : start + number(request.query.get("$top") or "1000", "$top")])


def _state(body: dict[str, Any]) -> str | None:
    if body.get("state") is None:
        return None
    known = {one.lower(): one for one in _STATES}
    state = str(body["state"]).lower()
    if state not in known:
        raise ServiceError(400, "InvalidPropertyException", f"There is no state '{body['state']}'.")
    return known[state]


def _run(cloud: Cloud, request: Request) -> dict[str, Any]:
    project = project_of(cloud, request)
    identity = number(request.params["runId"], "runId")
    found = cloud.store.get(_KIND, key(identity))
    if found is None or found["project"] != project["id"]:
        raise ServiceError(
            404, "TestObjectNotFoundException", f"Test run {identity} cannot be found."
        )
    return found


def _shown(cloud: Cloud, project: dict[str, Any], stored: dict[str, Any]) -> dict[str, Any]:
    outcomes = [one["outcome"] for one in stored["results"]]
    base = f"{organization(cloud).url}/{project['id']}"
    names = ("id", "name", "isAutomated", "state", "startedDate", "completedDate")
    return {
        **{name: stored[name] for name in names if name in stored},
        "build": {"id": stored["build"]} if stored["build"] else None,
        "project": reference(cloud, project),
        "totalTests": len(outcomes),
        "passedTests": outcomes.count("Passed"),
        "unanalyzedTests": outcomes.count("Failed"),
        "notApplicableTests": outcomes.count("NotApplicable"),
        "owner": organization(cloud).user,
        "url": f"{base}/_apis/test/Runs/{stored['id']}",
        "webAccessUrl": f"{base}/_TestManagement/Runs?runId={stored['id']}",
    }
