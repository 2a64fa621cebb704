"""One step: conditions, results, retries, time limits."""

from __future__ import annotations

import pytest

from tests.local.agent.job.shortened import shortened, steps


def test_a_condition_that_cannot_be_evaluated_fails_the_step(play):
    played = play(
        steps("{script: echo, name: s, condition: \"gt(1, variables['a'])\"}", "script: echo"),
        variables={"a": "x"},
    )
    assert played.results == {"s": "failed", "CmdLine": "skipped"}
    assert "cannot compare" in played.step("s")["issues"][0]["message"]


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


def test_a_step_is_tried_again(play):
    script = (
        "echo try >> $AGENT_TEMPDIRECTORY/tries; test $(wc -l < $AGENT_TEMPDIRECTORY/tries) -ge 2"
    )
    played = play(steps(f"{{bash: '{script}', name: s, retryCountOnTaskFailure: 3}}"))
    assert played.results["s"] == "succeeded"
    (warning,) = played.step("s")["issues"]
    assert "will retry (attempt #: 1 out of 3) after 1000 ms" in warning["message"]


def test_a_failed_result_is_tried_again_too(play):
    script = 'test -e again || echo "##vso[task.complete result=Failed]"; touch again'
    played = play(steps(f"{{bash: '{script}', name: s, retryCountOnTaskFailure: 1}}"))
    assert played.results["s"] == "succeeded"


def test_a_step_that_takes_too_long_fails(play):
    played = play(
        steps(
            "{script: sleep 600, name: slow}", "{script: echo, name: after, condition: failed()}"
        ),
        change=shortened(step=0.5),
    )
    assert played.results == {"slow": "failed", "after": "succeeded"}
    assert played.step("slow")["issues"][-1]["message"] == "The task has timed out."


def test_expansion_warnings_show(play):
    played = play(steps("script: echo"), variables={"a": "$(b)", "b": "$(a)"})
    assert "Unable to expand variable 'a'. A cyclical reference was detected." in played.console
    assert played.result == "succeeded"


def test_done_true_leaves_the_process(play, make_vsix, task_json, monkeypatch):
    monkeypatch.setattr("local.agent.job.step_record.FORCE_COMPLETE_S", 0.2)
    script = "console.log('##vso[task.complete result=Succeeded;done=true]');"
    script += "setInterval(() => {}, 1000);"
    vsix = make_vsix((task_json("Stay"), {"main.js": script}))
    played = play(steps("{task: Stay@1, name: s}"), vsix=vsix)
    assert played.results["s"] == "succeeded"
    assert "Terminate orphan process" in played.console
