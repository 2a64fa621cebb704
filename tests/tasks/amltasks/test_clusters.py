"""Names, regions and differences of compute targets."""

import pytest

from amltasks import clusters
from amltasks.errors import TaskError
from amltasks.provision_aml_compute import task
from amltasks.workspace.port import Cluster, ClusterSpec
from amltasks.workspace.sdk_v1.services import candidate_name

SPEC = ClusterSpec(
    name="cpu",
    vm_size="STANDARD_DS3_V2",
    min_nodes=0,
    max_nodes=4,
    priority="dedicated",
    idle_seconds=1800,
)


@pytest.mark.parametrize("name", ["ab", "cpu-cluster", "A1", "a234567890123456"])
def test_good_names(name: str) -> None:
    clusters.check_name(name, "computeName")


@pytest.mark.parametrize(
    "name",
    ["a", "1ab", "-ab", "ab-", "a_b", "a b", "ä1", "a2345678901234567", "ab\n", "local"],
)
def test_bad_names(name: str) -> None:
    with pytest.raises(TaskError, match="COMPUTE_NAME_INVALID"):
        clusters.check_name(name, "computeName")


def test_regions() -> None:
    assert clusters.same_region("East US", "eastus")
    assert not clusters.same_region("eastus", "eastus2")


def found(**changed: object) -> Cluster:
    same: dict[str, object] = {
        "name": "cpu",
        "state": "Succeeded",
        "location": "eastus",
        "vm_size": "Standard_DS3_v2",
        "priority": "Dedicated",
        "min_nodes": 0,
        "max_nodes": 4,
        "idle_seconds": 1800,
    }
    return Cluster(**{**same, **changed})  # type: ignore[arg-type]


def test_no_difference_but_in_spelling() -> None:
    assert task.differences(SPEC, found(), "East US") == {}


def test_each_difference_is_told() -> None:
    other = found(
        vm_size="STANDARD_NC6",
        min_nodes=1,
        max_nodes=2,
        priority="lowpriority",
        idle_seconds=120,
        location="westeurope",
    )
    assert list(task.differences(SPEC, other, "eastus").values()) == [
        "vmSize is standard_nc6, asked for standard_ds3_v2",
        "minNodes is 1, asked for 0",
        "maxNodes is 2, asked for 4",
        "vmPriority is lowpriority, asked for dedicated",
        "idleSecondsBeforeScaledown is 120, asked for 1800",
        "location is westeurope, asked for eastus",
    ]


@pytest.mark.parametrize(
    ("problem", "code"),
    [
        (("QuotaExceeded: no cores left",), "COMPUTE_QUOTA"),
        (("ClusterCoreQuotaReached: x",), "COMPUTE_QUOTA"),
        (("VnetFull: no addresses",), "COMPUTE_FAILED"),
        ((), "COMPUTE_FAILED"),
    ],
)
def test_a_failure_is_named(problem: tuple[str, ...], code: str) -> None:
    assert clusters.failure(found(state="Failed", problems=problem)).cause.code == code


@pytest.mark.parametrize(
    ("service", "build", "name"),
    [
        ("compliance", "4711", "compliance-c4711"),
        ("a" * 32, "4711", "a" * 26 + "-c4711"),
        ("a" * 25 + "-bcdefg", "4711", "a" * 25 + "-c4711"),
        ("compliance", "12345678901", "compliance-c45678901"),
    ],
)
def test_the_name_of_the_service_beside(service: str, build: str, name: str) -> None:
    assert candidate_name(service, build) == name
    assert len(name) <= 32


def test_without_a_build_the_name_beside_is_random() -> None:
    one, other = (candidate_name("s-1", "") for _ in range(2))
    assert one != other
    assert one.startswith("s-1-c")
