"""Builds as they are stored, sent and shown."""

from __future__ import annotations

from typing import Any, TypedDict

from local.azure.devops.builds.definition_shapes import (
    BuildQueue,
    BuildRepository,
    DefinitionReference,
    QueueGiven,
)
from local.azure.devops.contracts import Date, ReadOnly, Unread
from local.azure.devops.enumerations import (
    BuildQueryOrder,
    BuildReason,
    BuildResult,
    BuildStatus,
    QueryDeletedOption,
    QueuePriority,
)
from local.azure.devops.shapes import IdentityRef, Links, TeamProjectReference
from local.azure.devops.variables import Variables


class Artifact(TypedDict):
    """An artifact: a name, and where its files are."""

    id: int
    name: str
    source: str
    resource: dict[str, Unread]


class BuildRecord(TypedDict):
    """A build as it is stored; texts are empty for what has not happened.

    `variables` are the definition's when it was queued, `secrets` those of them that were set then;
    `cancelled` is the time at which a cancellation was asked for; `sent`: whether an agent has it.
    """

    id: int
    project: str
    definition: DefinitionReference
    buildNumber: str
    buildNumberRevision: int
    status: str
    result: str
    queueTime: str
    startTime: str
    finishTime: str
    changed: str
    cancelled: str
    sourceBranch: str
    sourceVersion: str
    reason: str
    priority: str
    keepForever: bool
    parameters: str
    templateParameters: dict[str, Any]
    secrets: dict[str, str]
    variables: Variables
    variableGroups: list[int]
    triggerInfo: dict[str, str]
    demands: list[str]
    tags: list[str]
    properties: dict[str, Any]
    artifacts: list[Artifact]
    repository: BuildRepository
    plan: str
    job: str
    sent: bool


class PlanReference(TypedDict):
    """The plan of a build."""

    planId: str


class BuildLogReference(TypedDict):
    """The logs of a build as a whole."""

    id: int
    type: str
    url: str


class _Build(TypedDict):
    _links: Links
    properties: dict[str, Unread]
    tags: list[str]
    validationResults: list[Unread]
    plans: list[PlanReference]
    triggerInfo: dict[str, str]
    id: int
    buildNumber: str
    buildNumberRevision: int
    status: BuildStatus
    queueTime: Date
    url: str
    definition: DefinitionReference
    project: TeamProjectReference
    uri: str
    sourceBranch: str
    sourceVersion: str
    queue: BuildQueue
    priority: QueuePriority
    reason: BuildReason
    requestedFor: IdentityRef
    requestedBy: IdentityRef
    lastChangedDate: Date
    lastChangedBy: IdentityRef
    orchestrationPlan: PlanReference
    logs: BuildLogReference
    repository: BuildRepository
    keepForever: bool
    retainedByRelease: bool
    triggeredByBuild: Unread
    appendCommitMessageToRunName: bool


class Build(_Build, total=False):
    """A build."""

    result: BuildResult
    startTime: Date
    finishTime: Date
    parameters: str
    templateParameters: dict[str, Unread]
    demands: list[str]


class DefinitionGiven(TypedDict, total=False):
    """The definition in the body that queues a build: by its id; clients send all they know."""

    id: int
    name: ReadOnly
    path: ReadOnly
    project: ReadOnly
    queueStatus: ReadOnly
    revision: ReadOnly
    type: ReadOnly
    uri: ReadOnly
    url: ReadOnly
    _links: ReadOnly
    authoredBy: ReadOnly
    drafts: ReadOnly
    quality: ReadOnly
    queue: ReadOnly
    createdDate: ReadOnly
    description: ReadOnly
    jobAuthorizationScope: ReadOnly
    process: ReadOnly
    properties: ReadOnly
    repository: ReadOnly
    tags: ReadOnly
    triggers: ReadOnly
    variables: ReadOnly
    variableGroups: ReadOnly
    options: ReadOnly
    demands: ReadOnly
    retentionRules: ReadOnly
    comment: ReadOnly


class _NewBuild(TypedDict):
    definition: DefinitionGiven


class NewBuild(_NewBuild, total=False):
    """The body that queues a build."""

    sourceBranch: str
    sourceVersion: str
    reason: BuildReason
    priority: QueuePriority
    parameters: str
    templateParameters: dict[str, Unread]
    triggerInfo: dict[str, str]
    demands: list[Unread]
    tags: list[str]
    queue: QueueGiven
    project: ReadOnly
    keepForever: bool


class ChangedBuild(TypedDict, total=False):
    """The body that changes a build."""

    status: BuildStatus
    result: BuildResult
    buildNumber: str
    keepForever: bool
    priority: QueuePriority
    sourceBranch: str
    sourceVersion: str
    id: ReadOnly
    definition: ReadOnly
    project: ReadOnly
    uri: ReadOnly
    url: ReadOnly
    _links: ReadOnly


class QueueQuery(TypedDict, total=False):
    """How a build is queued; nothing is validated that could give warnings."""

    ignoreWarnings: bool
    definitionId: int


BuildsQuery = TypedDict(
    "BuildsQuery",
    {
        "definitions": list[int],
        "queues": list[int],
        "buildNumber": str,
        "minTime": str,
        "maxTime": str,
        "requestedFor": str,
        "reasonFilter": list[BuildReason],
        "statusFilter": list[BuildStatus],
        "resultFilter": list[BuildResult],
        "tagFilters": list[str],
        "$top": int,
        "continuationToken": int,
        "maxBuildsPerDefinition": int,
        "deletedFilter": QueryDeletedOption,
        "queryOrder": BuildQueryOrder,
        "branchName": str,
        "buildIds": list[int],
        "repositoryId": str,
        "repositoryType": str,
    },
    total=False,
)
