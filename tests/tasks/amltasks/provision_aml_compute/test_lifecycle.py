"""Names, owners and times of clusters that belong to one job."""

from __future__ import annotations

from datetime import timedelta

import pytest

from amltasks import clusters
from amltasks.azure_pipelines.agent import Handover
from amltasks.errors import TaskError
from amltasks.provision_aml_compute import lifecycle
from amltasks.workspace.port import Cluster

HERE = {"build.buildid": "4711", "system.teamprojectid": "p", "system.jobname": "train"}


def handover(**changed: str) -> Handover:
    variables = {**HERE, **{name.replace("_", "."): value for name, value in changed.items()}}
    return Handover(task="ProvisionAmlCompute", inputs={}, connection=None, variables=variables)


def cluster(tags: dict[str, str], state: str = "Succeeded") -> Cluster:
    return Cluster(
        name="c",
        state=state,
        location="eastus",
        vm_size="Standard_DS3_v2",
        priority="dedicated",
        min_nodes=0,
        max_nodes=4,
        idle_seconds=120,
        tags=tags,
    )


@pytest.mark.parametrize("base", ["cpu", "cpu-cluster", "a234567890123456", "a23456789-123456"])
def test_a_name_is_valid_and_one_for_each_attempt(base: str) -> None:
    first = lifecycle.per_run_name(base, handover())
    clusters.check_name(first, "computeName")
    assert first == lifecycle.per_run_name(base, handover())
    others = (
        handover(build_buildid="4712"),
        handover(system_jobname="other"),
        handover(system_jobattempt="2"),
        handover(system_jobpositioninphase="2"),
    )
    names = {first, *(lifecycle.per_run_name(base, each) for each in others)}
    assert len(names) == 5


def test_only_this_attempt_owns_its_cluster() -> None:
    tags = lifecycle.tags(handover(), 1, lifecycle.now())
    assert lifecycle.is_ours(cluster(tags), handover())
    assert not lifecycle.is_ours(cluster(tags), handover(system_jobattempt="2"))
    assert not lifecycle.is_ours(cluster(tags), handover(build_buildid="4712"))
    assert not lifecycle.is_ours(cluster({}), handover())
    without = {name: value for name, value in tags.items() if name != lifecycle.MADE_BY}
    assert not lifecycle.is_ours(cluster(without), handover())


@pytest.mark.parametrize(
    ("changed", "over"),
    [
        ({}, True),
        ({lifecycle.MADE_BY: "reuse"}, False),
        ({lifecycle.MADE_BY: ""}, False),
        ({lifecycle.OWNER: ""}, False),
        ({lifecycle.EXPIRES: "yesterday"}, False),
        ({lifecycle.EXPIRES: "2020-01-01T00:00:00"}, False),
        ({lifecycle.EXPIRES: "2999-01-01T00:00:00+00:00"}, False),
    ],
)
def test_only_what_the_task_made_and_is_over_expires(changed: dict[str, str], over: bool) -> None:
    made = lifecycle.tags(handover(), 1, lifecycle.now() - timedelta(hours=2))
    found = [cluster({**made, **changed})]
    assert (lifecycle.expired(found, lifecycle.now()) == tuple(found)) is over
    assert lifecycle.expired([cluster(made, state="Deleting")], lifecycle.now()) == ()


def test_outside_of_a_build_there_is_no_owner() -> None:
    with pytest.raises(TaskError, match="outside of a build"):
        lifecycle.check_job(handover(build_buildid=""))
