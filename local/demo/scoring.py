"""What a client of Azure ML does itself: ask the deployed service about a part of each class."""

from __future__ import annotations

import contextlib
import ssl
from collections.abc import Iterator
from typing import Any

import httpx

# By the data's published rule: from 1995 on, new or good, of steel or carbon fiber is compliant.
PARTS = (
    ("good condition carbon fiber component manufactured in 2010", 0),
    ("manufactured in 1980 made of plastic in poor condition", 1),
)
AUTHORITY = "https://login.microsoftonline.com"
MODEL_MANAGEMENT = "https://eastus.api.azureml.ms/modelmanagement/v1.0"
RESOURCE_MANAGER = "https://management.azure.com"
API_VERSION = {"api-version": "2024-10-01"}


def score(azure: dict[str, str], service: str, sdk: str) -> list[dict[str, Any]]:
    """Score both parts at the service's own address.

    Args:
        azure: the local Azure's environment file as a mapping.
        service: the name of the web service (v1) or online endpoint (v2).
        sdk: v1 or v2.

    Returns:
        One row per part: ``text``, ``expected``, ``label`` and ``score`` (probability of class 1).

    Raises:
        httpx.HTTPError: the service or the local Azure did not answer with success.
    """
    with client_of(azure) as client:
        endpoint, key = locate(client, azure, service, sdk)
        answer = client.post(
            endpoint,
            json={"data": [text for text, _ in PARTS]},
            headers={"Authorization": f"Bearer {key}"},
        )
        answer.raise_for_status()
        body = answer.json()
    rows = zip(PARTS, body["predictions"], body["scores"], strict=True)
    return [
        {"text": text, "expected": expected, "label": int(label), "score": float(value)}
        for (text, expected), label, value in rows
    ]


@contextlib.contextmanager
def client_of(azure: dict[str, str]) -> Iterator[httpx.Client]:
    """A client that reaches the local Azure alone."""
    trust = ssl.create_default_context(cafile=azure["SSL_CERT_FILE"])
    with httpx.Client(
        proxy=azure["HTTPS_PROXY"], verify=trust, trust_env=False, timeout=60
    ) as client:
        yield client


def locate(client: httpx.Client, azure: dict[str, str], service: str, sdk: str) -> tuple[str, str]:
    """Return the service's scoring address and its primary key."""
    headers = {"Authorization": f"Bearer {token(client, azure)}"}
    if sdk == "v1":
        url = f"{MODEL_MANAGEMENT}{scope(azure)}/services/{service}"
        found = client.get(url, headers=headers, params={"expand": "true"})
        found.raise_for_status()
        keys = client.post(f"{url}/listkeys", headers=headers)
        keys.raise_for_status()
        return str(found.json()["scoringUri"]), str(keys.json()["primaryKey"])
    url = f"{RESOURCE_MANAGER}{scope(azure)}/onlineEndpoints/{service}"
    found = client.get(url, headers=headers, params=API_VERSION)
    found.raise_for_status()
    keys = client.post(f"{url}/listKeys", headers=headers, params=API_VERSION)
    keys.raise_for_status()
    return str(found.json()["properties"]["scoringUri"]), str(keys.json()["primaryKey"])


def token(client: httpx.Client, azure: dict[str, str]) -> str:
    """An access token for Resource Manager and the data plane."""
    answer = client.post(
        f"{AUTHORITY}/{azure['AZURE_TENANT_ID']}/oauth2/v2.0/token",
        data={
            "grant_type": "client_credentials",
            "client_id": azure["AZURE_CLIENT_ID"],
            "client_secret": azure["AZURE_CLIENT_SECRET"],
            "scope": f"{RESOURCE_MANAGER}/.default",
        },
    )
    answer.raise_for_status()
    return str(answer.json()["access_token"])


def scope(azure: dict[str, str]) -> str:
    """The workspace's path in Resource Manager."""
    return (
        f"/subscriptions/{azure['AML_SUBSCRIPTION_ID']}"
        f"/resourceGroups/{azure['AML_RESOURCE_GROUP']}"
        "/providers/Microsoft.MachineLearningServices"
        f"/workspaces/{azure['AML_WORKSPACE_NAME']}"
    )
