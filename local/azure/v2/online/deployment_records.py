"""Deployments of online endpoints as they are kept, and the states that they go through.

Shapes: Microsoft.MachineLearningServices 2024-10-01, onlineEndpoints/deployments.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import NotRequired, TypedDict

from local.azure.kernel.cloud import Cloud
from local.azure.kernel.tables import Table
from local.azure.serving.deployments import RevisionRecord
from local.azure.v2.online.collecting import DataCollector
from local.azure.v2.operations import Failure


class CodeConfiguration(TypedDict):
    """The code asset of a deployment, and the script in it that answers calls."""

    codeId: str
    scoringScript: str


class ScaleSettings(TypedDict):
    """How the number of instances is set."""

    scaleType: str


class Probe(TypedDict):
    """How a container is asked whether it is ready or alive. Durations: ISO 8601."""

    initialDelay: str
    period: str
    timeout: str
    successThreshold: int
    failureThreshold: int


class RequestSettings(TypedDict):
    """How calls are passed on. Durations: ISO 8601."""

    maxConcurrentRequestsPerInstance: int
    maxQueueWait: str
    requestTimeout: str


class Properties(TypedDict):
    """The properties of a deployment. Others are kept and shown as they were sent."""

    description: str | None
    model: str | None
    environmentId: str | None
    codeConfiguration: CodeConfiguration | None
    environmentVariables: dict[str, str]
    properties: dict[str, str]
    scaleSettings: ScaleSettings
    endpointComputeType: str
    instanceType: NotRequired[str]
    dataCollector: NotRequired[DataCollector | None]
    livenessProbe: Probe
    readinessProbe: Probe
    requestSettings: RequestSettings


class Sku(TypedDict, total=False):
    """How many instances there are: capacity."""

    name: str
    tier: str
    capacity: int


class Progress(TypedDict):
    """What goes on with a deployment. until: seconds since the epoch; operation: the last one."""

    state: str
    until: float | None
    operation: str
    status_url: str


class Deployment(Progress, TypedDict):
    """A deployment of an endpoint."""

    endpoint: str
    name: str
    location: str
    tags: dict[str, str]
    identity: Mapping[str, object] | None
    kind: str
    sku: Sku
    properties: Properties
    error: Failure | None
    revision: RevisionRecord | None
    created: str
    modified: str


DEPLOYMENTS: Table[Deployment] = Table("online-deployment")


def key_of(endpoint: str, deployment: str) -> str:
    """The key of a deployment's record and of its process."""
    return f"{endpoint}/{deployment}".lower()


def record_of(cloud: Cloud, endpoint: str, deployment: str) -> Deployment | None:
    """The record of a deployment, or None. One whose deletion is over goes."""
    key = key_of(endpoint, deployment)
    found = DEPLOYMENTS.get(cloud, key)
    if found and found["state"] == "Deleting" and time.time() >= (found["until"] or 0):
        DEPLOYMENTS.delete(cloud, key)
        return None
    return found


def deployments_of(cloud: Cloud, endpoint: str) -> list[Deployment]:
    """The records of the deployments of an endpoint, oldest first."""
    names = [one["name"] for one in DEPLOYMENTS.list(cloud, f"{endpoint.lower()}/")]
    return [found for name in names if (found := record_of(cloud, endpoint, name))]


def keep(cloud: Cloud, record: Deployment) -> None:
    """Create or replace the record of a deployment."""
    DEPLOYMENTS.put(cloud, key_of(record["endpoint"], record["name"]), record)


def state_of(record: Deployment) -> str:
    """The state as the service shows it; a change without a new process takes its time too."""
    if record["state"] == "Succeeded" and time.time() < (record["until"] or 0):
        return "Updating"
    return record["state"]


def place_of(record: Deployment) -> str:
    """The folder of a deployment below that of all services. No name of a v1 service is such."""
    return f"@online/{key_of(record['endpoint'], record['name'])}"
