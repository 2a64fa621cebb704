"""``sample``: the compliance classifier in a project, as YAML and as classic build and release."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from amltasks.admin import causes, console
from amltasks.admin.connections import AzureConnection, find_connection
from amltasks.admin.definitions import (
    PIPELINE_FILE,
    Place,
    classic_build,
    classic_release,
    pipeline_text,
    sample_files,
    yaml_pipeline,
)
from amltasks.admin.organization import Organization
from amltasks.admin.pools import Queue, find_queue
from amltasks.admin.repository import ensure_files, ensure_repository, push_files

_EDIT_BUILDS = "the permission Edit build pipeline on the project's pipelines"
_EDIT_RELEASES = "the permission Edit release pipeline on the project's releases"
# Stands for the id of what a dry run would have created.
_TO_COME = "(its id)"


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """What is to be imported, and for which workspace. ``flavours``: yaml, classic or both."""

    name: str
    connection: str
    pool: str
    resource_group: str
    workspace: str
    aks: str
    flavours: tuple[str, ...]


def sample(organization: Organization, project_name: str, wanted: Wanted) -> None:
    """Import the sample; whatever is there already stays as it is.

    Raises:
        TaskError: something it needs is missing, a name is taken, or Azure DevOps refused.
    """
    project = organization.project(project_name)
    connection = find_connection(organization, project, wanted.connection)
    if connection is None:
        raise causes.CONNECTION_UNKNOWN.error(name=wanted.connection)
    queue = find_queue(organization, project, wanted.pool)
    repository = ensure_repository(organization, project, wanted.name)
    place = _place(wanted, project, connection, queue, repository)
    files = sample_files()
    text = pipeline_text(files[PIPELINE_FILE].decode("utf-8"), place)
    files[PIPELINE_FILE] = text.encode("utf-8")
    if repository is None:
        push_files(organization, project, place.repository_id, wanted.name, files)
    else:
        ensure_files(organization, project, repository, files)
    if "yaml" in wanted.flavours:
        pipeline = _ensure_build(organization, project, yaml_pipeline(wanted.name, place))
        for kind, identity in (("endpoint", connection.id), ("queue", str(queue.id))):
            _ensure_allowed(organization, project, pipeline, kind, identity, wanted)
    if "classic" in wanted.flavours:
        name = f"{wanted.name}-classic"
        build = _ensure_build(organization, project, classic_build(name, place))
        _ensure_release(organization, project, place, name, build)


def _place(
    wanted: Wanted, project: Any, connection: AzureConnection, queue: Queue, repository: Any
) -> Place:
    return Place(
        project_id=project.id,
        project_name=project.name,
        repository_id=repository.id if repository else _TO_COME,
        repository_name=wanted.name,
        connection_id=connection.id,
        connection_name=connection.name,
        queue_id=queue.id,
        pool=queue.name,
        hosted=queue.hosted,
        resource_group=wanted.resource_group,
        workspace=wanted.workspace,
        aks=wanted.aks,
    )


def _ensure_build(organization: Organization, project: Any, body: Mapping[str, Any]) -> Any | None:
    """The build definition of that name; None in a dry run where it would be created."""
    client, name = organization.client("build"), body["name"]
    found = organization.ask(
        f"looking for the pipeline '{name}'",
        lambda: client.get_definitions(project.id, name=name, path="\\"),
        permission="the permission View build pipeline",
    )
    if found:
        console.say(console.UNCHANGED, f"the pipeline '{name}' is there already")
        return found[0]
    return organization.change(
        "create",
        f"the pipeline '{name}'",
        lambda: client.create_definition(body, project.id),
        permission=_EDIT_BUILDS,
    )


def _ensure_release(
    organization: Organization, project: Any, place: Place, name: str, build: Any | None
) -> None:
    client = organization.client("release")
    found = organization.ask(
        f"looking for the release pipeline '{name}'",
        lambda: client.get_release_definitions(
            project.id, search_text=name, is_exact_name_match=True
        ),
        permission="the permission View release pipeline",
    )
    if found:
        console.say(console.UNCHANGED, f"the release pipeline '{name}' is there already")
        return
    location = organization.client("location")
    me = organization.ask(
        "asking who the token's owner is", location.get_connection_data
    ).authenticated_user
    body = classic_release(
        name,
        place,
        (str(build.id) if build else _TO_COME, build.name if build else name),
        {"id": me.id, "displayName": me.provider_display_name},
    )
    organization.change(
        "create",
        f"the release pipeline '{name}'",
        lambda: client.create_release_definition(body, project.id),
        permission=_EDIT_RELEASES,
    )


def _ensure_allowed(
    organization: Organization,
    project: Any,
    pipeline: Any | None,
    kind: str,
    identity: str,
    wanted: Wanted,
) -> None:
    """Let the YAML pipeline use a resource, so that its first run need not wait for somebody."""
    what = {
        "endpoint": f"the service connection '{wanted.connection}'",
        "queue": f"the agent pool '{wanted.pool}'",
    }[kind]
    if pipeline and allowed(organization, project, pipeline, kind, identity):
        console.say(console.UNCHANGED, f"the pipeline '{wanted.name}' may use {what} already")
        return
    client = organization.client("pipeline_permissions")
    # A dry run has no pipeline to name yet.
    body = {"pipelines": [{"id": pipeline.id if pipeline else 0, "authorized": True}]}
    organization.change(
        "allow",
        f"the pipeline '{wanted.name}' the use of {what}",
        lambda: client.update_pipeline_permisions_for_resource(body, project.id, kind, identity),
        permission=f"the role Administrator on {what}",
    )


def allowed(
    organization: Organization, project: Any, pipeline: Any, kind: str, identity: str
) -> bool:
    """Whether a YAML pipeline may use a resource (``endpoint`` or ``queue``) of that id."""
    client = organization.client("pipeline_permissions")
    found = organization.ask(
        "asking which pipelines may use it",
        lambda: client.get_pipeline_permissions_for_resource(project.id, kind, identity),
    )
    everyone = bool(found.all_pipelines and found.all_pipelines.authorized)
    return everyone or any(
        one.id == pipeline.id and one.authorized for one in found.pipelines or []
    )
