"""Before anything runs: the inputs that a pipeline writes are inputs that its tasks have."""

from __future__ import annotations

import pytest

from local.agent.errors import PipelineFileError
from local.agent.job.builtin import BUILT_IN


@pytest.fixture
def vsix(make_vsix, task_json):
    inputs = [
        {"name": "connectedServiceNameARM", "type": "string", "aliases": ["azureSubscription"]},
        {"name": "maxNodes", "type": "string"},
        {"name": "vmPriority", "type": "pickList"},
    ]
    return make_vsix((task_json("Provision", inputs=inputs), {"main.js": ""}))


def step(task, **inputs):
    lines = [f"    {name}: {value}\n" for name, value in inputs.items()]
    return f"steps:\n- task: {task}\n  inputs:\n" + "".join(lines)


@pytest.mark.parametrize(
    ("text", "line", "part"),
    [
        (step("Provision@1", maxNods=1), 4, "no input 'maxNods'; did you mean 'maxNodes'?"),
        (step("Provision@1", maxNodes=1, vmPriorty="x"), 5, "did you mean 'vmPriority'?"),
        (step("Provision@1", azureSubscripton="x"), 4, "did you mean 'azureSubscription'?"),
        (step("Provision@1", zzz="x"), 4, "valid here: azureSubscription, maxNodes, vmPriority"),
        (
            step("Provision@1", azureSubscription="a", connectedServiceNameARM="b"),
            5,
            "the inputs 'azureSubscription' and 'connectedServiceNameARM' of Provision@1 are the",
        ),
        (step("Bash@3", scrip="x"), 4, "the task Bash@3 has no input 'scrip'; did you mean"),
        (step("Bash@3", script="x", bashEnvValue="x"), 5, "'bashEnvValue' of Bash@3 is not supp"),
        (step("CopyFiles@2", Content="x"), 4, "did you mean 'Contents'?"),
        (step("UsePythonVersion@0", versionSpc="3.x"), 4, "did you mean 'versionSpec'?"),
        (step("PublishPipelineArtifact@1", fileSharePath="x"), 4, "'fileSharePath' of Publish"),
    ],
)
def test_an_input_that_the_task_has_not_is_refused(play, vsix, text, line, part):
    with pytest.raises(PipelineFileError) as caught:
        play(text, vsix=vsix)
    assert f"azure-pipelines.yml:{line}: " in str(caught.value)
    assert part in str(caught.value)


def test_names_are_written_in_any_case(play, vsix):
    text = step("Provision@1", MAXNODES=1, AzureSubscription="x")
    assert play(text.replace("- task", "- checkout: none\n- task"), vsix=vsix).result == "succeeded"


def test_an_unsupported_input_may_be_switched_off(play):
    text = step("Bash@3", targetType="inline", script="'true'", bashEnvValue="''")
    assert play(text).result == "succeeded"


def test_classic_definitions_name_their_step(play_build, build_json):
    step = {"inputs": {"targetType": "inline", "scrip": "x"}}
    with pytest.raises(PipelineFileError, match="step 'Bash Script': the task Bash@3 has no input"):
        play_build(build_json({**step, "script": "x"}))


def test_no_input_is_declared_twice():
    for task in BUILT_IN.values():
        names = [name.lower() for name in (*task.inputs, *task.unsupported)]
        assert len(names) == len(set(names))
