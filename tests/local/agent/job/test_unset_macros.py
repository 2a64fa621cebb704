"""Macros that nothing replaces: which they are, and what the step's warning says."""

from __future__ import annotations

import pytest

from local.agent.job.unset_macros import unset_macros


@pytest.mark.parametrize(
    ("key", "value", "names"),
    [
        ("runId", "$(train.runId)", ["train.runId"]),
        ("runId", "$(a) $(b-c) $(a)", ["a", "b-c"]),
        ("runId", "$() $(a b) $(1) plain", []),
        ("script", "echo $(date) $(git.commit) $(TRAIN.runId)", ["TRAIN.runId"]),
        ("arguments", "$(pwd)/x", []),
    ],
)
def test_which_they_are(key, value, names):
    assert [macro.name for macro in unset_macros({key: value}, ["train"])] == names


PIPELINE = """
stages:
- stage: Train
  jobs:
  - job: Fit
    steps:
    - checkout: none
    - bash: echo '##vso[task.setvariable variable=runId;isOutput=true]r1'
      name: train
    - {task: Read@1, name: same, inputs: {runId: $(train.runID), path: $(train.runI)}}
    - {task: Read@1, name: early, inputs: {runId: $(late.x)}}
    - {bash: 'true', name: late}
  - job: Other
    dependsOn: Fit
    steps: [{checkout: none}, {task: Read@1, name: other, inputs: {runId: $(train.runId)}}]
  - deployment: Web
    environment: e
    strategy: {runOnce: {deploy: {steps: [{bash: 'true', name: host}]}}}
- stage: Gate
  jobs:
  - job: Judge
    variables: {candidate: x}
    steps:
    - checkout: none
    - {task: Read@1, name: far, inputs: {runId: $(train.runId), path: $(host.url)}}
    - {task: Read@1, name: typo, inputs: {runId: $(candidat)}}
    - {bash: 'echo $(train.runId) || true', name: script}
    - {bash: 'echo $(echo fine)', name: command}
"""


def test_what_the_step_says(play, make_vsix, task_json):
    inputs = [{"name": name, "type": "string"} for name in ("runId", "path")]
    vsix = make_vsix((task_json("Read", inputs=inputs), {"main.js": ""}))
    played = play(PIPELINE, vsix=vsix)

    def said(step):
        return [issue["message"] for issue in played.step(step)["issues"]]

    assert said("same") == [
        "The input path holds $(train.runI), which no variable replaces. The step 'train' of this "
        "job has no output 'runI', only runId."
    ]
    assert said("early") == [
        "The input runId holds $(late.x), which no variable replaces. The step 'late' of this job "
        "has set no output so far."
    ]
    (other,) = said("other")
    assert other.endswith(
        "let the job 'Other' depend on 'Fit', give this job the variable "
        "runId: $[ dependencies.Fit.outputs['train.runId'] ], and write $(runId) here."
    )
    first, second = said("far")
    assert "let the stage 'Gate' depend on 'Train'" in first
    assert "$[ stageDependencies.Train.Fit.outputs['train.runId'] ]" in first
    assert "$[ stageDependencies.Train.Web.outputs['Web.host.url'] ]" in second
    (typo,) = said("typo")
    assert typo.endswith("Set the variable, or correct the name; there is $(candidate).")
    (script,) = said("script")
    assert "$[ stageDependencies.Train.Fit.outputs['train.runId'] ]" in script
    assert said("command") == []
    assert played.result == "succeeded"


def test_the_input_has_the_name_that_the_pipeline_wrote(play, make_vsix, task_json):
    inputs = [{"name": "run", "type": "string", "aliases": ["runId"]}]
    vsix = make_vsix((task_json("Read", inputs=inputs), {"main.js": ""}))
    steps = "steps: [{checkout: none}, {task: Read@1, name: read, inputs: {runId: $(absent)}}]"
    (issue,) = play(steps, vsix=vsix).step("read")["issues"]
    assert issue["message"].startswith("The input runId holds $(absent), which no variable")
