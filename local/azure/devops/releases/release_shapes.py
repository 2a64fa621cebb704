"""Releases as they are stored, sent and shown."""

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
    ReleaseReason,
    ReleaseStatus,
)
from local.azure.devops.releases.definition_shapes import ArtifactBody, ReleaseDefinitionReference
from local.azure.devops.shapes import IdentityRef, Links, ProjectName
from local.azure.devops.variables import Variables

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
