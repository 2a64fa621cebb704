"""Build definitions as they are stored, sent and shown."""

from __future__ import annotations

from typing import TypedDict

from local.azure.devops.contracts import Date, ReadOnly, Unread
from local.azure.devops.enumerations import (
    BuildAuthorizationScope,
    DefinitionQuality,
    DefinitionQueueStatus,
    DefinitionTriggerType,
    DefinitionType,
)
from local.azure.devops.shapes import IdentityRef, Links, TeamProjectReference
from local.azure.devops.variables import Variables


class Trigger(TypedDict, total=False):
    """When a definition starts by itself. Nothing does so here: the triggers are kept."""

    branchFilters: list[str]
    pathFilters: list[str]
    settingsSourceType: int
    batchChanges: bool
    maxConcurrentBuildsPerBranch: int
    pollingInterval: int
    pollingJobId: str
    triggerType: DefinitionTriggerType
    schedules: list[dict[str, Unread]]
    forks: dict[str, Unread]
    isCommentRequiredForPullRequest: bool
    requireCommentsForNonTeamMembersOnly: bool
    autoCancel: bool
    definition: dict[str, Unread]
    requiresSuccessfulBuild: bool


class QueueGiven(TypedDict, total=False):
    """The queue of a definition or build; there is one."""

    id: int
    name: str
    url: ReadOnly
    pool: ReadOnly
    _links: ReadOnly


class RepositoryGiven(TypedDict, total=False):
    """The repository of a definition, by id or name."""

    id: str
    name: str
    type: str
    defaultBranch: str
    url: str
    clean: str
    checkoutSubmodules: bool
    rootFolder: str
    properties: dict[str, Unread]


class _NewDefinition(TypedDict):
    name: str


class DefinitionBody(_NewDefinition, total=False):
    """The body that creates or replaces a definition; the same members are shown again."""

    path: str
    description: str
    type: DefinitionType
    quality: DefinitionQuality
    queueStatus: DefinitionQueueStatus
    process: dict[str, Unread]
    processParameters: dict[str, Unread]
    repository: RepositoryGiven
    queue: QueueGiven
    variables: Variables
    variableGroups: list[dict[str, Unread]]
    triggers: list[Trigger]
    options: list[dict[str, Unread]]
    properties: dict[str, Unread]
    tags: list[str]
    demands: list[Unread]
    retentionRules: list[dict[str, Unread]]
    comment: str
    buildNumberFormat: str
    badgeEnabled: bool
    dropLocation: str
    jobAuthorizationScope: BuildAuthorizationScope
    jobTimeoutInMinutes: int
    jobCancelTimeoutInMinutes: int
    revision: int
    id: ReadOnly
    uri: ReadOnly
    url: ReadOnly
    project: ReadOnly
    createdDate: ReadOnly
    authoredBy: ReadOnly
    draftOf: ReadOnly
    drafts: ReadOnly
    latestBuild: ReadOnly
    latestCompletedBuild: ReadOnly
    metrics: ReadOnly
    _links: ReadOnly


class BuildRepository(TypedDict, total=False):
    """The repository of a definition or build."""

    id: str
    type: str
    name: str
    url: str
    defaultBranch: str
    clean: str | None
    checkoutSubmodules: bool
    rootFolder: str
    properties: dict[str, Unread]


class DefinitionRecord(TypedDict):
    """A definition as it is stored: what is looked up, and the rest in `body`."""

    id: int
    project: str
    revision: int
    createdDate: str
    name: str
    path: str
    repository: BuildRepository
    body: DefinitionBody


class PoolReference(TypedDict):
    """The pool of a queue."""

    id: int
    name: str
    isHosted: bool


class BuildQueue(TypedDict):
    """The queue of a build."""

    id: int
    name: str
    pool: PoolReference


class DefinitionQueue(BuildQueue):
    """The queue of a definition."""

    _links: Links
    url: str


class DefinitionReference(TypedDict):
    """A definition as its builds show it."""

    drafts: list[Unread]
    id: int
    name: str
    url: str
    uri: str
    path: str
    type: DefinitionType
    queueStatus: DefinitionQueueStatus
    revision: int
    project: TeamProjectReference


class ListedDefinition(DefinitionReference):
    """A definition in a list."""

    _links: Links
    quality: DefinitionQuality
    authoredBy: IdentityRef
    queue: DefinitionQueue
    createdDate: Date


class BuildDefinition(ListedDefinition, total=False):
    """A definition in full."""

    triggers: list[Trigger]
    variables: Variables
    variableGroups: list[dict[str, Unread]]
    properties: dict[str, Unread]
    tags: list[str]
    description: str
    comment: str
    jobAuthorizationScope: BuildAuthorizationScope
    process: dict[str, Unread]
    processParameters: dict[str, Unread]
    repository: BuildRepository
    options: list[dict[str, Unread]]
    demands: list[Unread]
    retentionRules: list[dict[str, Unread]]
    buildNumberFormat: str
    badgeEnabled: bool
    dropLocation: str
    jobTimeoutInMinutes: int
    jobCancelTimeoutInMinutes: int
