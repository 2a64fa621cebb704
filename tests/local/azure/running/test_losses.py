"""Nodes that are taken away from their jobs."""

from __future__ import annotations

from dataclasses import replace

import pytest

from local.azure.history import runs
from local.azure.kernel.fault_state import Faults
from local.azure.kernel.faults import parse
from local.azure.running.losses import LosableNode


@pytest.mark.parametrize(
    ("faults", "code"),
    [
        ([], None),
        (["lost=0"], "ServiceError"),
        (["lost=0 compute=other"], None),
        (["lost=60"], None),
        (["evict=0"], None),  # a dedicated node
    ],
)
def test_a_dedicated_node_is_lost_and_never_evicted(fresh_azure, faults, code):
    cloud = replace(fresh_azure, faults=Faults(map(parse, faults)))
    runs.create_run(cloud, experiment="e", run_id="r", target="cpu")
    loss = LosableNode(cloud, "r").loss()
    assert (loss and loss.code) == code


def test_a_job_loses_its_node_once(fresh_azure):
    cloud = replace(fresh_azure, faults=Faults([parse("lost=0 times=1")]))
    runs.create_run(cloud, experiment="e", run_id="r", target="cpu")
    node = LosableNode(cloud, "r")
    assert node.loss() is not None
    assert node.loss() is None
    assert LosableNode(cloud, "r").loss() is None


def test_a_run_that_is_gone_loses_nothing(fresh_azure):
    assert LosableNode(fresh_azure, "gone").loss() is None
