"""What belongs to a build: tags, properties, timeline, attachments, artifacts (area `build`)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypedDict
from urllib.parse import quote

from local.azure.devops.builds.build_shapes import Artifact, BuildRecord
from local.azure.devops.builds.builds import build_of, change_build
from local.azure.devops.builds.definitions import area
from local.azure.devops.builds.plans import attachments, content, timeline
from local.azure.devops.builds.timeline_shapes import Timeline
from local.azure.devops.contracts import ReadOnly, Unread
from local.azure.devops.errors import invalid
from local.azure.devops.shapes import Links
from local.azure.identity.organization import organization
from local.azure.kernel.cloud import Cloud
from local.azure.kernel.http import Request, Response, ServiceError

TAGS = area.location(
    "6e6114b2-8161-44c8-8f6c-c5505782427f",
    "{project}/_apis/{area}/builds/{buildId}/{resource}/{*tag}",
    resource="tags",
    version=3,
    minimum=2.0,
)
PROPERTIES = area.location(
    "0a6312e9-0627-49b7-8083-7d74a64849c9",
    "{project}/_apis/{area}/builds/{buildId}/{resource}",
    resource="properties",
    minimum=3.2,
)
TIMELINE = area.location(
    "8baac422-4c6e-4de5-8532-db96d92acffa",
    "{project}/_apis/{area}/builds/{buildId}/{resource}/{timelineId}",
    resource="Timeline",
    version=3,
    minimum=2.0,
)
ATTACHMENTS = area.location(
    "f2192269-89fa-4f94-baf6-8fb128c55159",
    "{project}/_apis/{area}/builds/{buildId}/{resource}/{type}",
    resource="attachments",
    version=2,
    minimum=4.1,
)
ATTACHMENT = area.location(
    "af5122d3-3438-485e-a25a-2dbbfde84ee6",
    "{project}/_apis/{area}/builds/{buildId}/{timelineId}/{recordId}/{resource}/{type}/{name}",
    resource="attachments",
    version=2,
    minimum=4.1,
)
ARTIFACTS = area.location(
    "1db06c96-014e-44e1-ac91-90b2d4b3e984",
    "{project}/_apis/{area}/builds/{buildId}/{resource}/{artifactName}",
    resource="artifacts",
    version=5,
    minimum=2.0,
)


class PatchOperation(TypedDict, total=False):
    """An operation of a JSON Patch (RFC 6902)."""

    op: str
    path: str
    value: Unread


class PropertiesQuery(TypedDict, total=False):
    """Which properties are shown."""

    filter: list[str]


class Properties(TypedDict):
    """Properties with their types."""

    count: int
    value: dict[str, Unread]


class AttachmentShown(TypedDict):
    """An attachment and where its content is."""

    name: str
    _links: Links


class ArtifactQuery(TypedDict, total=False):
    """Which artifact is asked for."""

    artifactName: str


class _NewArtifact(TypedDict):
    name: str


class NewArtifact(_NewArtifact, total=False):
    """The body that adds an artifact."""

    resource: dict[str, Unread]
    source: str
    id: ReadOnly


class TimelineQuery(TypedDict, total=False):
    """Which timeline is asked for."""

    planId: str


# --- tags -----------------------------------------------------------------------------------------


@area.on("GET", TAGS, "project", "buildId")
def get_tags(cloud: Cloud, request: Request) -> list[str]:
    """The tags of a build."""
    return build_of(cloud, request)["tags"]


@area.on("PUT", TAGS, "project", "buildId", "tag")
def add_tag(cloud: Cloud, request: Request) -> list[str]:
    """Add one tag."""
    return _add_tags(cloud, request, [request.params["tag"]])


@area.on("POST", TAGS, "project", "buildId")
def add_tags(cloud: Cloud, request: Request, body: list[str]) -> list[str]:
    """Add tags."""
    return _add_tags(cloud, request, body)


@area.on("DELETE", TAGS, "project", "buildId", "tag")
def delete_tag(cloud: Cloud, request: Request) -> list[str]:
    """Take a tag away, if it is there."""
    unwanted = request.params["tag"].lower()

    def change(stored: BuildRecord) -> None:
        stored["tags"] = [tag for tag in stored["tags"] if tag.lower() != unwanted]

    return _update(cloud, request, change)["tags"]


def _add_tags(cloud: Cloud, request: Request, tags: list[str]) -> list[str]:
    if not all(tag.strip() for tag in tags):
        raise invalid("A build tag must not be empty.")

    def change(stored: BuildRecord) -> None:
        for tag in tags:
            if tag.lower() not in {known.lower() for known in stored["tags"]}:
                stored["tags"].append(tag)
        stored["tags"].sort()

    return _update(cloud, request, change)["tags"]


def _update(cloud: Cloud, request: Request, change: Callable[[BuildRecord], None]) -> BuildRecord:
    return change_build(cloud, build_of(cloud, request)["id"], change)


# --- properties -----------------------------------------------------------------------------------


@area.on("GET", PROPERTIES, "project", "buildId")
def get_properties(cloud: Cloud, request: Request, query: PropertiesQuery) -> Properties:
    """Properties; with `filter` those of the names in it, separated by commas."""
    found = build_of(cloud, request)["properties"]
    if "filter" in query:
        wanted = {name.lower() for name in query["filter"]}
        found = {name: value for name, value in found.items() if name.lower() in wanted}
    return _with_types(found)


@area.on("PATCH", PROPERTIES, "project", "buildId")
def update_properties(cloud: Cloud, request: Request, body: list[PatchOperation]) -> Properties:
    """Add, replace and remove properties by JSON Patch."""

    def change(stored: BuildRecord) -> None:
        for operation in body:
            kind, path = operation.get("op", "").lower(), operation.get("path", "")
            name = path.removeprefix("/").replace("~1", "/").replace("~0", "~")
            if kind in ("add", "replace"):
                stored["properties"][name] = operation.get("value")
            elif kind == "remove":
                stored["properties"].pop(name, None)
            else:
                raise invalid(f"The operation '{kind}' is not known.")

    return _with_types(_update(cloud, request, change)["properties"])


def _with_types(found: dict[str, Any]) -> Properties:
    value = {
        name: {
            "$type": "System.Int32" if isinstance(one, int) else "System.String",
            "$value": one if isinstance(one, int | str) else str(one),
        }
        for name, one in found.items()
    }
    return {"count": len(value), "value": value}


# --- timeline and attachments ---------------------------------------------------------------------


@area.on("GET", TIMELINE, "project", "buildId")
@area.on("GET", TIMELINE, "project", "buildId", "timelineId")
def get_timeline(cloud: Cloud, request: Request, query: TimelineQuery) -> Timeline:
    """The records of a build: stages, jobs, tasks."""
    build = build_of(cloud, request)
    plan = _plan(build, request)
    if query.get("planId", plan).lower() != plan:
        raise ServiceError(404, "TimelineNotFoundException", f"There is no plan {query['planId']}.")
    base = f"{organization(cloud).url}/{build['project']}/_apis/build/Builds/{build['id']}"
    return timeline(cloud, plan, f"{base}/Timeline/{plan}")


@area.on("GET", ATTACHMENTS, "project", "buildId", "type")
def list_attachments(cloud: Cloud, request: Request) -> list[AttachmentShown]:
    """The attachments of one type, each with the link that `get_attachment` answers."""
    build = build_of(cloud, request)
    base = f"{organization(cloud).url}/{build['project']}/_apis/build/builds/{build['id']}"
    found: list[AttachmentShown] = []
    for one in attachments(cloud, build["plan"], request.params["type"]):
        kind, name = quote(one["type"], safe=""), quote(one["name"], safe="")
        place = f"{one['timeline']}/{one['record']}/attachments/{kind}/{name}"
        found.append({"name": one["name"], "_links": {"self": {"href": f"{base}/{place}"}}})
    return found


@area.on("GET", ATTACHMENT, "project", "buildId", "timelineId", "recordId", "type", "name")
def get_attachment(cloud: Cloud, request: Request) -> Response:
    """The bytes of an attachment."""
    plan, params = _plan(build_of(cloud, request), request), request.params
    for one in attachments(cloud, plan, params["type"]):
        if (one["record"], one["name"]) == (params["recordId"].lower(), params["name"]):
            return Response(
                body=content(cloud, one), headers={"content-type": "application/octet-stream"}
            )
    raise ServiceError(
        404, "AttachmentNotFoundException", f"There is no attachment '{params['name']}'."
    )


def _plan(build: BuildRecord, request: Request) -> str:
    asked = request.params.get("timelineId", "").lower()
    if asked not in ("", build["plan"]):
        raise ServiceError(404, "TimelineNotFoundException", f"There is no timeline {asked}.")
    return build["plan"]


# --- artifacts ------------------------------------------------------------------------------------


@area.on("POST", ARTIFACTS, "project", "buildId")
def create_artifact(cloud: Cloud, request: Request, body: NewArtifact) -> Artifact:
    """Note that a build has an artifact, and where. Names are unique."""
    name = body["name"]

    def change(stored: BuildRecord) -> None:
        present = stored["artifacts"]
        if name.lower() in {one["name"].lower() for one in present}:
            raise ServiceError(
                409,
                "ArtifactExistsException",
                f"Artifact {name} already exists for build {stored['id']}.",
            )
        present.append(
            {
                "id": len(present) + 1,
                "name": name,
                "source": body.get("source", stored["job"]),
                "resource": body.get("resource", {}),
            }
        )

    return _update(cloud, request, change)["artifacts"][-1]


@area.on("GET", ARTIFACTS, "project", "buildId")
def get_artifacts(
    cloud: Cloud, request: Request, query: ArtifactQuery
) -> list[Artifact] | Artifact:
    """All artifacts of a build, or the one of the query's `artifactName`."""
    found = build_of(cloud, request)["artifacts"]
    asked = query.get("artifactName")
    if asked is None:
        return found
    for one in found:
        if one["name"].lower() == asked.lower():
            return one
    raise ServiceError(
        404,
        "ArtifactNotFoundException",
        f"Artifact {asked} was not found for build {request.params['buildId']}.",
    )
