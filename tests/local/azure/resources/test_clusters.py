"""What a cluster may be asked to be: defaults, bounds, and nothing secret kept."""

from __future__ import annotations

from dataclasses import replace

import pytest

from local.azure.kernel.fault_state import Faults
from local.azure.kernel.faults import parse
from local.azure.kernel.http import ServiceError
from local.azure.resources.clusters import aks, aml_compute, kubernetes, short_of_cores

ONE = {"maxNodeCount": 1}


def test_a_cluster_has_the_services_defaults():
    found = aml_compute({"scaleSettings": ONE})
    assert (found["vmSize"], found["vmPriority"]) == ("STANDARD_DS3_V2", "Dedicated")
    assert found["scaleSettings"] == {
        "minNodeCount": 0,
        "maxNodeCount": 1,
        "nodeIdleTimeBeforeScaleDown": "PT120S",
    }
    assert found["enableNodePublicIp"] is True


def test_priority_is_read_in_any_case():
    assert aml_compute({"vmPriority": "lowPRIORITY", "scaleSettings": ONE})["vmPriority"] == (
        "LowPriority"
    )


@pytest.mark.parametrize(
    ("asked", "code"),
    [
        ({"vmPriority": "cheap"}, "BadRequest"),
        ({"vmSize": "Standard_Nothing"}, "InvalidVmSize"),
        ({"scaleSettings": {}}, "ValidationError"),
        ({"scaleSettings": {"maxNodeCount": 0}}, "InvalidScaleSettings"),
        ({"scaleSettings": {"maxNodeCount": 1, "minNodeCount": 2}}, "InvalidScaleSettings"),
        ({"scaleSettings": {"maxNodeCount": 1, "minNodeCount": -1}}, "InvalidScaleSettings"),
        ({"scaleSettings": {"maxNodeCount": "many"}}, "BadRequest"),
    ],
)
def test_what_cannot_be_is_refused(asked, code):
    with pytest.raises(ServiceError) as refused:
        aml_compute({"scaleSettings": ONE, **asked})
    assert (refused.value.status, refused.value.code) == (400, code)


def test_passwords_and_private_keys_are_not_kept():
    account = {"adminUserName": "me", "adminUserPassword": "hunter22"}
    kept = aml_compute({"scaleSettings": ONE, "userAccountCredentials": account})
    tls = {"sslConfiguration": {"status": "Enabled", "key": "hunter22", "cert": "public"}}
    inference = aks("a", "eastus", {"properties": tls})
    assert "hunter22" not in str((kept, inference))
    assert "public" in str(inference)


@pytest.mark.parametrize(("purpose", "nodes"), [("DevTest", 1), ("FastProd", 3)])
def test_an_inference_cluster_has_as_many_nodes_as_its_purpose_needs(purpose, nodes):
    found = aks("My-AKS", "eastus", {"properties": {"clusterPurpose": purpose}})
    assert found["agentCount"] == nodes
    assert found["clusterFqdn"] == "my-aks.eastus.cloudapp.azure.com"


def test_an_attached_cluster_names_what_it_is():
    found = kubernetes({"resourceId": "/subscriptions/x", "properties": {"namespace": "ml"}})
    assert (found["namespace"], found["defaultInstanceType"]) == ("ml", "defaultinstancetype")
    with pytest.raises(ServiceError):
        kubernetes({"properties": {}})


@pytest.mark.parametrize(
    ("least", "quota", "ends"), [(0, 4, None), (1, 4, None), (2, 4, "ClusterCoreQuotaReached")]
)
def test_quota_is_looked_at_for_the_least_number_of_nodes(fresh_azure, least, quota, ends):
    cloud = replace(fresh_azure, faults=Faults([parse(f"quota={quota}")]))
    scale = {"maxNodeCount": 4, "minNodeCount": least}
    error = short_of_cores(cloud, aml_compute({"scaleSettings": scale}))
    assert (error and error["code"]) == ends


def test_a_node_that_can_never_be_is_refused_at_once(fresh_azure):
    cloud = replace(fresh_azure, faults=Faults([parse("quota=3")]))
    with pytest.raises(ServiceError, match="total vCPU quota of 3"):
        short_of_cores(cloud, aml_compute({"scaleSettings": ONE}))
