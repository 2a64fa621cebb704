"""Template files of the pipeline's own repository."""

from __future__ import annotations

import textwrap

import pytest

from local.agent.definition.pipeline_file import read_pipeline
from local.agent.errors import PipelineFileError


@pytest.fixture
def read_files(tmp_path):
    """Write files below a repository and read ``azure-pipelines.yml`` among them."""

    def read(**files):
        for name, text in files.items():
            path = tmp_path / name.replace("__", "/")
            path = path.with_name(path.name.replace("_yml", ".yml"))
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(textwrap.dedent(text), encoding="utf-8")
        main = tmp_path / ("ci/main.yml" if "ci__main_yml" in files else "main.yml")
        return read_pipeline(
            main,
            variables={"Build.Reason": "Manual"},
            overrides={},
            parameters={},
            repository=tmp_path,
        )

    return read


def shape(pipeline):
    """Return each stage's jobs with the scripts of their steps."""
    return {
        stage.name: {
            job.name: [step.inputs["script"] for step in job.steps if "script" in step.inputs]
            for job in stage.jobs
        }
        for stage in pipeline.stages
    }


def test_steps_with_parameters(read_files):
    pipeline = read_files(
        main_yml="""
        variables: {who: me}
        steps:
        - script: before
        - template: parts/steps.yml
          parameters:
            count: 2
            extra: [{script: extra}]
        - ${{ if eq(variables['Build.Reason'], 'Manual') }}:
          - template: parts/steps.yml@self
            parameters: {loud: true}
        """,
        parts__steps_yml="""
        parameters:
        - {name: count, type: number, default: 1}
        - {name: loud, type: boolean, default: false}
        - {name: extra, type: stepList, default: []}
        steps:
        - ${{ if parameters.loud }}:
          - script: LOUD
        - script: ${{ parameters.count }} ${{ variables.who }}
        - ${{ parameters.extra }}
        """,
    )
    assert shape(pipeline) == {"__default": {"Job": ["before", "2 me", "extra", "LOUD", "1 me"]}}


def test_jobs_and_stages(read_files):
    pipeline = read_files(
        main_yml="""
        stages:
        - template: stages.yml
          parameters: {name: One}
        - stage: Two
          jobs:
          - template: /deep/jobs.yml
            parameters:
              jobs: [{job: given, steps: [{script: given}]}]
        """,
        stages_yml="""
        parameters: {name: Default}
        stages:
        - stage: ${{ parameters.name }}
          variables: {x: '${{ parameters.name }}!'}
          jobs: [{job: a, steps: [{script: '${{ variables.x }}'}]}]
        """,
        deep__jobs_yml="""
        parameters:
        - {name: jobs, type: jobList, default: []}
        jobs:
        - ${{ each job in parameters.jobs }}:
          - ${{ each pair in job }}:
              ${{ if ne(pair.key, 'steps') }}:
                ${{ pair.key }}: ${{ pair.value }}
            steps:
            - template: ../steps.yml
            - ${{ job.steps }}
        """,
        steps_yml="steps: [{script: wrapped}]\n",
    )
    assert shape(pipeline) == {"One": {"a": ["One!"]}, "Two": {"given": ["wrapped", "given"]}}
    assert pipeline.stages[1].depends_on == ("One",)


def test_variables(read_files):
    pipeline = read_files(
        main_yml="""
        variables:
        - {name: env, value: dev}
        - template: vars.yml
          parameters: {region: west}
        - {name: last, value: '${{ variables.group }}-${{ variables.size }}'}
        steps: [{script: '${{ variables.last }}'}]
        """,
        vars_yml="""
        parameters: [{name: region, type: string}]
        variables:
          group: rg-${{ variables.env }}-${{ parameters.region }}
          ${{ if eq(variables.env, 'dev') }}:
            size: small
          runtime: $[ eq(1, 1) ]
        """,
    )
    found = {one.name: one.value for one in pipeline.variables}
    assert found["last"] == "rg-dev-west-small"
    assert (
        next(one for one in pipeline.variables if one.name == "runtime").expression == " eq(1, 1) "
    )
    assert shape(pipeline)["__default"]["Job"] == ["rg-dev-west-small"]


def test_extends(read_files):
    pipeline = read_files(
        ci__main_yml="""
        name: numbered
        variables: {mine: here}
        extends:
          template: ../base.yml
          parameters:
            buildSteps: [{script: given}, {template: own.yml}]
        """,
        ci__own_yml="steps: [{script: own}]\n",
        base_yml="""
        parameters: [{name: buildSteps, type: stepList}]
        variables: [{name: base, value: 'of ${{ variables.mine }}'}]
        jobs:
        - job: safe
          steps:
          - script: before ${{ variables.base }}
          - ${{ parameters.buildSteps }}
        """,
    )
    assert shape(pipeline) == {"__default": {"safe": ["before of here", "given", "own"]}}
    assert {one.name: one.value for one in pipeline.variables} == {
        "mine": "here",
        "base": "of here",
    }
    assert pipeline.name_format == "numbered"


def test_a_template_may_be_chosen_by_an_expression(read_files):
    pipeline = read_files(
        main_yml="variables: {kind: b}\nsteps: [{template: '${{ variables.kind }}.yml'}]\n",
        b_yml="steps: [{script: chosen}]\n",
    )
    assert shape(pipeline)["__default"]["Job"] == ["chosen"]


def test_mistakes_in_a_template_are_shown_there(read_files):
    with pytest.raises(PipelineFileError) as caught:
        read_files(main_yml="steps: [{template: s.yml}]\n", s_yml="steps:\n- scrip: a\n")
    assert "/s.yml:2: " in str(caught.value)
    assert "did you mean 'script'?" in str(caught.value)


@pytest.mark.parametrize(
    ("main", "part"),
    [
        ("steps: [{template: nosuch.yml}]", "nosuch.yml' does not exist; paths are relative to"),
        (
            "steps: [{template: a.yml@other}]",
            "is in another repository, which the local agent does",
        ),
        ("steps: [{template: ../a.yml}]", "is outside of the repository"),
        ("steps: [{template: a.yml, parameter: {}}]", "did you mean 'parameters'?"),
        ("steps: [{template: a.yml, parameters: {whoo: x}}]", "did you mean 'who'?"),
        ("steps: [{template: a.yml, parameters: [x]}]", "must be a mapping of names to values"),
        ("steps: [{template: a.yml}]", "needs the parameter 'who', which has no default"),
        ("steps: [{template: a.yml, parameters: {who: [x]}}]", "must be a string"),
        ("jobs: [{template: a.yml, parameters: {who: x}}]", "no key 'steps'; valid here: jobs"),
        ("steps: [{template: loop.yml}]", "do they include each other?"),
        ("steps: [{template: }]", "'template' must be the path of a file"),
        ("extends: a.yml", "'extends' needs a mapping with a 'template'"),
        ("template: a.yml", "'template' in a pipeline is not supported"),
    ],
)
def test_mistakes(read_files, main, part):
    with pytest.raises(PipelineFileError) as caught:
        read_files(
            main_yml=main + "\n",
            a_yml="parameters: [{name: who}]\nsteps: [{script: a}]\n",
            loop_yml="steps: [{template: loop.yml}]\n",
        )
    assert part in str(caught.value)
