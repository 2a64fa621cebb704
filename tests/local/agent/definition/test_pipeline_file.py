"""Reading pipeline files: shorthand levels, templates, and one sentence for every mistake."""

from __future__ import annotations

import textwrap

import pytest

from local.agent.definition.pipeline_file import read_pipeline
from local.agent.errors import PipelineFileError


def only_job(pipeline):
    ((job,),) = [stage.jobs for stage in pipeline.stages]
    return job


def scripts(pipeline):
    return [
        step.inputs["script"]
        for stage in pipeline.stages
        for job in stage.jobs
        for step in job.steps
        if "script" in step.inputs
    ]


class TestLevels:
    def test_steps_alone_are_one_job_with_a_checkout(self, read):
        job = only_job(read("steps:\n- script: echo\n"))
        assert [step.task for step in job.steps] == ["checkout", "CmdLine@2"]

    def test_checkout_none_suppresses_it(self, read):
        job = only_job(read("steps:\n- checkout: none\n- script: echo\n"))
        assert [step.task for step in job.steps] == ["CmdLine@2"]

    def test_stages_follow_each_other_unless_they_say_so(self, read):
        pipeline = read(
            """
            stages:
            - stage: a
              jobs: [{job: x, steps: [{script: echo}]}]
            - stage: b
              jobs: [{job: x, steps: [{script: echo}]}]
            - stage: c
              dependsOn: []
              jobs: [{job: x, steps: [{script: echo}]}]
            - stage: d
              dependsOn: [a, c]
              jobs: [{job: x, steps: [{script: echo}]}]
            """
        )
        expected = [(), ("a",), (), ("a", "c")]
        assert [stage.depends_on for stage in pipeline.stages] == expected

    def test_shorthands_become_tasks(self, read):
        job = only_job(
            read(
                """
                steps:
                - bash: one
                - pwsh: two
                - publish: a/b
                  artifact: drop
                - download: current
                  artifact: drop
                - task: Hello@1
                  inputs: {who: me}
                """
            )
        )
        found = [(step.task, dict(step.inputs)) for step in job.steps[1:]]
        assert found == [
            ("Bash@3", {"targetType": "inline", "script": "one"}),
            ("PowerShell@2", {"targetType": "inline", "pwsh": "true", "script": "two"}),
            ("PublishPipelineArtifact@1", {"targetPath": "a/b", "artifactName": "drop"}),
            (
                "DownloadPipelineArtifact@2",
                {"source": "current", "artifactName": "drop", "path": "$(Pipeline.Workspace)/drop"},
            ),
            ("Hello@1", {"who": "me"}),
        ]

    def test_a_deployment_job_downloads_instead_of_checking_out(self, read):
        job = only_job(
            read(
                """
                jobs:
                - deployment: web
                  environment: prod
                  strategy: {runOnce: {deploy: {steps: [{script: echo}]}}}
                """
            )
        )
        assert (job.deployment, job.environment) == (True, "prod")
        assert [s.task for s in job.steps] == ["DownloadPipelineArtifact@2", "CmdLine@2"]

    def test_steps_get_names_of_their_own(self, read):
        job = only_job(read("steps:\n- bash: a\n- bash: b\n- bash: c\n  name: mine\n"))
        assert [step.name for step in job.steps[1:]] == ["Bash", "Bash1", "mine"]

    def test_every_setting_of_a_step(self, read):
        step = only_job(
            read(
                """
                steps:
                - script: echo
                  name: s
                  displayName: Say it
                  condition: and(succeeded(), eq(variables.a, 'b'))
                  continueOnError: yes
                  enabled: false
                  timeoutInMinutes: 5
                  retryCountOnTaskFailure: 2
                  env: {A: b}
                  target: {commands: restricted, settableVariables: [ok, metric.*]}
                """
            )
        ).steps[1]
        assert step.display_name == "Say it"
        assert step.condition == "and(succeeded(), eq(variables.a, 'b'))"
        assert (step.continue_on_error, step.enabled) == (True, False)
        assert (step.timeout_minutes, step.retry_count) == (5, 2)
        assert step.env == {"A": "b"}
        assert step.restricted_commands
        assert step.settable_variables == ("ok", "metric.*")


