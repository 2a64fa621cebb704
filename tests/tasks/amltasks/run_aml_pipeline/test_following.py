"""How a run is followed: every state has an outcome, and every limit a message."""

from __future__ import annotations

import io
import json
import logging
from collections.abc import Iterator

import pytest

from amltasks import errors, waiting
from amltasks.azure_pipelines.agent import Cancellation, Channel, Handover, Job
from amltasks.run_aml_pipeline import cancelling, following
from amltasks.run_aml_pipeline.following import Limits, follow
from amltasks.workspace.port import ENDED, Run
from tests.tasks.amltasks.fakes import FakeRuns, fake_workspace


class Clock:
    """A clock that only pauses move."""

    def __init__(self) -> None:
        self.now = 0.0

    def monotonic(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds


class Quick(Cancellation):
    """A cancellation whose pauses move the clock."""

    def __init__(self, clock: Clock) -> None:
        super().__init__()
        self._clock = clock

    def pause(self, seconds: float) -> None:
        self._clock.sleep(seconds)


class Scripted(FakeRuns):
    """A run and its steps, in the states that are given one after the other."""

    def __init__(self, states: Iterator[tuple[str, tuple[str, ...]]]) -> None:
        self._states = states
        self._steps: tuple[str, ...] = ()
        self.canceled = False

    def get(self, run_id: str) -> Run:
        if self.canceled:
            return Run(id=run_id, name="p", status="Canceled")
        status, self._steps = next(self._states)
        return Run(id=run_id, name="p", status=status, url="https://studio/r")

    def steps(self, run_id: str) -> tuple[Run, ...]:
        return tuple(
            Run(id=f"s{number}", name=f"step{number}", status=status)
            for number, status in enumerate(self._steps)
        )

    def new_log_lines(self, run_id: str, *, last: bool = False) -> list[str]:
        return [f"line of {run_id}"]

    def cancel(self, run_id: str) -> None:
        self.canceled = True


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    found = Clock()
    for module in (following, waiting, cancelling):
        monkeypatch.setattr(module, "time", found)
    return found


def lasting(*states: tuple[str, tuple[str, ...]]) -> Iterator[tuple[str, tuple[str, ...]]]:
    yield from states
    while True:
        yield states[-1]


def followed(
    clock: Clock, runs: Scripted, limits: Limits | None = None
) -> tuple[str, list[dict[str, str]]]:
    """The run's last state or the error's code, and what the task asked of the agent."""
    kept = io.BytesIO()
    job = Job(
        handover=Handover(task="t", inputs={}, connection=None, variables={}),
        channel=Channel(kept),
        cancellation=Quick(clock),
    )
    submitted = Run(id="r", name="p", status="NotStarted")
    try:
        outcome = follow(job, fake_workspace(runs=runs), submitted, limits or Limits())
        ended = outcome.run.status
    except errors.TaskError as error:
        ended = str(error)
    return ended, [json.loads(line) for line in kept.getvalue().splitlines()]


@pytest.mark.parametrize("status", sorted(ENDED))
def test_each_final_state_ends_it(clock: Clock, status: str) -> None:
    assert followed(clock, Scripted(lasting((status, ()))))[0] == status


@pytest.mark.parametrize("status", sorted(following.KNOWN - ENDED))
def test_each_other_state_is_waited_for(clock: Clock, status: str) -> None:
    assert followed(clock, Scripted(lasting((status, ()), ("Failed", ()))))[0] == "Failed"


def test_an_unknown_state_fails_by_its_name(clock: Clock) -> None:
    runs = Scripted(lasting(("Running", ()), ("Hibernating", ())))
    ended, _ = followed(clock, runs)
    assert ended.startswith("RUN_STATE_UNKNOWN: the run r is in the state 'Hibernating'")
    assert not runs.canceled


def test_a_run_without_a_machine_is_canceled(clock: Clock) -> None:
    runs = Scripted(lasting(("Running", ("Queued",))))
    ended, sent = followed(clock, runs, Limits(queued=10, running=1))
    assert ended.startswith("RUN_QUEUE_TIMEOUT: the run r had no machine after 10 minutes")
    assert "step0 Queued" in ended
    assert runs.canceled
    assert 600 <= clock.now < 620
    (warning,) = [each for each in sent if each["type"] == "issue"]
    assert warning["code"] == "RUN_DEADLINE_NEAR"
    assert "of the 10 minutes of queueTimeout" in warning["message"]


def test_the_time_in_the_queue_is_not_the_time_of_running(clock: Clock) -> None:
    queued = [("Running", ("Queued",))] * 100
    running = [("Running", ("Running",))] * 20
    runs = Scripted(lasting(*queued, *running, ("Completed", ("Completed",))))
    assert followed(clock, runs, Limits(queued=10, running=1))[0] == "Completed"
    runs = Scripted(lasting(*queued, ("Running", ("Running",))))
    ended, _ = followed(clock, runs, Limits(running=1))
    assert ended.startswith("RUN_TIMEOUT: ")


def test_logs_are_folded_by_step(clock: Clock, caplog: pytest.LogCaptureFixture) -> None:
    following.log.propagate = True
    states = lasting(("Running", ("Running", "Running")), ("Completed", ("Completed",) * 2))
    with caplog.at_level(logging.INFO, "amltasks"):
        followed(clock, Scripted(states))
    begins = [line for line in caplog.messages if line.startswith("##[group]")]
    assert len(begins) == caplog.messages.count("##[endgroup]") >= 2
    at = caplog.messages.index("##[group]Log of step step0")
    assert caplog.messages[at + 1] == "[step0] line of s0"
