"""What belongs to a build: tags, properties, timeline, attachments, artifacts (area `build`)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import quote

from local.azure.devops.builds.builds import KIND, build_of
from local.azure.devops.builds.definitions import area
from local.azure.devops.builds.plans import attachments, content, timeline
from local.azure.devops.organization.access import key
from local.azure.devops.rest import collection
from local.azure.identity.organization import organization
from local.azure.kernel import fields
from local.azure.kernel.cloud import Cloud
from local.azure.kernel.http import Request, Response, ServiceError, json_response

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
    released=0.0,
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


# --- tags -----------------------------------------------------------------------------------------


@area.on("GET", TAGS, "project", "buildId")
def get_tags(cloud: Cloud, request: Request) -> Response:
    """The tags of a build."""
    return collection(build_of(cloud, request)["tags"])


@area.on("PUT", TAGS, "project", "buildId", "tag")
def add_tag(cloud: Cloud, request: Request) -> Response:
    """Add one tag."""
    return _add_tags(cloud, request, [request.params["tag"]])


@area.on("POST", TAGS, "project", "buildId")
def add_tags(cloud: Cloud, request: Request) -> Response:
    """Add tags."""
    body = request.json()
    if not isinstance(body, list) or not all(isinstance(one, str) for one in body):
        raise ServiceError(
            400, "VssPropertyValidationException", "The body must be a list of tags."
        )
    return _add_tags(cloud, request, body)


@area.on("DELETE", TAGS, "project", "buildId", "tag")
def delete_tag(cloud: Cloud, request: Request) -> Response:
    """Take a tag away, if it is there."""
    unwanted = request.params["tag"].lower()

    def change(stored: dict[str, Any]) -> None:
        stored["tags"] = [tag for tag in stored["tags"] if tag.lower() != unwanted]

    return collection(_update(cloud, request, change)["tags"])


def _add_tags(cloud: Cloud, request: Request, tags: list[str]) -> Response:
    if not all(tag.strip() for tag in tags):
        raise ServiceError(400, "VssPropertyValidationException", "A build tag must not be empty.")

    def change(stored: dict[str, Any]) -> None:
        for tag in tags:
            if tag.lower() not in {known.lower() for known in stored["tags"]}:
                stored["tags"].append(tag)
        stored["tags"].sort()

    return collection(_update(cloud, request, change)["tags"])


def _update(
    cloud: Cloud, request: Request, change: Callable[[dict[str, Any]], None]
) -> dict[str, Any]:
    return cloud.store.update(KIND, key(build_of(cloud, request)["id"]), change)


# --- properties -----------------------------------------------------------------------------------


@area.on("GET", PROPERTIES, "project", "buildId")
def get_properties(cloud: Cloud, request: Request) -> Response:
    """Properties; with `filter` those of the names in it, separated by commas."""
    found = _properties(build_of(cloud, request))
    if "filter" in request.query:
        wanted = {name.strip().lower() for name in request.query["filter"].split(",")}
        found = {name: value for name, value in found.items() if name.lower() in wanted}
    return _property_collection(found)


@area.on("PATCH", PROPERTIES, "project", "buildId")
def update_properties(cloud: Cloud, request: Request) -> Response:
    """Add, replace and remove properties by JSON Patch (RFC 6902)."""
    body = request.json()
    if not isinstance(body, list) or not all(isinstance(one, dict) for one in body):
        raise ServiceError(400, "VssPropertyValidationException", "The body must be a JSON Patch.")

    def change(stored: dict[str, Any]) -> None:
        found = _properties(stored)
        for operation in body:
            kind, path = str(operation.get("op")).lower(), str(operation.get("path"))
            name = path.removeprefix("/").replace("~1", "/").replace("~0", "~")
            if kind in ("add", "replace"):
                found[name] = operation.get("value")
            elif kind == "remove":
                found.pop(name, None)
            else:
                raise ServiceError(
                    400, "VssPropertyValidationException", f"The operation '{kind}' is not known."
                )
        stored["properties"] = found

    return _property_collection(_properties(_update(cloud, request, change)))


def _properties(stored: dict[str, Any]) -> dict[str, Any]:
    return dict(stored.get("properties") or {})


def _property_collection(found: dict[str, Any]) -> Response:
    value = {
        name: {
            "$type": "System.Int32" if isinstance(one, int) else "System.String",
            "$value": one if isinstance(one, int | str) else str(one),
        }
        for name, one in found.items()
    }
    return json_response({"count": len(value), "value": value})


# --- timeline and attachments ---------------------------------------------------------------------


@area.on("GET", TIMELINE, "project", "buildId")
@area.on("GET", TIMELINE, "project", "buildId", "timelineId")
def get_timeline(cloud: Cloud, request: Request) -> Response:
    """The records of a build: stages, jobs, tasks."""
    plan = _plan(cloud, request)
    return json_response(timeline(cloud, plan))


@area.on("GET", ATTACHMENTS, "project", "buildId", "type")
def list_attachments(cloud: Cloud, request: Request) -> Response:
    """The attachments of one type, each with the link that `get_attachment` answers."""
    build = build_of(cloud, request)
    base = f"{organization(cloud).url}/{build['project']}/_apis/build/builds/{build['id']}"
    found = []
    for one in attachments(cloud, build["plan"], request.params["type"]):
        kind, name = quote(one["type"], safe=""), quote(one["name"], safe="")
        place = f"{one['timeline']}/{one['record']}/attachments/{kind}/{name}"
        found.append({"name": one["name"], "_links": {"self": {"href": f"{base}/{place}"}}})
    return collection(found)


@area.on("GET", ATTACHMENT, "project", "buildId", "timelineId", "recordId", "type", "name")
def get_attachment(cloud: Cloud, request: Request) -> Response:
    """The bytes of an attachment."""
    plan, params = _plan(cloud, request), request.params
    for one in attachments(cloud, plan, params["type"]):
        if (one["record"], one["name"]) == (params["recordId"].lower(), params["name"]):
            return Response(
                body=content(cloud, one), headers={"content-type": "application/octet-stream"}
            )
    raise ServiceError(
        404, "AttachmentNotFoundException", f"There is no attachment '{params['name']}'."
    )


def _plan(cloud: Cloud, request: Request) -> str:
    build = build_of(cloud, request)
    asked = request.params.get("timelineId", "").lower()
    if asked not in ("", build["plan"]):
        raise ServiceError(404, "TimelineNotFoundException", f"There is no timeline {asked}.")
    return str(build["plan"])


# --- artifacts ------------------------------------------------------------------------------------


@area.on("POST", ARTIFACTS, "project", "buildId")
def create_artifact(cloud: Cloud, request: Request) -> Response:
    """Note that a build has an artifact, and where. Names are unique."""
    body = request.json_object()
    name = fields.text(body, "name")
    build_of(cloud, request)

    def change(stored: dict[str, Any]) -> None:
        present = stored.setdefault("artifacts", [])
        if name.lower() in {one["name"].lower() for one in present}:
            raise ServiceError(
                409,
                "ArtifactExistsException",
                f"Artifact {name} already exists for build {stored['id']}.",
            )
        resource = fields.mapping(body, "resource")
        present.append({"id": len(present) + 1, "name": name, "resource": resource})

    return json_response(_update(cloud, request, change)["artifacts"][-1])


@area.on("GET", ARTIFACTS, "project", "buildId")
def get_artifacts(cloud: Cloud, request: Request) -> Response:
    """All artifacts of a build, or the one of the query's `artifactName`."""
    found = build_of(cloud, request).get("artifacts", [])
    asked = request.query.get("artifactName")
    if asked is None:
        return collection(found)
    for one in found:
        if one["name"].lower() == asked.lower():
            return json_response(one)
    raise ServiceError(
        404, "ArtifactNotFoundException", f"Artifact {asked} was not found for this build."
    )
