"""A release stage by stage, against a service that answers as each test wants."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

import pytest

from amltasks import errors
from amltasks.azure_pipelines.agent import Job
from amltasks.deploy_to_aks import revisions, smoke
from amltasks.deploy_to_aks.revisions import Release
from amltasks.workspace.port import (
    Answer,
    Model,
    RequestLimits,
    Revision,
    Rollout,
    ServiceSpec,
    Workspace,
)
from tests.tasks.amltasks.fakes import FakeServices

ROWS = (smoke.Row(input="steel", expected=0), smoke.Row(input="plastic", expected=1))
RIGHT = json.dumps({"predictions": [0, 1]})
SPEC = ServiceSpec(
    name="parts",
    target="kubernetes",
    cluster="aks",
    instance_type="",
    model=Model(name="m", version=1, run_id="", description="", tags={}),
    entry_script=Path("score.py"),
    source_directory=Path(),
    environment_file=Path("conda.yml"),
    environment="scoring-parts",
    registered=None,
    variables={},
    limits=RequestLimits(timeout=60, concurrent=1, queue_wait=0.5),
    app_insights=False,
    cpu_cores=1,
    memory_gb=1,
    replicas=1,
    description="",
    tags={},
)
BESIDE = Revision(service="parts", name="build-2", label="parts/build-2", fresh=False)


class Services(FakeServices):
    """Two revisions behind one address; ``answer`` says how the address answers at a share."""

    restores = True

    def __init__(self, answer: Callable[[int], Answer], left: Revision | None = None) -> None:
        self.answer = answer
        self.left = left
        self.did: list[str] = []
        self.percent = 0

    def unfinished(self, name: str) -> Revision | None:
        return self.left

    def deploy(self, spec: ServiceSpec, revision: Revision) -> None:
        self.did.append("deploy")

    def rollout(self, revision: Revision) -> Rollout:
        return Rollout(state="Succeeded", done=True, succeeded=True)

    def promote(self, spec: ServiceSpec, revision: Revision, percent: int = 100) -> Revision:
        self.percent = percent
        self.did.append(f"promote {percent}")
        return Revision(
            service="parts", name=revision.name, label="parts", fresh=False, in_service=True
        )

    def restore(self, revision: Revision) -> None:
        self.did.append(f"restore {revision.name}")

    def clean_up(self, revision: Revision, keep: int = 0) -> tuple[str, ...]:
        self.did.append("clean up " + ("old" if revision.in_service else revision.name))
        return ()

    def logs(self, revision: Revision) -> list[str]:
        return []

    def score(self, revision: Revision, body: str) -> Answer:
        return self.answer(self.percent if revision.in_service else 0)


class Pauses:
    """The job's cancellation: counts the pauses, and cancels at one of them when asked to."""

    def __init__(self, cancel_at: int = 0) -> None:
        self.count = 0
        self.cancel_at = cancel_at

    def pause(self, _seconds: float) -> None:
        self.count += 1
        if self.count == self.cancel_at:
            raise KeyboardInterrupt


class FakeJob:
    def __init__(self, cancellation: Pauses) -> None:
        self.cancellation = cancellation

    def warn(self, code: str, message: str) -> None:
        raise AssertionError(f"{code}: {message}")


class FakeWorkspace:
    def __init__(self, services: Services) -> None:
        self.services = services


def attempt(services: Services, pauses: Pauses | None = None, **options: Any) -> Release:
    return Release(
        service="parts",
        job=cast(Job, FakeJob(pauses or Pauses())),
        workspace=cast(Workspace, FakeWorkspace(services)),
        spec=SPEC,
        test=smoke.Test(rows=ROWS, **options),
        minutes=1,
        ramp=(10, 50, 100),
    )


def well(_percent: int, seconds: float = 0.01) -> Answer:
    return Answer(status=200, body=RIGHT, seconds=seconds)


def test_a_good_revision_goes_through_every_stage() -> None:
    services = Services(well)
    made = attempt(services)
    revisions.replace(made, BESIDE)
    assert services.did == ["deploy", "promote 10", "promote 50", "promote 100", "clean up old"]
    assert made.rolled_back is False


@pytest.mark.parametrize(
    ("at", "stages"), [(10, ["promote 10"]), (50, ["promote 10", "promote 50"])]
)
def test_an_error_at_a_stage_gives_the_requests_back(at: int, stages: list[str]) -> None:
    services = Services(
        lambda percent: (
            Answer(status=500, body="no", seconds=0.1) if percent == at else well(percent)
        )
    )
    made = attempt(services)
    with pytest.raises(errors.TaskError, match=f"at {at} % of the requests it answered HTTP 500"):
        revisions.replace(made, BESIDE)
    assert services.did == ["deploy", *stages, "restore build-2", "clean up build-2"]
    assert made.rolled_back is True


def test_a_slow_stage_gives_the_requests_back() -> None:
    services = Services(lambda percent: well(percent, 3.0 if percent == 50 else 0.01))
    with pytest.raises(errors.TaskError, match=r"take 3 s \(p95\), more than the 1 s"):
        revisions.replace(attempt(services, max_seconds=1), BESIDE)
    assert "restore build-2" in services.did
    assert "promote 100" not in services.did


def test_a_cancel_while_it_bakes_gives_the_requests_back() -> None:
    services = Services(well)
    with pytest.raises(KeyboardInterrupt):
        revisions.replace(attempt(services, Pauses(cancel_at=1)), BESIDE)
    assert services.did == ["deploy", "promote 10", "restore build-2", "clean up build-2"]


@pytest.mark.parametrize("status", [429, 502, 503, 504])
def test_what_passes_while_it_is_proved_is_asked_again(status: int) -> None:
    answers = [Answer(status=status, body="later", seconds=0.1)]
    services = Services(lambda percent: answers.pop() if answers else well(percent))
    revisions.replace(attempt(services), BESIDE)
    assert services.did[-1] == "clean up old"


def test_too_many_requests_are_no_error_of_the_revision() -> None:
    def answer(percent: int) -> Answer:
        return Answer(status=429, body="", seconds=0.1) if percent == 10 else well(percent)

    services = Services(answer)
    revisions.replace(attempt(services), BESIDE)
    assert "restore build-2" not in services.did


def test_a_first_release_removes_what_failed_ones_left() -> None:
    services = Services(well)
    first = Revision(service="parts", name="build-2", label="parts/build-2", fresh=True)
    revisions.create(attempt(services), first)
    assert services.did == ["deploy", "promote 100", "clean up old"]


def test_a_first_release_that_fails_is_left_for_a_look() -> None:
    services = Services(lambda _: Answer(status=500, body="no", seconds=0.1))
    first = Revision(service="parts", name="build-2", label="parts/build-2", fresh=True)
    with pytest.raises(errors.TaskError, match="left for you to look at"):
        revisions.create(attempt(services), first)
    assert services.did == ["deploy"]


def test_what_a_dead_agent_left_half_way_is_taken_back() -> None:
    left = Revision(
        service="parts", name="build-1", label="parts/build-1", fresh=False, in_service=True
    )
    services = Services(well, left)
    revisions.finish_interrupted(attempt(services))
    assert services.did == ["restore build-1"]
