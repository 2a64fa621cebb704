"""Jobs: conditions, results, retries, time limits, clean-up.

The tables on conditions and results are those of the agent's src/Test/L0/Worker/StepsRunnerL0.cs
at 42bde98; each step is a real shell.
"""

from __future__ import annotations

import dataclasses
import re
import time
from pathlib import Path

import pytest

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


def steps(*lines):
    return "steps:\n- checkout: none\n" + "".join(f"- {line}\n" for line in lines)


def test_a_condition_that_cannot_be_evaluated_fails_the_step(play):
    played = play(
        steps("{script: echo, name: s, condition: \"gt(1, variables['a'])\"}", "script: echo"),
        variables={"a": "x"},
    )
    assert played.results == {"s": "failed", "CmdLine": "skipped"}
    assert "cannot compare" in played.step("s")["issues"][0]["message"]


def test_a_disabled_step_is_not_there(play):
    played = play(steps("{script: exit 1, enabled: false}", "{script: echo, name: s}"))
    assert played.results == {"s": "succeeded"}


@pytest.mark.parametrize(
    ("script", "result", "message"),
    [
        ("exit 3", "failed", "exited with code '3'."),
        ("echo '##vso[task.complete result=Succeeded]'; exit 3", "failed", "exited with code '3'."),
        ("echo '##vso[task.logissue type=error]bad'", "succeeded", "bad"),
        ("echo '##vso[task.complete result=SucceededWithIssues]'", "succeededWithIssues", None),
        ("echo '##vso[task.nosuch]'", "failed", "is not a recognized command"),
        ("echo '##vso[task.complete result=Canceled]'", "canceled", None),
    ],
)
def test_results_of_a_step(play, script, result, message):
    played = play(steps(f'{{script: "{script}", name: s}}'))
    assert played.results["s"] == result
    issues = played.step("s")["issues"]
    assert (message is None) is (issues == [])
    assert message is None or message in issues[-1]["message"]


def test_failing_on_standard_error(play):
    line = "{bash: 'echo oops >&2', name: s, failOnStderr: true}"
    assert play(steps(line)).results["s"] == "failed"
    assert play(steps(line.replace("true", "false"))).results["s"] == "succeeded"


def test_a_step_is_tried_again(play):
    script = (
        "echo try >> $AGENT_TEMPDIRECTORY/tries; test $(wc -l < $AGENT_TEMPDIRECTORY/tries) -ge 2"
    )
    began = time.monotonic()
    played = play(steps(f"{{bash: '{script}', name: s, retryCountOnTaskFailure: 3}}"))
    assert played.results["s"] == "succeeded"
    assert time.monotonic() - began >= 1
    (warning,) = played.step("s")["issues"]
    assert "will retry (attempt #: 1 out of 3) after 1000 ms" in warning["message"]


def test_a_failed_result_is_tried_again_too(play):
    script = 'test -e again || echo "##vso[task.complete result=Failed]"; touch again'
    played = play(steps(f"{{bash: '{script}', name: s, retryCountOnTaskFailure: 1}}"))
    assert played.results["s"] == "succeeded"


def shortened(**limits):
    """Give the first job or step fractions of a minute, which a file cannot."""

    def change(prepared):
        (stage,) = prepared.pipeline.stages
        (job,) = stage.jobs
        planned = prepared.plan[stage.name, job.name]
        if "step" in limits:
            step = dataclasses.replace(planned[0].step, timeout_minutes=limits["step"] / 60)
            planned = (dataclasses.replace(planned[0], step=step), *planned[1:])
        if "job" in limits:
            job = dataclasses.replace(job, timeout_minutes=limits["job"] / 60)
        stage = dataclasses.replace(stage, jobs=(job,))
        pipeline = dataclasses.replace(prepared.pipeline, stages=(stage,))
        plan = {(stage.name, job.name): planned}
        return dataclasses.replace(prepared, pipeline=pipeline, plan=plan)

    return change


def test_a_step_that_takes_too_long_fails(play):
    began = time.monotonic()
    played = play(
        steps("{script: sleep 30, name: slow}", "{script: echo, name: after, condition: failed()}"),
        change=shortened(step=0.5),
    )
    assert played.results == {"slow": "failed", "after": "succeeded"}
    assert played.step("slow")["issues"][-1]["message"] == "The task has timed out."
    assert time.monotonic() - began < 10


def test_a_job_that_takes_too_long_is_canceled(play):
    played = play(
        steps(
            "{script: sleep 30, name: slow}",
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


def test_expansion_warnings_show(play):
    played = play(steps("script: echo"), variables={"a": "$(b)", "b": "$(a)"})
    assert "Unable to expand variable 'a'. A cyclical reference was detected." in played.console
    assert played.result == "succeeded"


def test_done_true_leaves_the_process(play, make_vsix, task_json, monkeypatch):
    monkeypatch.setattr("local.agent.job.step_record.FORCE_COMPLETE_S", 0.2)
    script = "console.log('##vso[task.complete result=Succeeded;done=true]');"
    script += "setInterval(() => {}, 1000);"
    vsix = make_vsix((task_json("Stay"), {"main.js": script}))
    began = time.monotonic()
    played = play(steps("{task: Stay@1, name: s}"), vsix=vsix)
    assert played.results["s"] == "succeeded"
    assert time.monotonic() - began < 10
    assert "Terminate orphan process" in played.console


def test_a_task_that_crashes(play, make_vsix, task_json):
    vsix = make_vsix((task_json("Crash"), {"main.js": "process.exit(9)"}), (task_json("Empty"), {}))
    played = play(
        steps("{task: Crash@1, name: s}", "{task: Empty@1, name: t, condition: always()}"),
        vsix=vsix,
    )
    assert played.results == {"s": "failed", "t": "failed"}
    assert (
        "Exit code 9 returned from process: file name" in played.step("s")["issues"][0]["message"]
    )
    assert "has no file main.js" in played.step("t")["issues"][0]["message"]
