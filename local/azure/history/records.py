"""Run history's documents as they are kept. Shapes: RunDto, ExperimentDto and ArtifactDto.

Source: azureml._restclient.models. Times are written as Azure ML's services write them, in UTC.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NotRequired, TypedDict

from local.azure.kernel.tables import Table


class Person(TypedDict):
    """Who made something."""

    userObjectId: str
    userTenantId: str
    userName: str


class ErrorBody(TypedDict, total=False):
    """What went wrong, in the service's words."""

    code: str
    message: str
    messageParameters: Mapping[str, object]
    details: list[object]
    innerError: object


class RunError(TypedDict, total=False):
    """Why a run failed."""

    error: ErrorBody
    correlation: Mapping[str, str]
    environment: str
    location: str
    time: str


class RunWarning(TypedDict):
    """What the code of a run warned of."""

    source: str | None
    message: str | None


class RunChange(TypedDict, total=False):
    """What may change of a run, by the names of RunDto."""

    name: str | None
    displayName: str
    description: str | None
    hidden: bool
    userId: str
    token: str | None
    tokenExpiryTimeUtc: str | None
    status: str
    startTimeUtc: str | None
    endTimeUtc: str | None
    heartbeatEnabled: bool
    options: object
    dataContainerId: str
    parentRunId: str | None
    runType: str | None
    runTypeV2: object
    scriptName: str | None
    target: str | None
    tags: dict[str, str | None]
    properties: dict[str, str | None]
    parameters: dict[str, str]
    runDefinition: Mapping[str, object] | None
    createdFrom: object
    cancelUri: str | None
    completeUri: str | None
    diagnosticsUri: str | None
    error: RunError | None
    warnings: list[RunWarning] | None


class Run(RunChange, TypedDict):
    """A run. Whatever else a client sends is kept and given back unread."""

    runId: str
    runNumber: int
    runUuid: str
    rootRunId: str
    rootRunUuid: str
    parentRunUuid: str | None
    experimentId: str
    experimentName: str
    createdUtc: str
    createdBy: Person
    lastModifiedUtc: str


class Experiment(TypedDict):
    """A folder of runs."""

    experimentId: str
    name: str
    description: str | None
    createdUtc: str
    archivedTime: str | None
    tags: dict[str, str | None]


class ExperimentName(TypedDict):
    """The name of an experiment, kept by its id."""

    name: str


class DataPath(TypedDict):
    """Where a file lies in a datastore."""

    dataStoreName: str
    relativePath: str


class Artifact(TypedDict):
    """A file of a run or an upload. artifactId: <origin>/<container>/<path>."""

    artifactId: str
    origin: str
    container: str
    path: str
    etag: None
    createdTime: str
    dataPath: DataPath


class Row(TypedDict):
    """A value of a metric. data: numbers, texts and lists by column."""

    createdUtc: str
    data: Mapping[str, object] | None
    step: NotRequired[int | None]
    metricId: NotRequired[str | None]


class Rows(TypedDict):
    """The values that were logged to a metric at once."""

    values: list[Row]


class Metric(TypedDict):
    """A metric of a run. columns: the type of each."""

    name: str
    columns: dict[str, str]
    properties: object


class Latest(TypedDict):
    """The value of a metric with the highest step, and of those the last."""

    value: float
    time: str
    step: int


class LatestOfRun(TypedDict, total=False):
    """The latest value of each metric of a run; None: the metric is a table."""

    metrics: dict[str, Latest | None]


class Snapshot(TypedDict):
    """A source folder. root: its tree as the client sent it; files: a SHA-256 digest by name."""

    id: str
    root: Mapping[str, object]
    files: dict[str, str]


RUNS: Table[Run] = Table("run")
EXPERIMENTS: Table[Experiment] = Table("experiment")
EXPERIMENT_IDS: Table[ExperimentName] = Table("experiment-id")
ARTIFACTS: Table[Artifact] = Table("artifact")
METRICS: Table[Metric] = Table("metric")
METRIC_ROWS: Table[Rows] = Table("metric-values")
LATEST: Table[LatestOfRun] = Table("metric-latest")
SNAPSHOTS: Table[Snapshot] = Table("snapshot")
