"""Documents that others hold: links, identities and projects."""

from __future__ import annotations

from typing import TypedDict

from local.azure.devops.contracts import Date
from local.azure.devops.enumerations import ProjectVisibility
from local.azure.identity.organization import Href, IdentityRef

__all__ = [
    "Href",
    "IdentityRef",
    "Links",
    "ProjectGiven",
    "ProjectName",
    "TeamProjectReference",
]

Links = dict[str, Href]


class _TeamProjectReference(TypedDict):
    id: str
    name: str
    url: str
    state: str
    revision: int
    visibility: ProjectVisibility
    lastUpdateTime: Date


class TeamProjectReference(_TeamProjectReference, total=False):
    """A project as others show it; one without a description shows none."""

    description: str


class ProjectGiven(TypedDict, total=False):
    """A project in a body, by id or name."""

    id: str
    name: str


class ProjectName(TypedDict):
    """The shortest reference to a project."""

    id: str
    name: str
