"""Where jobs run: which targets take them."""

from __future__ import annotations

import pytest

from local.azure.resources import compute
from local.azure.running.executor import cancel_uri, check_target
from tests.local.azure.conftest import asked


@pytest.fixture
def with_targets(fresh_azure):
    scale = {"maxNodeCount": 1}
    for name, kind, inner in (("cpu", "AmlCompute", {"scaleSettings": scale}), ("aks", "AKS", {})):
        body = {"location": "eastus", "properties": {"computeType": kind, "properties": inner}}
        compute.put_compute(fresh_azure, asked(body, name=name))
    return fresh_azure


def test_only_a_cluster_of_nodes_runs_jobs(with_targets):
    assert check_target(with_targets, "CPU") is None
    assert check_target(with_targets, "gone") == "Unknown compute target 'gone'."
    assert check_target(with_targets, "aks") == (
        "Compute target 'aks' is of type AKS, and only AmlCompute runs jobs."
    )


def test_a_run_is_canceled_at_an_address_of_its_own(fresh_azure):
    uri = cancel_uri(fresh_azure, "an experiment", "r")
    assert uri.startswith("https://eastus.api.azureml.ms/execution/v1.0/subscriptions/")
    assert uri.endswith("/experiments/an%20experiment/runs/r/cancel")
