"""Web services of v1 as they are kept. Shapes: azureml.core.webservice (aks.py, aci.py)."""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from typing import NotRequired, TypedDict

from local.azure.kernel.cloud import Cloud
from local.azure.kernel.tables import Table
from local.azure.registry.environments import Definition
from local.azure.registry.model_records import Model, uses_models
from local.azure.serving.deployments import RevisionRecord, SourceAsset


class ImageRequest(TypedDict, total=False):
    """What a service is made of. modelIds: name:version; driverProgram: the entry script."""

    modelIds: list[str]
    environment: Definition
    assets: list[SourceAsset]
    driverProgram: str


class Service(TypedDict):
    """A service as its request described it. Other members are kept and given back unread."""

    id: str
    name: str
    computeType: str
    description: str
    kvTags: dict[str, str]
    properties: dict[str, str]
    createdTime: str
    updatedTime: str
    authEnabled: bool
    aadAuthEnabled: NotRequired[bool]
    scoringTimeoutMs: NotRequired[float]
    location: str
    scoringUri: str | None
    swaggerUri: str
    models: list[Model]
    environmentImageRequest: ImageRequest


class FailureDetail(TypedDict):
    """The reason for a failure."""

    code: str
    message: str


class Failure(TypedDict):
    """Why the last deployment of a service failed. statusCode: an HTTP status."""

    code: str
    statusCode: int
    message: str
    details: Sequence[FailureDetail]


class Keys(TypedDict):
    """What a caller of a service shows."""

    primaryKey: str
    secondaryKey: str


def new_keys(given: Mapping[str, str | None] | None) -> Keys:
    """The keys that were given, and new ones for the rest."""
    known = given or {}
    return {
        "primaryKey": known.get("primaryKey") or secrets.token_urlsafe(24),
        "secondaryKey": known.get("secondaryKey") or secrets.token_urlsafe(24),
    }


def set_key(keys: Keys, which: str, value: str) -> None:
    """Replace a key. which: its member."""
    if which == "primaryKey":
        keys["primaryKey"] = value
    else:
        keys["secondaryKey"] = value


class ServiceRecord(TypedDict):
    """A service with what runs for it. settled: nothing is being rolled out."""

    service: Service
    keys: Keys
    revision: RevisionRecord | None
    operation: str | None
    settled: bool
    error: Failure | None


class ServiceView(Service, TypedDict):
    """A service as the SDK reads it, with its state."""

    state: str
    error: Failure | None
    operationId: str | None
    deploymentStatus: Mapping[str, object]


SERVICES: Table[ServiceRecord] = Table("service")


@uses_models
def service_of_model(cloud: Cloud, model_id: str) -> str | None:
    """The name of a service that uses a model, or None."""
    for record in SERVICES.list(cloud):
        if any(model["id"] == model_id for model in record["service"]["models"]):
            return record["service"]["name"]
    return None
