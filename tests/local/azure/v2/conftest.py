"""The unmodified azure-ai-ml, pointed at a local Azure by environment variables only."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Mapping
from typing import Any

import pytest


@pytest.fixture(scope="module")
def ml_client(azure_variables: Mapping[str, str]) -> Any:
    with pytest.MonkeyPatch.context() as patch, warnings.catch_warnings():
        # azure-ai-ml marks much of itself as experimental when it is imported.
        warnings.simplefilter("ignore")
        # Read at the import: how often logs are asked for, in seconds (2 at least, if not set).
        patch.setenv("AZUREML_RUN_POLLING_INTERVAL_MIN", "1")
        from azure.ai.ml import MLClient
        from azure.identity import ClientSecretCredential
    logging.getLogger("azure.ai.ml").setLevel(logging.ERROR)
    credential = ClientSecretCredential(
        azure_variables["AZURE_TENANT_ID"],
        azure_variables["AZURE_CLIENT_ID"],
        azure_variables["AZURE_CLIENT_SECRET"],
    )
    return MLClient(
        credential,
        azure_variables["AML_SUBSCRIPTION_ID"],
        azure_variables["AML_RESOURCE_GROUP"],
        azure_variables["AML_WORKSPACE_NAME"],
        enable_telemetry=False,
    )


@pytest.fixture(scope="module")
def bare_python(ml_client: Any) -> Any:
    """An environment that needs nothing to be installed."""
    from azure.ai.ml.entities import Environment

    return Environment(name="bare-python", image="python")
