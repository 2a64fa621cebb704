"""Projects as they are sent and shown."""

from __future__ import annotations

from typing import TypedDict

from local.azure.devops.contracts import ReadOnly
from local.azure.devops.enumerations import ProjectVisibility
from local.azure.devops.shapes import Links, TeamProjectReference

ProjectsQuery = TypedDict(
    "ProjectsQuery",
    {"stateFilter": str, "$top": int, "$skip": int, "continuationToken": int},
    total=False,
)


class ProjectQuery(TypedDict, total=False):
    """What is shown of a project. History is not kept, so there is none to include."""

    includeCapabilities: bool


class Capabilities(TypedDict, total=False):
    """What a project is made of."""

    processTemplate: dict[str, str]
    versioncontrol: dict[str, str]


class Team(TypedDict):
    """A reference to a team."""

    id: str
    name: str
    url: str


class TeamProject(TeamProjectReference, total=False):
    """A project in full."""

    _links: Links
    defaultTeam: Team  # noqa: N815
    capabilities: Capabilities


class _NewProject(TypedDict):
    name: str


class NewProject(_NewProject, total=False):
    """The body that creates a project."""

    description: str
    visibility: ProjectVisibility
    capabilities: Capabilities
    state: ReadOnly
    url: ReadOnly
    id: ReadOnly


class ChangedProject(TypedDict, total=False):
    """The body that changes a project."""

    name: str
    description: str
    visibility: ProjectVisibility


class Process(TypedDict):
    """A process that projects are made of."""

    id: str
    description: str
    isDefault: bool
    type: str
    url: str
    name: str
