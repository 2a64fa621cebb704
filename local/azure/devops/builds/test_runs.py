"""Test runs and their results (area `Test`), which a run's Tests tab shows."""

from __future__ import annotations

from typing import TypedDict

from local.azure.devops.contracts import Date, ReadOnly, Unread
from local.azure.devops.enumerations import TEST_RUN_STATE
from local.azure.devops.organization.projects import (
    ProjectRecord,
    project_of,
    reference,
    when_deleted,
)
from local.azure.devops.rest import Area, number
from local.azure.devops.shapes import IdentityRef, TeamProjectReference
from local.azure.identity.organization import organization
from local.azure.kernel.cloud import Cloud
from local.azure.kernel.http import Request, ServiceError
from local.azure.kernel.tables import Table

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
# The service's first id of a result.
_FIRST = 100_000


class BuildGiven(TypedDict, total=False):
    """The build that a run is of."""

    id: str
    name: ReadOnly
    url: ReadOnly


class NewRun(TypedDict, total=False):
    """The body that begins a run."""

    name: str
    build: BuildGiven
    automated: bool
    isAutomated: bool
    state: str
    type: str
    startDate: str
    comment: str
    buildFlavor: str
    buildPlatform: str
    pipelineReference: ReadOnly


class ChangedRun(TypedDict, total=False):
    """The body that changes a run."""

    name: str
    state: str
    comment: str
    completedDate: str


class Result(TypedDict, total=False):
    """The result of a test case."""

    id: int
    testCaseTitle: str
    automatedTestName: str
    automatedTestStorage: str
    automatedTestType: str
    automatedTestId: str
    durationInMs: float
    outcome: str
    state: str
    errorMessage: str
    stackTrace: str
    comment: str
    startedDate: Date
    completedDate: Date
    priority: int
    computerName: str
    owner: dict[str, Unread]
    runBy: dict[str, Unread]
    customFields: list[dict[str, Unread]]


class RunRecord(TypedDict):
    """A run as it is stored; `build` is empty for a run of none."""

    id: int
    project: str
    name: str
    comment: str
    isAutomated: bool
    build: str
    state: str
    startedDate: str
    completedDate: str
    results: list[Result]


class BuildReference(TypedDict):
    """The build of a run."""

    id: str


class _Run(TypedDict):
    id: int
    name: str
    url: str
    isAutomated: bool
    owner: IdentityRef
    project: TeamProjectReference
    startedDate: Date
    state: str
    totalTests: int
    incompleteTests: int
    notApplicableTests: int
    passedTests: int
    unanalyzedTests: int
    revision: int
    webAccessUrl: str


class Run(_Run, total=False):
    """A run of tests."""

    build: BuildReference
    completedDate: Date
    comment: str


RunsQuery = TypedDict(
    "RunsQuery",
    {"buildUri": str, "automated": bool, "includeRunDetails": bool, "$top": int, "$skip": int},
    total=False,
)
ResultsQuery = TypedDict(
    "ResultsQuery", {"outcomes": list[str], "$top": int, "$skip": int}, total=False
)
_RUNS = Table[RunRecord]("devops-test-run")


@area.on("POST", RUNS, "project")
def create_run(cloud: Cloud, request: Request, body: NewRun) -> Run:
    """Begin a run of a build's tests."""
    project = project_of(cloud, request)
    if not body.get("name"):
        raise ServiceError(400, "InvalidPropertyException", "A test run needs a name.")
    record: RunRecord = {
        "id": _RUNS.next_number(cloud),
        "project": project["id"],
        "name": body["name"],
        "comment": body.get("comment", ""),
        "isAutomated": body.get("automated", body.get("isAutomated", False)),
        "build": body.get("build", {}).get("id", ""),
        "state": _state(body.get("state", "NotStarted")),
        "startedDate": body.get("startDate", cloud.timestamp()),
        "completedDate": "",
        "results": [],
    }
    _RUNS.insert(cloud, record["id"], record)
    return _shown(cloud, project, record)


@area.on("GET", RUNS, "project")
def list_runs(cloud: Cloud, request: Request, query: RunsQuery) -> list[Run]:
    """The runs of a project, or of a build."""
    project = project_of(cloud, request)
    build = query.get("buildUri", "").rpartition("/")[2]
    found = [
        one
        for one in _RUNS.find(
            cloud, {"project": project["id"], **({"build": build} if build else {})}
        )
        if query.get("automated", one["isAutomated"]) == one["isAutomated"]
    ]
    start = query.get("$skip", 0)
    page = found[start : start + query.get("$top", 100)]
    return [_shown(cloud, project, one) for one in page]


