"""What MLflow sends and reads. Protocol: MLflow's REST API 2.0 (mlflow.org/docs, "REST API")."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NotRequired, TypedDict


class Pair(TypedDict):
    """A tag or a parameter."""

    key: str
    value: str


class Given(TypedDict, total=False):
    """A tag, a parameter or a value of a metric as a client sends it. timestamp: in ms."""

    key: str
    value: object
    timestamp: object
    step: int


class Dataset(TypedDict, total=False):
    """A data set."""

    name: str
    digest: str


class DatasetInput(TypedDict):
    """A data set that a run used."""

    dataset: Dataset


class Inputs(TypedDict):
    """The inputs of a run, by its id."""

    datasets: list[DatasetInput]


class ShownMetric(TypedDict):
    """A value of a metric. timestamp: in ms; value: text where it is not finite."""

    key: str
    value: float | str
    timestamp: int | None
    step: int


class RunData(TypedDict):
    """What was logged to a run: the latest value of each metric."""

    metrics: list[ShownMetric]
    params: list[Pair]
    tags: list[Pair]


class ShownRun(TypedDict):
    """A run as MLflow has it."""

    info: Mapping[str, object]
    data: RunData
    inputs: Mapping[str, Sequence[DatasetInput]]


class ShownExperiment(TypedDict):
    """An experiment as MLflow has it. Times are in ms."""

    experiment_id: str
    name: str
    artifact_location: str
    lifecycle_stage: str
    creation_time: int | None
    last_update_time: int | None
    tags: list[Pair]


class Entry(TypedDict):
    """A file or a folder. file_size: in bytes."""

    path: str
    is_dir: bool
    file_size: NotRequired[int]
