"""The data collector of a deployment: what its settings ask for.

Shapes: Microsoft.MachineLearningServices 2024-10-01, DataCollector and Collection.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypedDict

from local.azure.kernel.bodies import Object, anything, map_of, number, one_of, text
from local.azure.kernel.cloud import Cloud
from local.azure.kernel.http import ServiceError
from local.azure.serving.data_collector import Config
from local.azure.storage import datastores
from local.azure.v2.assets import uris

# What the service itself logs of each call, without the container's help.
_OF_THE_SERVICE = ("request", "response")
_FOLDER = "modelDataCollector"

DATA_COLLECTOR = Object(
    name="DataCollector",
    members={
        "collections": map_of(
            Object(
                name="Collection",
                members={
                    "clientId": text,
                    "dataCollectionMode": one_of("Enabled", "Disabled"),
                    "dataId": text,
                    "samplingRate": number,
                },
            )
        ),
        "requestLogging": Object(name="RequestLogging", members={"captureHeaders": anything}),
        "rollingRate": one_of("Year", "Month", "Day", "Hour", "Minute"),
    },
    required=("collections",),
)


class Collection(TypedDict, total=False):
    """A collection. samplingRate: 0 to 1."""

    clientId: str | None
    dataCollectionMode: str
    dataId: str | None
    samplingRate: float | None


class RequestLogging(TypedDict, total=False):
    """The headers of a call that are logged too."""

    captureHeaders: list[str] | None


class DataCollector(TypedDict, total=False):
    """What is collected, and how often a new blob begins."""

    collections: Mapping[str, Collection]
    requestLogging: RequestLogging | None
    rollingRate: str | None


def config(
    cloud: Cloud, asked: DataCollector | None, endpoint: str, deployment: str
) -> Config | None:
    """What a container is to collect; None for nothing. Raises ServiceError."""
    if not asked:
        return None
    _check(asked)
    folder = f"{_FOLDER}/{endpoint}/{deployment}"
    root = uris.datastore_uri(cloud, datastores.DEFAULT, folder)
    return {
        "runMode": "cloud",
        "collections": {
            name: {
                "enabled": one.get("dataCollectionMode", "").lower() == "enabled",
                "sampleRatePercentage": _rate(name, one) * 100,
                "folder": str(uris.locate(cloud, one.get("dataId") or f"{root}/{name}")),
            }
            for name, one in asked["collections"].items()
        },
        "source": f"{cloud.workspace_scope}/onlineEndpoints/{endpoint}/deployments/{deployment}",
    }


def _check(asked: DataCollector) -> None:
    strange = [
        *(f"the collection '{n}'" for n in asked["collections"] if n.lower() in _OF_THE_SERVICE),
        *(
            f"'clientId' of the collection '{name}'"
            for name, one in asked["collections"].items()
            if one.get("clientId")
        ),
    ]
    if (asked.get("requestLogging") or {}).get("captureHeaders"):
        strange.append("'captureHeaders'")
    if (asked.get("rollingRate") or "Hour").lower() != "hour":
        strange.append(f"the rolling rate '{asked.get('rollingRate')}'")
    if strange:
        raise ServiceError(
            501,
            "NotImplemented",
            f"The local Azure's data collector does not support {', '.join(strange)}. It collects "
            "what the scoring script logs, with a new blob each hour.",
        )


def _rate(name: str, one: Collection) -> float:
    given = one.get("samplingRate")
    rate = 1.0 if given is None else float(given)
    if not 0 <= rate <= 1:
        raise ServiceError(
            400, "UserError", f"The sampling rate of the collection '{name}' must be 0 to 1."
        )
    return rate
