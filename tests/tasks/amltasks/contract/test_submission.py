"""RunAmlPipeline starts one run, and a cancel reaches it, whatever happens while it submits."""

from __future__ import annotations

import contextlib
import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import requests

from tests.patience import PATIENCE_S
from tests.tasks.amltasks.conftest import Azure, Ended, Started, start_task
from tests.tasks.amltasks.contract.test_faults import (
    POLL,
    RUN,
    SUBMIT,
    Faulty,
    _make_cluster,
    faulty,
)

__all__ = ["faulty"]

TASK = "RunAmlPipeline"
SLOW = "mode: slow"


@pytest.fixture(params=["v2", "v1"])
def sdk(request: pytest.FixtureRequest) -> str:
    """The SDK that the tasks work with."""
    return str(request.param)


Begin = Callable[..., Started]


@pytest.fixture
def begin(sdk: str, consumer: Path) -> Begin:
    """Start the task in a local Azure."""

    def start(azure: Azure, parameters: str = "", **more: str) -> Started:
        variables = {"system.taskinstancename": "train", **more}
        return start_task(
            TASK,
            {**azure.place, "sdk": sdk, **RUN[sdk], "parameters": parameters},
            folder=consumer,
            connection=azure.connection,
            environment=azure.client_environment,
            variables=variables,
        )

    return start


def said(words: str) -> Callable[[Started], bool]:
    return lambda started: any(words in line for line in started.lines)


def runs(azure: Azure) -> list[dict[str, str]]:
    """The pipeline runs in the workspace, by run history: id and status."""
    given = azure.environment
    http = {"proxies": {"https": given["HTTPS_PROXY"]}, "verify": given["REQUESTS_CA_BUNDLE"]}
    token = requests.post(
        f"https://login.microsoftonline.com/{given['AZURE_TENANT_ID']}/oauth2/v2.0/token",
        data={
            "grant_type": "client_credentials",
            "client_id": given["AZURE_CLIENT_ID"],
            "client_secret": given["AZURE_CLIENT_SECRET"],
            "scope": "https://management.azure.com/.default",
        },
        timeout=PATIENCE_S,
        **http,  # type: ignore[arg-type]
    ).json()["access_token"]
    found = requests.get(
        "https://management.azure.com"
        f"/subscriptions/{given['AML_SUBSCRIPTION_ID']}/resourceGroups/{given['AML_RESOURCE_GROUP']}"
        f"/providers/Microsoft.MachineLearningServices/workspaces/{given['AML_WORKSPACE_NAME']}"
        "/jobs?api-version=2024-10-01",
        headers={"Authorization": f"Bearer {token}"},
        timeout=PATIENCE_S,
        **http,  # type: ignore[arg-type]
    )
    found.raise_for_status()
    return [
        {"id": job["name"], "status": job["properties"]["status"]} for job in found.json()["value"]
    ]


def ended(started: Started) -> Ended:
    found = started.end()
    assert "Traceback" not in found.log + json.dumps(found.commands)
    return found


@contextlib.contextmanager
def within(seconds: float) -> Iterator[None]:
    begun = time.monotonic()
    yield
    assert time.monotonic() - begun < seconds


@pytest.mark.parametrize("after", [0.5, 2.0])
def test_a_cancel_during_the_submission_cancels_the_run(
    after: float, sdk: str, faulty: Faulty, begin: Begin
) -> None:
    with faulty(f"latency=3 {SUBMIT[sdk]}") as azure:
        _make_cluster(azure)
        started = begin(azure, SLOW)
        started.wait_for(said("Submitting pipeline"))
        time.sleep(after)
        with within(9):
            started.say("cancel")
            found = started.end()
        assert found.result == "Canceled"
        time.sleep(1)
        left = [
            each for each in runs(azure) if each["status"] not in ("Canceled", "CancelRequested")
        ]
        assert left == []
        if "runId" in found.outputs:
            assert [found.outputs["runId"]] == [each["id"] for each in runs(azure)]


def test_two_starts_at_once_share_one_run(faulty: Faulty, begin: Begin) -> None:
    with faulty() as azure:
        _make_cluster(azure)
        both = [begin(azure), begin(azure)]
        found = [ended(each) for each in both]
        assert [each.result for each in found] == ["Succeeded", "Succeeded"], found[1].log
        assert len({each.outputs["runId"] for each in found}) == 1
        assert [each["id"] for each in runs(azure)] == [found[0].outputs["runId"]]


def test_a_task_whose_launcher_dies_ends_and_leaves_its_run_to_the_next(
    sdk: str, faulty: Faulty, begin: Begin
) -> None:
    with faulty(f"latency=2 {SUBMIT[sdk]}") as azure:
        _make_cluster(azure)
        first = begin(azure)
        first.wait_for(said("Submitting pipeline"))
        time.sleep(1)
        assert first.process.stdin is not None
        first.process.stdin.close()
        with within(12):
            first.end()
        found = ended(begin(azure, **{"system.jobattempt": "2"}))
        assert found.result == "Succeeded", found.log
        assert [each["id"] for each in runs(azure)] == [found.outputs["runId"]]


def test_a_killed_task_leaves_its_run_to_the_next(sdk: str, faulty: Faulty, begin: Begin) -> None:
    with faulty(f"latency=1 {SUBMIT[sdk]}") as azure:
        _make_cluster(azure)
        first = begin(azure)
        first.wait_for(said("Submitting pipeline"))
        time.sleep(0.5)
        first.process.kill()
        first.end()
        found = ended(begin(azure, **{"system.jobattempt": "2"}))
        assert found.result == "Succeeded", found.log
        assert [each["id"] for each in runs(azure)] == [found.outputs["runId"]]


def test_what_passes_is_sat_out_and_told_once(sdk: str, faulty: Faulty, begin: Begin) -> None:
    with faulty(
        f"expired times=1 {SUBMIT[sdk]}",
        f"status=503 times=1 after=1 {SUBMIT[sdk]}",
        f"status=503 times=12 after=1 {POLL[sdk]}",
    ) as azure:
        _make_cluster(azure)
        found = ended(begin(azure))
        assert found.result == "Succeeded", found.log
        assert len(runs(azure)) == 1
        assert found.log.count("Trying again for up to") <= 3, found.log
        assert "Azure answers again after" in found.log
        assert "trying again" in found.log