@area.on("GET", RUNS, "project", "runId")
def get_run(cloud: Cloud, request: Request) -> Run:
    """One run."""
    return _shown(cloud, project_of(cloud, request), _run(cloud, request))


@area.on("PATCH", RUNS, "project", "runId")
def update_run(cloud: Cloud, request: Request, body: ChangedRun) -> Run:
    """Change the name or the state of a run."""
    run = _run(cloud, request)

    def change(stored: RunRecord) -> None:
        stored["name"] = body.get("name", stored["name"])
        stored["comment"] = body.get("comment", stored["comment"])
        stored["state"] = _state(body.get("state", stored["state"]))
        if stored["state"] == "Completed" and not stored["completedDate"]:
            stored["completedDate"] = body.get("completedDate", cloud.timestamp())

    return _shown(cloud, project_of(cloud, request), _RUNS.update(cloud, run["id"], change))


@area.on("POST", RESULTS, "project", "runId")
def add_results(cloud: Cloud, request: Request, body: list[Result]) -> list[Result]:
    """Add results to a run."""
    run = _run(cloud, request)
    defaults: Result = {"outcome": "Unspecified", "state": "Completed"}

    def change(stored: RunRecord) -> None:
        for given in body:
            identity = _FIRST + len(stored["results"])
            stored["results"].append({**defaults, **given, "id": identity})

    changed = _RUNS.update(cloud, run["id"], change)
    return changed["results"][-len(body) :] if body else []


@area.on("GET", RESULTS, "project", "runId")
def list_results(cloud: Cloud, request: Request, query: ResultsQuery) -> list[Result]:
    """The results of a run, of some outcomes where they are given."""
    wanted = {one.lower() for one in query.get("outcomes", [])}
    found = [
        one
        for one in _run(cloud, request)["results"]
        if not wanted or one["outcome"].lower() in wanted
    ]
    start = query.get("$skip", 0)
    return found[start : start + query.get("$top", 1000)]


def _state(given: str) -> str:
    """A state as runs show it: with a capital letter. Raises ServiceError 400."""
    try:
        word = TEST_RUN_STATE.word(given, "state")
    except ServiceError:
        raise ServiceError(
            400, "InvalidPropertyException", f"There is no state '{given}'."
        ) from None
    return word[0].upper() + word[1:]


def _run(cloud: Cloud, request: Request) -> RunRecord:
    project = project_of(cloud, request)
    identity = number(request.params["runId"], "runId")
    found = _RUNS.get(cloud, identity)
    if found is None or found["project"] != project["id"]:
        raise ServiceError(
            404, "TestObjectNotFoundException", f"Test run {identity} cannot be found."
        )
    return found


def _shown(cloud: Cloud, project: ProjectRecord, stored: RunRecord) -> Run:
    outcomes = [one["outcome"] for one in stored["results"]]
    base = f"{organization(cloud).url}/{project['id']}"
    document: Run = {
        "id": stored["id"],
        "name": stored["name"],
        "url": f"{base}/_apis/test/Runs/{stored['id']}",
        "isAutomated": stored["isAutomated"],
        "owner": organization(cloud).user,
        "project": reference(cloud, project),
        "startedDate": stored["startedDate"],
        "state": stored["state"],
        "totalTests": len(outcomes),
        "incompleteTests": 0,
        "notApplicableTests": outcomes.count("NotApplicable"),
        "passedTests": outcomes.count("Passed"),
        "unanalyzedTests": outcomes.count("Failed"),
        "revision": 1,
        "webAccessUrl": f"{base}/_TestManagement/Runs?runId={stored['id']}",
    }
    if stored["build"]:
        document["build"] = {"id": stored["build"]}
    if stored["completedDate"]:
        document["completedDate"] = stored["completedDate"]
    if stored["comment"]:
        document["comment"] = stored["comment"]
    return document


@when_deleted
def _forget(cloud: Cloud, project: str) -> None:
    for one in _RUNS.find(cloud, {"project": project}):
        _RUNS.delete(cloud, one["id"])
