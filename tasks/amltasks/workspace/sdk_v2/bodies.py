"""The JSON bodies that the adapter reads, with the fields that it reads.

Sources: OpenAPI of Microsoft.MachineLearningServices 2024-10-01 (computes, jobs, models) and of run
history 1.0. Every field may be absent, as in those specifications.
"""

from __future__ import annotations

from typing import Any, TypedDict


class ScaleSettings(TypedDict, total=False):
    """How far a cluster grows; the idle time is an ISO 8601 duration."""

    minNodeCount: int
    maxNodeCount: int
    nodeIdleTimeBeforeScaleDown: str


class ClusterProperties(TypedDict, total=False):
    """What an AmlCompute has and other compute targets have not."""

    vmSize: str
    vmPriority: str
    scaleSettings: ScaleSettings | None
    currentNodeCount: int
    errors: Any


class ComputeProperties(TypedDict, total=False):
    """The part that all compute targets have."""

    computeType: str
    computeLocation: str
    provisioningState: str
    provisioningErrors: Any
    properties: ClusterProperties | None


class ComputeBody(TypedDict, total=False):
    """A compute target."""

    name: str
    location: str
    tags: dict[str, str] | None
    properties: ComputeProperties


class RunBody(TypedDict, total=False):
    """A run or a step in run history. Times are UTC, as ISO 8601."""

    runId: str
    name: str
    displayName: str
    experimentId: str
    status: str
    startTimeUtc: str
    endTimeUtc: str
    error: Any
    tags: dict[str, str] | None
    properties: dict[str, str] | None


class ArtifactBody(TypedDict, total=False):
    """An artifact of a run. ``contentUri`` is the signed address of its content."""

    path: str
    contentUri: str


class ModelProperties(TypedDict, total=False):
    """The properties of a model version; a container has ``nextVersion`` only."""

    originAssetId: str
    description: str
    jobName: str
    modelType: str
    tags: dict[str, str] | None
    nextVersion: str


class ModelBody(TypedDict, total=False):
    """A version of a model, or the model's container."""

    id: str
    name: str
    properties: ModelProperties
