"""AmlCompute and AKS targets through azureml-core."""

from __future__ import annotations

import time

import pytest

from tests.local.azure.conftest import provisioned


@pytest.fixture(scope="module")
def compute():
    """azureml.core.compute, imported late: conftest keeps the import's warnings away."""
    from azureml.core import compute

    return compute


@pytest.fixture(scope="module")
def errors():
    from azureml.core.compute_target import ComputeTargetException

    return ComputeTargetException


def create(compute, workspace, name, **settings):
    config = compute.AmlCompute.provisioning_configuration(
        **{"vm_size": "STANDARD_DS3_V2", "max_nodes": 4, **settings}
    )
    return compute.ComputeTarget.create(workspace, name, config)


def test_a_cluster_is_created_found_changed_listed_and_deleted(aml_workspace, compute, errors):
    with pytest.raises(errors, match="ComputeTargetNotFound"):
        compute.ComputeTarget(aml_workspace, "cpu-cluster")

    created = create(
        compute,
        aml_workspace,
        "cpu-cluster",
        min_nodes=1,
        idle_seconds_before_scaledown=1800,
        vm_priority="lowpriority",
        tags={"owner": "me"},
        description="for tests",
    )
    assert created.provisioning_state == "Creating"
    assert created.get_status() is None
    provisioned(created)

    found = compute.ComputeTarget(aml_workspace, "cpu-cluster")
    assert isinstance(found, compute.AmlCompute)
    assert found.provisioning_state == "Succeeded"
    assert found.vm_size == "STANDARD_DS3_V2"
    assert found.vm_priority == "LowPriority"
    assert found.tags == {"owner": "me"}
    assert found.description == "for tests"
    status = found.get_status()
    assert status.allocation_state == "Steady"
    assert status.current_node_count == 1
    assert found.scale_settings.minimum_node_count == 1
    assert found.scale_settings.maximum_node_count == 4
    assert found.scale_settings.idle_seconds_before_scaledown == 1800

    found.update(max_nodes=6)
    assert (
        compute.ComputeTarget(aml_workspace, "cpu-cluster").scale_settings.maximum_node_count == 6
    )
    found.refresh_state()
    assert found.provisioning_state == "Updating"
    while found.provisioning_state == "Updating":
        time.sleep(0.2)
        found.refresh_state()
    assert "cpu-cluster" in aml_workspace.compute_targets

    nodes = found.list_nodes()
    assert len(nodes) == found.get_status().current_node_count
    found.delete()
    found.wait_for_completion(is_delete_operation=True)
    assert "cpu-cluster" not in aml_workspace.compute_targets


def test_an_unknown_vm_size_is_refused(aml_workspace, compute, errors):
    with pytest.raises(errors, match=r"VM size .*STANDARD_NOPE.* is not supported"):
        create(compute, aml_workspace, "bad-size", vm_size="STANDARD_NOPE")
    assert "bad-size" not in aml_workspace.compute_targets


def test_an_unknown_region_is_refused(aml_workspace, compute, errors):
    with pytest.raises(errors, match=r"location .*atlantis.* is not available"):
        create(compute, aml_workspace, "bad-place", location="atlantis")


def test_a_bad_name_is_refused(aml_workspace, compute, errors):
    with pytest.raises(errors, match=r"Compute name .*1-is_bad.* is invalid"):
        create(compute, aml_workspace, "1-is_bad")


def test_vm_sizes_are_listed(aml_workspace, compute):
    sizes = {size["name"]: size for size in compute.AmlCompute.supported_vmsizes(aml_workspace)}
    assert sizes["Standard_DS3_v2"]["vCPUs"] == 4


def test_an_aks_cluster_is_created_in_another_region_and_one_is_attached(
    aml_workspace, compute, errors
):
    with pytest.raises(errors, match="ComputeTargetNotFound"):
        compute.AksCompute(aml_workspace, "my-aks")
    config = compute.AksCompute.provisioning_configuration(
        agent_count=1, vm_size="Standard_D3_v2", location="westeurope", cluster_purpose="DevTest"
    )
    created = compute.ComputeTarget.create(aml_workspace, "my-aks", config)
    attach = compute.AksCompute.attach_configuration(resource_group="rg", cluster_name="mine")
    attached = compute.ComputeTarget.attach(aml_workspace, "attached-aks", attach)
    created.wait_for_completion()
    assert created.provisioning_state == "Succeeded"
    assert created.cluster_location == "westeurope"
    assert created.agent_vm_size == "Standard_D3_v2"
    assert created.agent_count == 1
    assert created.cluster_purpose == "DevTest"
    assert attached.is_attached
    attached.wait_for_completion()
    with pytest.raises(errors, match="attached compute cannot be deleted"):
        attached.delete()
    attached.detach()


def put(azure_http, local_azure, name, body):
    return azure_http.put(
        f"https://management.azure.com{local_azure.scope}/computes/{name}", json=body
    )


def aml_compute(**inner):
    return {
        "location": "eastus",
        "properties": {
            "computeType": "AmlCompute",
            "properties": {"vmSize": "STANDARD_DS3_V2", **inner},
        },
    }


@pytest.mark.parametrize(
    ("scale", "code"),
    [
        ({"minNodeCount": 5, "maxNodeCount": 2}, "InvalidScaleSettings"),
        ({"minNodeCount": -1, "maxNodeCount": 2}, "InvalidScaleSettings"),
        ({"minNodeCount": 0, "maxNodeCount": 0}, "InvalidScaleSettings"),
        ({"minNodeCount": "x", "maxNodeCount": 0}, "BadRequest"),
        ({}, "ValidationError"),
    ],
)
def test_impossible_scale_settings_are_refused(azure_http, local_azure, scale, code):
    answer = put(azure_http, local_azure, "bad-scale", aml_compute(scaleSettings=scale))
    assert answer.status_code == 400
    assert answer.json()["error"]["code"] == code


def test_a_cluster_that_is_being_created_is_not_changed(azure_http, local_azure):
    body = aml_compute(scaleSettings={"maxNodeCount": 1})
    assert put(azure_http, local_azure, "twice", body).status_code == 201
    assert put(azure_http, local_azure, "twice", body).status_code == 409


def test_an_unknown_kind_of_compute_is_refused(azure_http, local_azure):
    body = {"location": "eastus", "properties": {"computeType": "Databricks"}}
    answer = put(azure_http, local_azure, "brick", body)
    assert answer.status_code == 400
    assert "no compute of type 'Databricks'" in answer.json()["error"]["message"]


def test_a_new_workspace_has_a_kubernetes_cluster_to_deploy_to(aml_workspace):
    cluster = aml_workspace.compute_targets["k8s-cluster"]
    assert (cluster.type, cluster.provisioning_state) == ("Kubernetes", "Succeeded")
