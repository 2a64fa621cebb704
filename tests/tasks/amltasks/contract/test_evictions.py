"""RunAmlPipeline on low-priority nodes that Azure takes away, on both SDKs."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import requests

from tests.patience import PATIENCE_S
from tests.tasks.amltasks.conftest import Azure, Ended, start_task
from tests.tasks.amltasks.contract.test_faults import RUN, azure_with
from tests.tasks.amltasks.contract.test_submission import runs

PREEMPTED = "PreemptionError: Nodes of this job got pre-empted"
Play = Callable[..., Ended]


def faults(azure: Azure, method: str, **params: str) -> None:
    """Set or clear faults of a local Azure that runs."""
    given = azure.environment
    answer = requests.request(
        method,
        given["HTTPS_PROXY"] + "/faults",
        params=params,
        auth=(given["AZURE_CLIENT_ID"], given["AZURE_CLIENT_SECRET"]),
        timeout=PATIENCE_S,
    )
    assert answer.ok, answer.text


@pytest.fixture(scope="module", params=["v2", "v1"])
def sdk(request: pytest.FixtureRequest) -> str:
    """The SDK that the tasks work with."""
    return str(request.param)


@pytest.fixture(scope="module")
def spot(sdk: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Azure]:
    """A local Azure with a cluster of each priority."""
    folder = tmp_path_factory.mktemp("spot")
    with azure_with(folder, "creating=0") as azure:
        for name, priority in (("spot", "lowpriority"), ("steady", "dedicated")):
            ended = start_task(
                "ProvisionAmlCompute",
                {**azure.place, "sdk": sdk, "computeName": name, "vmPriority": priority},
                folder=folder,
                connection=azure.connection,
                environment=azure.client_environment,
            ).end()
            assert ended.result == "Succeeded", ended.message
        yield azure


@pytest.fixture
def play(spot: Azure, sdk: str, consumer: Path, request: pytest.FixtureRequest) -> Play:
    """Run the consumer's pipeline on the low-priority cluster, as a build of its own."""

    def run(**inputs: str) -> Ended:
        variables = {"system.taskinstancename": "train", "build.buildid": f"{abs(hash(request))}"}
        return start_task(
            "RunAmlPipeline",
            {**spot.place, "sdk": sdk, **RUN[sdk], "parameters": "compute: spot", **inputs},
            folder=consumer,
            connection=spot.connection,
            environment=spot.client_environment,
            variables=variables,
        ).end()

    return run


@pytest.fixture(autouse=True)
def lifted(spot: Azure) -> Iterator[None]:
    yield
    faults(spot, "DELETE")


def test_an_evicted_run_is_submitted_again(spot: Azure, play: Play) -> None:
    faults(spot, "POST", spec="evict=0 compute=spot times=1")
    before = len(runs(spot))
    ended = play(evictionRetries="2")
    assert ended.result == "Succeeded", ended.log
    assert ended.log.count("Azure took the node of step train away; submitting again") == 1
    assert len(runs(spot)) == before + 2


def test_without_retries_the_step_fails_with_azures_words(spot: Azure, play: Play) -> None:
    faults(spot, "POST", spec="evict=0 compute=spot")
    before = len(runs(spot))
    assert PREEMPTED in play().issues["STEP_FAILED"]
    ended = play(evictionRetries="1")
    assert PREEMPTED in ended.issues["STEP_FAILED"]
    assert len(runs(spot)) == before + 3


def test_the_dedicated_cluster_is_the_last_way_out(spot: Azure, play: Play) -> None:
    faults(spot, "POST", spec="evict=0 compute=spot")
    ended = play(evictionRetries="1", dedicatedCompute="steady")
    assert ended.result == "Succeeded", ended.log
    assert "running what is left on steady" in ended.log


def test_what_is_no_eviction_is_not_tried_again(spot: Azure, play: Play) -> None:
    before = len(runs(spot))
    ended = play(evictionRetries="3", parameters="compute: spot\nmode: crash")
    assert "ValueError" in ended.issues["STEP_FAILED"]
    assert len(runs(spot)) == before + 1


@pytest.mark.parametrize(
    ("inputs", "words"),
    [
        ({"dedicatedCompute": "nosuch"}, "the name of a cluster in the workspace"),
        ({"dedicatedCompute": "spot"}, "a cluster of dedicated nodes"),
        ({"evictionRetries": "1", "waitForCompletion": "false"}, "nobody sees an eviction"),
        ({"evictionRetries": "-1"}, "from 0 to 20"),
    ],
)
def test_a_policy_that_cannot_work_is_refused_before_anything_runs(
    spot: Azure, play: Play, inputs: dict[str, str], words: str
) -> None:
    before = len(runs(spot))
    ended = play(**inputs)
    assert words in ended.issues["INPUT_INVALID"]
    assert len(runs(spot)) == before
