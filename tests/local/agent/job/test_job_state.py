"""What the steps of a job share: the result so far, the time limit, the cancellation."""

from __future__ import annotations

import dataclasses
import time

import pytest

from local.agent.definition.pipeline_file import read_pipeline
from local.agent.expressions.values import ExpressionError
from local.agent.host.process import Wish
from local.agent.job.job_state import JobState
from local.agent.session.task_result import Result


@pytest.fixture
def state(session, job_variables, pipeline_file):
    file = pipeline_file("steps: [{script: echo}]\n")
    (stage,) = read_pipeline(file, variables={}, overrides={}, parameters={}).stages
    (job,) = stage.jobs
    return JobState(
        session=session, stage=stage, job=job, variables=job_variables, identity="i", lookup="l"
    )


@pytest.mark.parametrize(
    ("results", "status", "shown"),
    [
        ([Result.Succeeded], None, "Succeeded"),
        ([Result.Skipped], None, "Succeeded"),
        ([Result.SucceededWithIssues, Result.Succeeded], Result.SucceededWithIssues, None),
        ([Result.Failed, Result.SucceededWithIssues], Result.Failed, None),
    ],
)
def test_the_result_so_far(state, results, status, shown):
    for result in results:
        state.merge(result)
    assert state.status is status
    assert state.variables.get("agent.jobstatus") == (shown or status.name)


def test_conditions_see_the_result_so_far(state):
    assert state.allows(None)
    state.merge(Result.Failed)
    assert not state.allows(None)
    assert state.allows("failed()")
    with pytest.raises(ExpressionError):
        state.allows("nosuch()")


def test_a_job_that_is_not_canceled_runs(state):
    assert not state.check_cancel()
    assert state.wish(None, None) is Wish.RUN


def test_a_cancellation_stops_what_does_not_run_always(state, capsys):
    state.session.cancellation.interrupt()
    assert state.wish(None, None) is Wish.STOP
    assert state.wish("always()", None) is Wish.RUN
    assert state.wish("nosuch()", None) is Wish.STOP
    assert state.status is Result.Canceled
    assert state.variables.get("agent.jobstatus") == "Canceled"
    assert capsys.readouterr().out.count("canceling") == 1


def test_a_second_interrupt_kills_also_what_runs_always(state):
    state.session.cancellation.interrupt()
    state.session.cancellation.interrupt()
    assert state.wish("always()", None) is Wish.KILL


def test_the_end_of_the_jobs_time_cancels_it(state, capsys):
    state.deadline = time.monotonic() - 1
    assert state.check_cancel()
    assert "The job ran longer than the maximum time of 60 minutes." in capsys.readouterr().out


def test_the_end_of_the_steps_time_stops_the_step_alone(state):
    assert state.wish("always()", time.monotonic() - 1) is Wish.STOP
    assert state.status is None


@pytest.mark.parametrize(("minutes", "over"), [(0, 61), (2, 121)])
def test_a_canceled_job_has_its_time_and_at_least_a_minute(state, minutes, over):
    state.job = dataclasses.replace(state.job, cancel_timeout_minutes=minutes)
    state.canceled_at = time.monotonic() - over + 30
    assert not state.out_of_patience()
    state.canceled_at = time.monotonic() - over
    assert state.out_of_patience()