# pipeline text, line of the mistake, part of the sentence
MISTAKES = [
    ("", 0, "the pipeline file is empty"),
    ("- a\n", 1, "a pipeline must be a mapping"),
    ("steps: [\n", 2, "not valid YAML"),
    ("a: &x 1\n", 1, "anchors and aliases are not supported"),
    ("pool: a\npool: b\nsteps: []\n", 2, "the key 'pool' is here twice"),
    ("trigger: none\n", 1, "needs one of stages, jobs or steps; here there is none"),
    ("steps: []\njobs: []\n", 1, "here there is jobs and steps"),
    ("steps:\n- script: a\nvarables: {}\n", 3, "did you mean 'variables'?"),
    ("resources: {}\nsteps: []\n", 1, "'resources' in a pipeline is not supported"),
    ("steps:\n- scrip: a\n", 2, "did you mean 'script'?"),
    ("steps:\n- script: a\n  inputs: {}\n", 3, "a script step has no key 'inputs'"),
    ("steps:\n- script: a\n  displayname: x\n", 3, "did you mean 'displayName'?"),
    ("steps:\n- script: a\n  enabled: maybe\n", 3, "'enabled' must be true or false, not 'maybe'"),
    ("steps:\n- script: a\n  timeoutInMinutes: 1.5\n", 3, "must be a whole number, not '1.5'"),
    ("steps:\n- script: [a]\n", 2, "'script' must be text"),
    ("steps:\n- script: a\n  name: a b\n", 2, "'a b' cannot name a step"),
    ("steps:\n- {script: a, name: x}\n- {script: b, name: X}\n", 3, "two steps of this job"),
    ("steps:\n- script: a\n  condition: succeded()\n", 3, "the function 'succeded' is unknown"),
    ("steps:\n- script: a\n  condition: eq(dependencies.A.result, 'x')\n", 3, "not available here"),
    ("steps:\n- script: a\n  target: box\n", 3, "the target 'box' is a container"),
    ("steps:\n- task: Hello\n", 2, "write Name@Major"),
    ("steps:\n- checkout: other\n", 2, "can check out self or none"),
    ("steps:\n- checkout: self\n  sparseCheckoutDirectories: src\n", 3, "checks out all files"),
    ("steps:\n- checkout: self\n  sparseCheckoutPatterns: src/*\n", 3, "checks out all files"),
    (
        "steps:\n- checkout: self\n  submodules: recursive\n",
        2,
        "cannot check out with 'submodules'",
    ),
    ("steps:\n- download: other\n", 2, "can download from current or none"),
    ("steps: []\n", 1, "a pipeline needs steps"),
    ("jobs:\n- job: a\n", 2, "a job needs steps"),
    ("jobs:\n- job: a\n  strategy: {}\n  steps: []\n", 3, "'strategy' in a job is not supported"),
    (
        "pool: server\nsteps: [{script: a}]\n",
        1,
        "'pool: server' is for a job; write it",
    ),
    (
        "jobs:\n- deployment: a\n  strategy: {canary: {}}\n",
        3,
        "'canary' in a strategy is not supported",
    ),
    ("jobs:\n- job: a b\n  steps: [{script: a}]\n", 2, "'a b' cannot name a job"),
    (
        "jobs:\n- {job: one, steps: [{script: a}]}\n"
        "- {job: b, dependsOn: on, steps: [{script: a}]}\n",
        3,
        "depends on 'on', which does not exist; did you mean 'one'?",
    ),
    (
        "jobs:\n- {job: a, dependsOn: b, steps: [{script: x}]}\n"
        "- {job: b, dependsOn: a, steps: [{script: x}]}\n",
        2,
        "these jobs wait for each other: a, b",
    ),
    ("stages:\n- stage: a\n", 2, "a stage needs jobs"),
    ("stages: []\n", 1, "a pipeline needs stages"),
    ("variables:\n- group:\nsteps: [{script: a}]\n", 2, "needs the group's name"),
    ("stages:\n- stage: a\n  trigger: manual\n  jobs: []\n", 3, "'trigger' in a stage"),
    ("variables:\n- group: g\nsteps: [{script: a}]\n", 2, "the variable group 'g' is neither in"),
    ("variables:\n- value: g\nsteps: [{script: a}]\n", 2, "a variable needs a name"),
    ("variables: {x: '$[ nosuch() ]'}\nsteps: [{script: a}]\n", 1, "variable 'x': the function"),
    ("variables:\n- name: x\n  value: $[ eq(1 ]\nsteps: []\n", 2, "variable 'x': ')' is missing"),
    (
        "jobs:\n- job: a\n  steps: [{script: a}]\n- job: b\n  variables:\n"
        "    typo: $[ eqq(1, 2) ]\n  steps: [{script: a}]\n",
        6,
        "did you mean 'eq'?",
    ),
    (
        "variables: {x: '$[ succeeded() ]'}\nsteps: [{script: a}]\n",
        1,
        "the function 'succeeded' is unknown",
    ),
    (
        "jobs:\n- job: a\n  condition: eq(counter(), 1)\n  steps: [{script: a}]\n",
        3,
        "the function 'counter' is unknown",
    ),
    ("variables: {a: [1]}\nsteps: [{script: a}]\n", 1, "'a' must be text"),
]


@pytest.mark.parametrize(("text", "line", "part"), MISTAKES)
def test_mistakes(read, pipeline_file, text, line, part):
    with pytest.raises(PipelineFileError) as caught:
        read(textwrap.dedent(text))
    path = pipeline_file(text)
    place = f"{path}:{line}: " if line else f"{path}: "
    assert str(caught.value).startswith(place)
    assert part in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_missing_file(tmp_path):
    with pytest.raises(PipelineFileError, match="cannot be read"):
        read_pipeline(tmp_path / "none.yml", variables={}, overrides={}, parameters={})
