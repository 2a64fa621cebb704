"""Starts of one step share a run; who tries again after a failure gets another one."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from pathlib import Path

import pytest

from amltasks.azure_pipelines.agent import Handover
from amltasks.azure_pipelines.attempts import ATTEMPT, STEP, claim, tags
from amltasks.workspace.port import Run, Submission
from tests.tasks.amltasks.fakes import FakeRuns

INPUTS = {"experimentName": "e", "pipelineFile": "p.yml"}
STEP_OF_BUILD = {
    "build.buildid": "7",
    "system.teamprojectid": "p",
    "system.jobname": "train",
    "system.taskinstancename": "train1",
}


def handover(**changed: str) -> Handover:
    variables = {**STEP_OF_BUILD, **{name.replace("_", "."): v for name, v in changed.items()}}
    return Handover(task="t", inputs={}, connection=None, variables=variables)


def submission(found: Handover) -> Submission:
    return Submission(file=Path("p.yml"), experiment="e", parameters={}, tags=tags(found, INPUTS))


class _Runs(FakeRuns):
    """The runs that were started under a claim, by the number at its end."""

    def __init__(self, **by_number: Run) -> None:
        self.by_number = {name.removeprefix("no"): run for name, run in by_number.items()}
        self.tagged: dict[str, Mapping[str, str]] = {}

    def claimed(self, claim: str) -> Run | None:
        return self.by_number.get(claim.rpartition("-")[2])

    def tag(self, run_id: str, tags: Mapping[str, str]) -> None:
        self.tagged[run_id] = tags


def run(identity: str, status: str, attempt: str = "1.1.1.1") -> Run:
    return Run(id=identity, name="n", status=status, tags={ATTEMPT: attempt})


def test_outside_of_a_build_there_is_no_claim() -> None:
    alone = Handover(task="t", inputs={}, connection=None, variables={})
    assert tags(alone, INPUTS) == {}
    given = submission(alone)
    assert claim(alone, _Runs(), given) == (given, None)


def test_the_first_attempt_is_1_of_each_count() -> None:
    assert tags(handover(), INPUTS)[ATTEMPT] == "1.1.1.1"
    later = tags(handover(system_jobattempt="3", release_attemptnumber="2"), INPUTS)
    assert later[ATTEMPT] == "1.1.3.2"
    assert later[STEP] == tags(handover(), INPUTS)[STEP]


@pytest.mark.parametrize(
    "changed",
    [
        {"build_buildid": "8"},
        {"system_jobname": "other"},
        {"system_taskinstancename": "train2"},
        {"system_stagename": "s"},
        {"system_jobpositioninphase": "2"},
        {"release_environmentname": "prod"},
    ],
)
def test_another_step_has_another_tag(changed: dict[str, str]) -> None:
    assert tags(handover(**changed), INPUTS)[STEP] != tags(handover(), INPUTS)[STEP]


def test_other_inputs_are_another_step() -> None:
    one, other = tags(handover(), INPUTS), tags(handover(), {**INPUTS, "experimentName": "f"})
    assert one[STEP] != other[STEP]
    turned = dict(reversed(INPUTS.items()))
    assert tags(handover(), turned) == one


def test_the_first_start_submits_under_a_name_that_an_address_may_have() -> None:
    found = handover(build_buildid="20/7?x")
    claimed, going_on = claim(found, _Runs(), submission(found))
    assert going_on is None
    assert claimed.claim == f"pipelines-207x-{claimed.tags[STEP][:20]}-1"


@pytest.mark.parametrize("status", ["Running", "Queued", "NotStarted", "Completed", "Finished"])
def test_a_run_that_did_not_fail_is_gone_on_with(status: str) -> None:
    there = run("r1", status)
    runs = _Runs(no1=there)
    claimed, going_on = claim(handover(), runs, submission(handover()))
    assert (going_on, claimed.claim[-2:]) == (there, "-1")
    assert runs.tagged == {}


@pytest.mark.parametrize("status", ["Failed", "Canceled", "CancelRequested"])
def test_a_run_that_failed_is_left_alone(status: str) -> None:
    claimed, going_on = claim(handover(), _Runs(no1=run("r1", status)), submission(handover()))
    assert (going_on, claimed.claim[-2:]) == (None, "-2")


def test_the_next_number_is_looked_at_too() -> None:
    second = run("r2", "Running")
    runs = _Runs(no1=run("r1", "Failed"), no2=second)
    assert claim(handover(), runs, submission(handover()))[1] is second


def test_a_later_attempt_takes_the_run_over() -> None:
    again = handover(system_jobattempt="2")
    runs = _Runs(no1=run("r1", "Completed"))
    assert claim(again, runs, submission(again))[1] is not None
    assert runs.tagged == {"r1": {ATTEMPT: "1.1.2.1"}}


def test_steps_without_a_name_have_a_run_each() -> None:
    unnamed = handover(system_taskinstancename="")
    done = run("r1", "Completed")
    _, going_on = claim(unnamed, _Runs(no1=done), submission(unnamed))
    assert going_on is None
    # That of an earlier attempt is this step's own.
    earlier = dataclasses.replace(done, tags={ATTEMPT: "1.1.0.1"})
    assert claim(unnamed, _Runs(no1=earlier), submission(unnamed))[1] is earlier
