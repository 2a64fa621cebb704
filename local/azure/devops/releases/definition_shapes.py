"""Release definitions as they are stored, sent and shown."""

from __future__ import annotations

from typing import TypedDict

from local.azure.devops.contracts import Date, ReadOnly, Unread
from local.azure.devops.enumerations import (
    ReleaseDefinitionSource,
)
from local.azure.devops.shapes import IdentityRef, Links, ProjectName, TeamProjectReference
from local.azure.devops.variables import Variables


class StageBody(TypedDict, total=False):
    """A stage of a definition; all but id, name, rank and variables is kept for the agent."""

    id: int
    name: str
    rank: int
    variables: Variables
    variableGroups: list[int]
    owner: dict[str, Unread]
    preDeployApprovals: dict[str, Unread]
    postDeployApprovals: dict[str, Unread]
    deployStep: dict[str, Unread]
    deployPhases: list[dict[str, Unread]]
    environmentOptions: dict[str, Unread]
    environmentTriggers: list[dict[str, Unread]]
    demands: list[Unread]
    conditions: list[dict[str, Unread]]
    executionPolicy: dict[str, Unread]
    schedules: list[dict[str, Unread]]
    retentionPolicy: dict[str, Unread]
    processParameters: dict[str, Unread]
    properties: dict[str, Unread]
    preDeploymentGates: dict[str, Unread]
    postDeploymentGates: dict[str, Unread]
    runOptions: dict[str, Unread]
    queueId: int
    currentRelease: ReadOnly
    badgeUrl: ReadOnly


class ArtifactBody(TypedDict, total=False):
    """An artifact source of a definition."""

    alias: str
    type: str
    sourceId: str
    definitionReference: dict[str, dict[str, Unread]]
    isPrimary: bool
    isRetained: bool


class _DefinitionBody(TypedDict):
    name: str


class ReleaseDefinitionBody(_DefinitionBody, total=False):
    """The body that creates or replaces a release definition."""

    path: str
    description: str
    environments: list[StageBody]
    artifacts: list[ArtifactBody]
    variables: Variables
    variableGroups: list[int]
    triggers: list[dict[str, Unread]]
    releaseNameFormat: str
    retentionPolicy: dict[str, Unread]
    pipelineProcess: dict[str, Unread]
    properties: dict[str, Unread]
    tags: list[str]
    comment: str
    source: ReleaseDefinitionSource
    isDisabled: bool
    revision: int
    id: int
    isDeleted: ReadOnly
    createdBy: ReadOnly
    createdOn: ReadOnly
    modifiedBy: ReadOnly
    modifiedOn: ReadOnly
    lastRelease: ReadOnly
    projectReference: ReadOnly
    project: ReadOnly
    url: ReadOnly
    _links: ReadOnly


class ReleaseDefinitionRecord(TypedDict):
    """A release definition as it is stored."""

    id: int
    project: str
    revision: int
    createdOn: str
    modifiedOn: str
    body: ReleaseDefinitionBody


class ReleaseDefinitionReference(TypedDict):
    """A release definition as its releases show it."""

    id: int
    name: str
    path: str
    projectReference: ProjectName
    url: str
    _links: Links


class _ReleaseDefinition(ReleaseDefinitionReference):
    source: ReleaseDefinitionSource
    revision: int
    description: str | None
    createdBy: IdentityRef
    createdOn: Date
    modifiedBy: IdentityRef
    modifiedOn: Date
    isDeleted: bool
    variableGroups: list[int] | None
    releaseNameFormat: str
    properties: dict[str, Unread]
    project: TeamProjectReference


class ReleaseDefinition(_ReleaseDefinition, total=False):
    """A release definition; in lists without what `$expand` does not name."""

    variables: Variables
    environments: list[StageBody]
    artifacts: list[ArtifactBody]
    triggers: list[dict[str, Unread]]
    retentionPolicy: dict[str, Unread]
    pipelineProcess: dict[str, Unread]
    tags: list[str]
    comment: str
    isDisabled: bool
