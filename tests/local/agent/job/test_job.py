"""Jobs: conditions, results, retries, time limits, clean-up.

The tables on conditions and results are those of the agent's src/Test/L0/Worker/StepsRunnerL0.cs
at 42bde98; each step is a real shell.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.local.agent.job.shortened import shortened, steps

OK, ISSUES, FAILED = "Succeeded", "SucceededWithIssues", "Failed"
S, SF, A = "succeeded()", "succeededOrFailed()", "always()"

# (result, condition, continueOnError) of two steps; the job's result; whether the second one ran
CASES = [
    ((OK, S, False), (OK, S, False), "succeeded", True),
    ((OK, S, False), (OK, SF, False), "succeeded", True),
    ((OK, S, False), (OK, A, False), "succeeded", True),
    ((FAILED, S, True), (OK, S, False), "succeededWithIssues", True),
    ((FAILED, S, True), (OK, SF, False), "succeededWithIssues", True),
    ((FAILED, S, True), (OK, A, False), "succeededWithIssues", True),
    ((FAILED, S, True), (FAILED, S, True), "succeededWithIssues", True),
    ((FAILED, S, True), (FAILED, A, True), "succeededWithIssues", True),
    ((FAILED, S, True), (FAILED, S, False), "failed", True),
    ((FAILED, S, False), (OK, S, False), "failed", False),
    ((FAILED, S, False), (OK, SF, False), "failed", True),
    ((FAILED, S, False), (OK, A, False), "failed", True),
    ((OK, S, False), (FAILED, A, False), "failed", True),
    ((OK, S, False), (FAILED, A, True), "succeededWithIssues", True),
    ((OK, S, False), (ISSUES, S, False), "succeededWithIssues", True),
    ((ISSUES, S, False), (OK, S, False), "succeededWithIssues", True),
    ((ISSUES, S, False), (FAILED, S, False), "failed", True),
    ((FAILED, S, False), (OK, "failed()", False), "failed", True),
    ((OK, S, False), (OK, "failed()", False), "succeeded", False),
]


@pytest.mark.parametrize(("first", "second", "expected", "ran"), CASES)
def test_conditions_and_results(play, first, second, expected, ran):
    text = "jobs:\n- job: j\n  steps:\n  - checkout: none\n"
    for name, (result, condition, go_on) in (("one", first), ("two", second)):
        text += (
            f"  - script: echo '##vso[task.complete result={result}]'\n"
            f"    name: {name}\n    condition: {condition}\n    continueOnError: {go_on}\n"
        )
    played = play(text)
    assert played.result == expected
    assert (played.results["two"] != "skipped") is ran
    (stage,) = played.document["stages"]
    assert [job["result"] for job in stage["jobs"]] == [expected]


def test_a_disabled_step_is_not_there(play):
    played = play(steps("{script: exit 1, enabled: false}", "{script: echo, name: s}"))
    assert played.results == {"s": "succeeded"}


def test_a_job_that_takes_too_long_is_canceled(play):
    played = play(
        steps(
            "{script: sleep 600, name: slow}",
            "{script: echo, name: after}",
            "{script: echo $AGENT_JOBSTATUS, name: always, condition: always()}",
        ),
        change=shortened(job=0.5),
    )
    assert played.results == {"slow": "canceled", "after": "skipped", "always": "succeeded"}
    assert played.lines("always") == ["Canceled"]
    assert played.result == "canceled"
    assert "ran longer than the maximum time" in played.console


def test_a_step_that_may_run_anyway_survives_the_cancellation(play):
    played = play(
        steps("{script: 'sleep 1; echo finished', name: s, condition: always()}"),
        change=shortened(job=0.3),
    )
    assert played.lines("s") == ["finished"]
    assert played.results["s"] == "succeeded"
    assert played.result == "canceled"


def test_what_a_step_leaves_running_ends_with_the_job(play):
    played = play(steps("{bash: 'sleep 60 > /dev/null 2>&1 & echo $!', name: s}"))
    (pid,) = played.lines("s")
    # "bash" until the shell's child has become what it was asked to be
    assert re.search(rf"Terminate orphan process: pid {pid} \((sleep|bash)\)", played.console)


def test_the_temporary_folder_is_empty_for_each_job_and_at_the_end(play):
    played = play(
        """
        jobs:
        - job: a
          steps: [{script: touch $AGENT_TEMPDIRECTORY/left; ls $AGENT_TEMPDIRECTORY, name: s}]
        - job: b
          dependsOn: a
          steps: [{script: ls $AGENT_TEMPDIRECTORY, name: t}]
        """.replace(
            "{script: touch $AGENT_TEMPDIRECTORY/left; ls $AGENT_TEMPDIRECTORY,",
            "{script: 'touch $AGENT_TEMPDIRECTORY/left; ls $AGENT_TEMPDIRECTORY',",
        )
    )
    assert "left" in played.lines("s")
    assert "left" not in played.lines("t")
    assert list((Path(played.document["folder"]) / "_work" / "_temp").iterdir()) == []
