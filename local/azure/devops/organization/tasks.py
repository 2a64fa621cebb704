"""Tasks of an organization (area `distributedtask`): those that its extensions brought.

An agent asks for a task by id and version and gets its files. An organization takes a task of an
extension when it has none of that id and version; so a new version of an extension changes a task
only where the task's own version rose (learn.microsoft.com/azure/devops/extend/develop/
add-build-task; microsoft/azure-pipelines-agent, src/Agent.Worker/TaskManager.cs).
"""

from __future__ import annotations

import io
import json
import zipfile
from typing import TypedDict

from local.azure.devops.builds.plans import area, keep, kept
from local.azure.kernel.cloud import Cloud
from local.azure.kernel.http import Request, Response, ServiceError
from local.azure.kernel.tables import Table

TASKS = area.location(
    "60aac929-f0cd-4bc8-9ce4-6b30e8f1b1bd",
    "_apis/{area}/{resource}/{taskId}/{versionString}",
    resource="tasks",
)
_CONTRIBUTION = "ms.vss-distributed-task.task"


class Version(TypedDict):
    """A task's version."""

    major: int
    minor: int
    patch: int


class TaskDefinition(TypedDict):
    """What is told of a task; its task.json has the rest."""

    id: str
    name: str
    friendlyName: str
    version: Version
    contributionIdentifier: str
    contributionVersion: str


class TaskRecord(TaskDefinition):
    """A task as it is stored; `files`: the digest of a zip of its folder."""

    files: str


class TasksQuery(TypedDict, total=False):
    """`allVersions` asks for the older ones, too; a build's and a release's tasks are the same."""

    allVersions: bool
    visibility: list[str]


_TASKS = Table[TaskRecord]("devops-task")


def receive(cloud: Cloud, extension: str, version: str, package: bytes) -> None:
    """Take the tasks of an extension's package that the organization does not have yet."""
    with zipfile.ZipFile(io.BytesIO(package)) as archive:
        if "extension.vsomanifest" not in archive.namelist():
            return
        manifest = json.loads(archive.read("extension.vsomanifest"))
        for contribution in manifest.get("contributions", []):
            if contribution["type"] == _CONTRIBUTION:
                folder = contribution["properties"]["name"].strip("/")
                name = f"{extension}.{contribution['id']}"
                _take(cloud, archive, folder, contribution=name, version=version)


def _take(
    cloud: Cloud, archive: zipfile.ZipFile, folder: str, *, contribution: str, version: str
) -> None:
    task = json.loads(archive.read(f"{folder}/task.json"))
    told: dict[str, str | int] = task["version"]
    known: Version = {
        "major": int(told["Major"]),
        "minor": int(told["Minor"]),
        "patch": int(told["Patch"]),
    }
    key = f"{task['id'].lower()} {known['major']:05}.{known['minor']:05}.{known['patch']:05}"
    if _TASKS.get(cloud, key) is not None:
        return
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as files:
        for name in archive.namelist():
            if name.startswith(f"{folder}/") and not name.endswith("/"):
                files.writestr(name.removeprefix(f"{folder}/"), archive.read(name))
    record: TaskRecord = {
        "id": task["id"].lower(),
        "name": task["name"],
        "friendlyName": task["friendlyName"],
        "version": known,
        "contributionIdentifier": contribution,
        "contributionVersion": version,
        "files": keep(cloud, packed.getvalue()),
    }
    _TASKS.put(cloud, key, record)


@area.on("GET", TASKS)
def list_tasks(cloud: Cloud, query: TasksQuery) -> list[TaskDefinition]:
    """The tasks: of each id the newest version, or all versions."""
    return _shown(_TASKS.list(cloud), query)


@area.on("GET", TASKS, "taskId")
def get_tasks(cloud: Cloud, request: Request, query: TasksQuery) -> list[TaskDefinition]:
    """The tasks of one id."""
    return _shown(_TASKS.list(cloud, f"{request.params['taskId'].lower()} "), query)


@area.on("GET", TASKS, "taskId", "versionString")
def get_files(cloud: Cloud, request: Request) -> Response:
    """The files of a task, as a zip."""
    identity, version = request.params["taskId"].lower(), request.params["versionString"]
    for record in _TASKS.list(cloud, f"{identity} "):
        if version == ".".join(str(number) for number in record["version"].values()):
            data = kept(cloud, record["files"])
            return Response(status=200, body=data, headers={"content-type": "application/zip"})
    raise ServiceError(
        404, "TaskDefinitionNotFoundException", f"There is no task {identity} {version}."
    )


def _shown(records: list[TaskRecord], query: TasksQuery) -> list[TaskDefinition]:
    newest: dict[str, TaskRecord] = {}
    ordered = sorted(records, key=lambda record: tuple(record["version"].values()))
    for record in ordered:
        newest[record["id"]] = record
    chosen = ordered if query.get("allVersions") else list(newest.values())
    return [
        {
            "id": record["id"],
            "name": record["name"],
            "friendlyName": record["friendlyName"],
            "version": record["version"],
            "contributionIdentifier": record["contributionIdentifier"],
            "contributionVersion": record["contributionVersion"],
        }
        for record in chosen
    ]
