"""Steps: shorthands, names, targets, and what cannot be read."""

from __future__ import annotations

from pathlib import Path

import pytest

from local.agent.definition.document import parse
from local.agent.definition.fields import Fields
from local.agent.definition.step_syntax import (
    checkout_step,
    download_artifacts_step,
    download_step,
    read_steps,
)
from local.agent.errors import PipelineFileError


def steps(*lines):
    text = "steps:\n" + "".join(f"- {line}\n" for line in lines)
    return read_steps(Fields(parse(text, Path("file.yml")), "job a", ("steps",)))


@pytest.mark.parametrize(
    ("line", "task", "inputs"),
    [
        ("script: a", "CmdLine@2", {"script": "a"}),
        ("{script: a, workingDirectory: b}", "CmdLine@2", {"script": "a", "workingDirectory": "b"}),
        ("bash: a", "Bash@3", {"targetType": "inline", "script": "a"}),
        ("pwsh: a", "PowerShell@2", {"targetType": "inline", "pwsh": "true", "script": "a"}),
        ("powershell: a", "PowerShell@2", {"targetType": "inline", "pwsh": "false", "script": "a"}),
        (
            "{publish: out, artifact: drop}",
            "PublishPipelineArtifact@1",
            {"targetPath": "out", "artifactName": "drop"},
        ),
        (
            "{download: current, artifact: drop}",
            "DownloadPipelineArtifact@2",
            {
                "source": "current",
                "artifactName": "drop",
                "path": "$(Pipeline.Workspace)/drop",
            },
        ),
    ],
)
def test_shorthands_become_the_tasks_that_the_service_makes(line, task, inputs):
    (step,) = steps(line)
    assert (step.task, dict(step.inputs)) == (task, inputs)


def test_steps_without_a_name_are_numbered():
    found = steps("script: a", "script: b", "{script: c, name: mine}")
    assert [step.name for step in found] == ["CmdLine", "CmdLine1", "mine"]
    assert found[0].display_name == "CmdLine"


@pytest.mark.parametrize(
    ("target", "restricted", "settable"),
    [
        ("host", False, None),
        ("{commands: restricted}", True, None),
        ("{settableVariables: none}", False, ()),
        ("{settableVariables: [a, b*]}", False, ("a", "b*")),
    ],
)
def test_targets(target, restricted, settable):
    (step,) = steps(f"{{script: a, target: {target}}}")
    assert (step.restricted_commands, step.settable_variables) == (restricted, settable)


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("{script: a, target: ubuntu}", "the target 'ubuntu' is a container"),
        ("{script: a, target: {commands: few}}", "'commands' must be any or restricted"),
        ("{script: a, target: {settableVariables: some}}", "none or a list of names"),
        ("task: Bash", "write Name@Major, for example Bash@3"),
        ("task: Bash@x", "'Bash@x' does not name a task"),
        ("scirpt: a", "did you mean 'script'?"),
        ("echo", "a step must be a mapping"),
        ("getPackage: a", "'getPackage' steps are not supported"),
        ("checkout: other", "can check out self or none, not 'other'"),
        ("{checkout: self, lfs: true}", "cannot check out with 'lfs'"),
        ("{checkout: self, sparseCheckoutPatterns: a}", "checks out all files"),
        ("download: other", "can download from current or none"),
        ("{script: a, name: 'a b'}", "'a b' cannot name a step"),
        ("{script: a, condition: 'eq(1'}", "file.yml:2: "),
        ("{script: a, condition: 'succeeded(1)'}", "file.yml:2: "),
        ("{script: a, timeoutInMinutes: soon}", "must be a whole number"),
    ],
)
def test_mistakes_have_their_line(line, words):
    with pytest.raises(PipelineFileError) as refused:
        steps(line)
    assert words in str(refused.value)
    assert refused.value.line == 2


def test_a_job_needs_steps_with_different_names():
    with pytest.raises(PipelineFileError, match="job a needs steps"):
        read_steps(Fields(parse("steps: []\n", Path("file.yml")), "job a", ("steps",)))
    with pytest.raises(PipelineFileError, match="two steps of this job are called 'A'"):
        steps("{script: x, name: a}", "{script: y, name: A}")


def test_what_the_service_adds():
    assert checkout_step().inputs == {"repository": "self"}
    assert download_step().inputs["source"] == "current"
    assert download_artifacts_step(["_a", "_b"]).inputs == {"aliases": "_a\n_b"}
