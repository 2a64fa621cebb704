"""Which size a new cluster gets, and what is told before Azure is asked for it."""

from __future__ import annotations

import pytest

from amltasks import errors
from amltasks.provision_aml_compute import preflight
from amltasks.workspace.port import ClusterSpec, Quota, VmSize
from tests.tasks.amltasks.fakes import FakeCompute

SMALL, LARGE = "Standard_DS2_v2", "Standard_NC24"


class Region(FakeCompute):
    """A region with two sizes, and the quota that is given for each family."""

    def __init__(self, small: int = 100, large: int = 100) -> None:
        self.limits = {"dsv2": small, "nc": large}
        self.refusal: errors.TaskError | None = None

    def sizes(self, location: str) -> tuple[VmSize, ...]:
        if self.refusal:
            raise self.refusal
        return (
            VmSize(name=SMALL.upper(), family="DSv2", cpus=2, low_priority=True),
            VmSize(name=LARGE, family="NC", cpus=24, low_priority=False),
        )

    def quotas(self, location: str) -> tuple[Quota, ...]:
        return tuple(Quota(name=name, limit=limit, used=1) for name, limit in self.limits.items())


def choose(region: Region, *sizes: str, nodes: int = 0, priority: str = "dedicated") -> str:
    spec = ClusterSpec(
        name="cpu",
        vm_size=sizes[0],
        min_nodes=nodes,
        max_nodes=4,
        priority=priority,
        idle_seconds=120,
    )
    return preflight.choose_size(region, spec, sizes, "eastus")


def test_the_first_that_has_room_is_taken() -> None:
    assert choose(Region(), LARGE, SMALL) == LARGE
    assert choose(Region(large=24), LARGE, SMALL) == SMALL
    assert choose(Region(), "Standard_Nope", SMALL) == SMALL
    assert choose(Region(), LARGE, SMALL, priority="lowpriority") == SMALL


@pytest.mark.parametrize(
    ("region", "sizes", "nodes", "code", "said"),
    [
        (Region(), ("Standard_Nope",), 0, "REFUSED", "eastus offers no clusters of the size"),
        (Region(small=2), (SMALL,), 0, "COMPUTE_QUOTA", "a total vCPU quota of 2 in eastus"),
        (Region(small=8), (SMALL,), 4, "COMPUTE_QUOTA", "Additional requested: 8 for 4 nodes"),
        (Region(0, 0), (LARGE, SMALL), 0, "COMPUTE_QUOTA", "NC has a total"),
        (Region(), ("No", "Nope"), 0, "REFUSED", "the size No"),
    ],
)
def test_what_cannot_be_is_told_before_azure_is_asked(
    region: Region, sizes: tuple[str, ...], nodes: int, code: str, said: str
) -> None:
    with pytest.raises(errors.TaskError) as caught:
        choose(region, *sizes, nodes=nodes)
    assert caught.value.cause.code == code
    assert said in str(caught.value)


def test_an_unlimited_quota_and_low_priority_have_room() -> None:
    assert choose(Region(small=-1), SMALL) == SMALL
    assert choose(Region(small=0), SMALL, priority="lowpriority") == SMALL


def test_who_may_not_read_the_offers_goes_on() -> None:
    region = Region()
    region.refusal = errors.FORBIDDEN.error(doing="listing", detail="no")
    assert choose(region, LARGE, SMALL) == LARGE
    region.refusal = errors.UNAUTHORIZED.error(doing="listing", detail="expired")
    with pytest.raises(errors.TaskError, match="UNAUTHORIZED"):
        choose(region, LARGE)


@pytest.mark.parametrize(
    ("pool", "priority"),
    [("TotalDedicatedCores", "dedicated"), ("TotalLowPriorityCores", "lowpriority")],
)
def test_the_cores_of_the_whole_region_count(pool: str, priority: str) -> None:
    region = Region()
    region.limits[pool] = 2
    with pytest.raises(errors.TaskError) as caught:
        choose(region, SMALL, priority=priority)
    assert f"{pool} has a total vCPU quota of 2 in eastus" in str(caught.value)
    region.limits[pool] = 3
    assert choose(region, SMALL, priority=priority) == SMALL
