"""The pipeline service's documents as they are kept.

Shapes: azureml.pipeline.core._restclients.aeva.models, whose names are in PascalCase. What else a
client sends is kept and given back unread.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NotRequired, TypedDict, TypeVar

from local.azure.kernel.cloud import Cloud
from local.azure.kernel.http import ServiceError
from local.azure.kernel.tables import Table

T = TypeVar("T")


class Entity(TypedDict):
    """What every entity of the service has. EntityStatus: a number of STATES."""

    EntityStatus: str
    CreatedDate: str
    LastModifiedDate: str


class DataType(Entity, TypedDict):
    """A type of the data that steps hand on."""

    Id: str
    Name: str
    Description: str
    IsDirectory: bool
    ParentDataTypeIds: list[str]


class Module(Entity, TypedDict):
    """A step's code and interface. StructuredInterface: as the client sent it."""

    Id: str
    Name: str
    StructuredInterface: Mapping[str, Any]
    UploadState: str
    DataLocation: Mapping[str, object]


class BlobReference(TypedDict):
    """A path in a blob container."""

    Container: str
    Account: str
    Uri: str
    RelativePath: str
    AmlDataStoreName: str


class DataReference(TypedDict):
    """Where data lies. Type: a number of the service's enumeration."""

    Type: str
    AzureBlobReference: BlobReference


class DataLocation(TypedDict):
    """A data reference with its kind of storage."""

    StorageType: str
    DataReference: DataReference


class DataSource(Entity, TypedDict):
    """A path on a datastore."""

    Id: str
    UploadState: str
    DataLocation: DataLocation


class Graph(TypedDict):
    """A graph and its parameters, as the client sent them: graph.py reads them."""

    graph: Mapping[str, Any]
    interface: Mapping[str, Any]


class OutputPath(TypedDict):
    """Where an output of a step lies."""

    datastore: str
    path: str


class NodeState(TypedDict, total=False):
    """A node of a pipeline run that was reached."""

    status: str
    run_id: str
    outputs: dict[str, OutputPath]
    started: str
    ended: str


class PipelineRun(TypedDict):
    """A pipeline run. parameters, data_paths: what the caller assigned, by name."""

    id: str
    graph_id: str
    experiment: str
    experiment_id: NotRequired[str]
    description: str | None
    parameters: dict[str, str]
    data_paths: dict[str, Mapping[str, str | None]]
    continue_on_failure: bool
    pipeline_id: str | None
    source: str
    type: str
    tags: dict[str, str | None]
    properties: dict[str, str | None]
    submitted: bool
    status: str
    detail: str
    created: str
    ended: str | None
    nodes: dict[str, NodeState]


class PublishedPipeline(Entity, TypedDict):
    """A graph that is kept under an id and run again with other parameters."""

    Id: str
    Name: str
    Description: str | None
    Version: str | None
    GraphId: str
    TotalRunSteps: int
    ParameterAssignments: dict[str, str]
    DataSetDefinitionValueAssignments: Mapping[str, object]
    Url: str
    ContinueRunOnStepFailure: bool
    EnableNotification: bool
    Properties: Mapping[str, object]


class EndpointVersion(TypedDict):
    """A published pipeline as a version of an endpoint."""

    PipelineId: str
    Version: str


class PipelineEndpoint(Entity, TypedDict):
    """One name and address for the versions of a published pipeline."""

    Id: str
    Name: str
    Description: str | None
    DefaultVersion: str
    PipelineVersionList: list[EndpointVersion]
    Url: str
    Properties: Mapping[str, object]
    tags: Mapping[str, str]


DATA_TYPES: Table[DataType] = Table("datatype")
MODULES: Table[Module] = Table("module")
DATA_SOURCES: Table[DataSource] = Table("datasource")
GRAPHS: Table[Graph] = Table("graph")
PIPELINE_RUNS: Table[PipelineRun] = Table("pipelinerun")
PUBLISHED: Table[PublishedPipeline] = Table("publishedpipeline")
ENDPOINTS: Table[PipelineEndpoint] = Table("pipelineendpoint")


def found(cloud: Cloud, table: Table[T], key: str) -> T:
    """A document of the service. Raises ServiceError 404."""
    document = table.get(cloud, key)
    if document is None:
        raise ServiceError(404, "NotFound", f"There is no {table.kind} '{key}' in the workspace.")
    return document
