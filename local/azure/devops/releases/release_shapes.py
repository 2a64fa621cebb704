"""Release definitions and releases as they are stored, sent and shown."""

from __future__ import annotations

from typing import Any, TypedDict

from local.azure.devops.contracts import Date, ReadOnly, Unread
from local.azure.devops.enumerations import (
    DeploymentOperationStatus,
    DeploymentReason,
    DeploymentStatus,
    DeployPhaseStatus,
    DeployPhaseTypes,
    EnvironmentStatus,
    ReleaseDefinitionSource,
    ReleaseReason,
    ReleaseStatus,
)
from local.azure.devops.shapes import (
    IdentityRef,
    Links,
    ProjectName,
    TeamProjectReference,
    Variables,
)

# --- definitions ----------------------------------------------------------------------------------


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


# --- releases -------------------------------------------------------------------------------------


class DeployPhase(TypedDict):
    """A phase of an attempt, with the plan of its job."""

    id: int
    name: str
    phaseType: DeployPhaseTypes
    rank: int
    runPlanId: str
    status: DeployPhaseStatus


class DeployStep(TypedDict):
    """An attempt at a stage."""

    id: int
    deploymentId: int
    attempt: int
    reason: DeploymentReason
    status: DeploymentStatus
    operationStatus: DeploymentOperationStatus
    hasStarted: bool
    queuedOn: Date
    comment: str
    releaseDeployPhases: list[DeployPhase]


class StageRecord(TypedDict):
    """A stage of a release as it is stored."""

    id: int
    definitionEnvironmentId: int
    name: str
    rank: int
    variables: Variables
    variableGroups: list[int]
    status: str
    modifiedOn: str
    deploySteps: list[DeployStep]
    conditions: list[dict[str, Any]]


class ReleaseRecord(TypedDict):
    """A release as it is stored; `sent`: whether an agent has it."""

    id: int
    project: str
    definition: ReleaseDefinitionReference
    definitionRevision: int
    name: str
    nameFormat: str
    description: str
    comment: str
    reason: str
    status: str
    keepForever: bool
    createdOn: str
    modifiedOn: str
    artifacts: list[ArtifactBody]
    variables: Variables
    variableGroups: list[int]
    environments: list[StageRecord]
    job: str
    demands: list[str]
    sent: bool


class InstanceReference(TypedDict, total=False):
    """The version of an artifact."""

    id: str
    name: str
    definitionId: str
    sourceBranch: str
    sourceVersion: str
    sourceRepositoryId: str
    sourceRepositoryType: str


class ArtifactVersion(TypedDict, total=False):
    """The version of an artifact that a release is created for."""

    alias: str
    instanceReference: InstanceReference


class ReleaseProperties(TypedDict, total=False):
    """Properties of a new release; `demands` is how the local agent asks for its own."""

    demands: list[str]


class StageMetadata(TypedDict, total=False):
    """Variables of one stage of a new release."""

    definitionEnvironmentId: int
    variables: Variables


class _NewRelease(TypedDict):
    definitionId: int


class NewRelease(_NewRelease, total=False):
    """The body that creates a release; all stages wait to be begun, so all are manual."""

    description: str
    artifacts: list[ArtifactVersion]
    isDraft: bool
    reason: ReleaseReason
    manualEnvironments: list[str]
    variables: Variables
    environmentsMetadata: list[StageMetadata]
    properties: ReleaseProperties
    createdFor: ReadOnly


class ChangedRelease(TypedDict, total=False):
    """The body that changes a release."""

    status: ReleaseStatus
    name: str
    description: str
    comment: str
    keepForever: bool
    manualEnvironments: list[str]


class ChangedStage(TypedDict, total=False):
    """The body that begins or ends a stage."""

    status: EnvironmentStatus
    comment: str
    variables: Variables


class ReleaseReference(TypedDict):
    """A release as its stages show it."""

    id: int
    name: str
    url: str
    _links: Links


class _Stage(TypedDict):
    id: int
    releaseId: int
    name: str
    status: EnvironmentStatus
    variables: Variables
    variableGroups: list[int]
    preDeployApprovals: list[Unread]
    postDeployApprovals: list[Unread]
    deploySteps: list[DeployStep]
    rank: int
    definitionEnvironmentId: int
    demands: list[Unread]
    conditions: list[dict[str, Unread]]
    workflowTasks: list[Unread]
    deployPhasesSnapshot: list[Unread]
    release: ReleaseReference
    releaseDefinition: ReleaseDefinitionReference
    releaseCreatedBy: IdentityRef


class Stage(_Stage, total=False):
    """A stage of a release."""

    modifiedOn: Date


class _Release(TypedDict):
    id: int
    name: str
    status: ReleaseStatus
    createdOn: Date
    modifiedOn: Date
    modifiedBy: IdentityRef
    createdBy: IdentityRef
    createdFor: IdentityRef
    variables: Variables
    variableGroups: list[int]
    releaseDefinition: ReleaseDefinitionReference
    description: str
    reason: ReleaseReason
    releaseNameFormat: str
    keepForever: bool
    definitionSnapshotRevision: int
    logsContainerUrl: str
    url: str
    _links: Links
    tags: list[str]
    projectReference: ProjectName
    properties: dict[str, Unread]


class Release(_Release, total=False):
    """A release; in lists without what `$expand` does not name."""

    environments: list[Stage]
    artifacts: list[ArtifactBody]
