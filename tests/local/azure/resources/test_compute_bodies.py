"""Bodies of computes: strict for clients of v2, loose for those of v1."""

from __future__ import annotations

import pytest

from local.azure.kernel.http import ServiceError
from local.azure.resources.compute_bodies import check_compute
from tests.local.azure.conftest import asked

V2 = {"api-version": "2024-04-01"}


def compute(kind="AmlCompute", **properties):
    return {"location": "eastus", "properties": {"computeType": kind, "properties": properties}}


def test_a_cluster_as_clients_send_it():
    scale = {"maxNodeCount": 4, "nodeIdleTimeBeforeScaleDown": "PT2M"}
    check_compute(asked(compute(vmSize="Standard_DS3_v2", scaleSettings=scale), query=V2))
    check_compute(asked(compute("Kubernetes", namespace="default"), query=V2))


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (compute(vmsize="x"), "Could not find member 'vmsize'"),
        (compute(scaleSettings={}), "Required property 'maxNodeCount' not found"),
        (compute("Mainframe"), "'Mainframe' is no computeType"),
        ({"properties": None}, "Required property 'properties' not found"),
    ],
)
def test_members_that_the_service_does_not_know(body, words):
    with pytest.raises(ServiceError) as refused:
        check_compute(asked(body, query=V2))
    assert any(words in detail.message for detail in refused.value.details)


def test_an_old_client_may_send_more():
    check_compute(asked(compute(vmsize="x"), query={"api-version": "2020-02-02"}))
