"""Compile-time expressions: what they read, what they insert, and their mistakes."""

from __future__ import annotations

import textwrap

import pytest

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


class TestTemplates:
    def test_parameters_and_variables_fill_values(self, read):
        pipeline = read(
            """
            parameters:
            - {name: who, type: string, default: world}
            - {name: count, type: number, default: 2}
            - {name: loud, type: boolean, default: false}
            variables:
              place: here
            steps:
            - script: ${{ parameters.who }} ${{ parameters.count }} ${{ parameters.loud }}
            - script: ${{ variables.place }} ${{ variables['Build.Reason'] }} $(later)
            """,
            variables={"Build.Reason": "Manual"},
            parameters={"who": "you", "loud": "true"},
        )
        assert scripts(pipeline) == ["you 2 True", "here Manual $(later)"]

    def test_conditional_insertion(self, read):
        text = """
        parameters:
        - {name: kind, type: string, default: a, values: [a, b, c]}
        variables:
          ${{ if eq(parameters.kind, 'a') }}:
            x: one
          ${{ elseif eq(parameters.kind, 'b') }}:
            x: two
          ${{ else }}:
            x: three
        steps:
        - ${{ if eq(variables.x, 'one') }}:
          - script: first
        - ${{ else }}:
          - script: other
        - script: ${{ variables.x }}
        """
        found = [scripts(read(text, parameters={"kind": kind})) for kind in "abc"]
        assert found == [["first", "one"], ["other", "two"], ["other", "three"]]

    def test_each_over_lists_and_mappings(self, read):
        pipeline = read(
            """
            parameters:
            - {name: names, type: object, default: [a, {name: b}]}
            - {name: pairs, type: object, default: {k: v, l: w}}
            steps:
            - ${{ each name in parameters.names }}:
              - script: ${{ coalesce(name.name, name) }}
            - ${{ each pair in parameters.pairs }}:
              - script: echo
                env:
                  ${{ pair.key }}: ${{ pair.value }}
            """
        )
        assert scripts(pipeline) == ["a", "b", "echo", "echo"]
        assert [step.env for step in only_job(pipeline).steps[3:]] == [{"k": "v"}, {"l": "w"}]

    def test_insert_and_whole_lists(self, read):
        pipeline = read(
            """
            parameters:
            - {name: extra, type: object, default: {a: b}}
            - {name: steps, type: object, default: [{script: inserted}]}
            steps:
            - ${{ parameters.steps }}
            - script: echo
              env:
                c: d
                ${{ insert }}: ${{ parameters.extra }}
            """
        )
        assert scripts(pipeline) == ["inserted", "echo"]
        assert only_job(pipeline).steps[2].env == {"c": "d", "a": "b"}

    def test_the_command_line_wins_over_the_top_level_only(self, read):
        pipeline = read(
            """
            variables: {a: file, b: file}
            jobs:
            - job: x
              variables: {b: job}
              steps:
              - script: ${{ variables.a }} ${{ variables.b }}
            """,
            overrides={"A": "line", "b": "line"},
        )
        assert scripts(pipeline) == ["line job"]
        assert {one.name: one.value for one in pipeline.variables} == {"A": "line", "b": "line"}


# variables of a block, what ${{ variables.x }} is after it
BLOCKS = [
    ("{a: '1', x: '${{ variables.a }}2'}", "12"),
    ("{x: '${{ variables.a }}2', a: '1'}", "2"),
    ("[{name: a, value: '1'}, {name: x, value: '${{ variables.A }}2'}]", "12"),
    ("[{name: a, value: '1'}, {name: a, value: '2'}, {name: x, value: '${{ variables.a }}'}]", "2"),
    ("[{name: a, value: dev}, {'${{ if eq(variables.a, ''dev'') }}': [{name: x, value: s}]}]", "s"),
    (
        "[{name: a, value: dev}, {'${{ if ne(variables.a, ''dev'') }}': [{name: x, value: s}]},"
        " {'${{ else }}': [{name: x, value: l}]}]",
        "l",
    ),
    (
        "{a: dev, '${{ if eq(variables.a, ''dev'') }}': {x: small, y: '${{ variables.x }}'}}",
        "small",
    ),
    (
        "{'${{ each n in split(''a,b'', '','') }}': {'${{ n }}': '1'},"
        " x: '${{ variables.a }}${{ variables.b }}'}",
        "11",
    ),
    ("{x: '$[ variables.a ]'}", "$[ variables.a ]"),
]


@pytest.mark.parametrize(("block", "value"), BLOCKS)
@pytest.mark.parametrize("level", ["root", "job"])
def test_variables_of_one_block_see_those_before_them(read, block, value, level):
    steps = "steps: [{script: 'got ${{ variables.x }}'}]"
    text = f"variables: {block}\n{steps}\n"
    if level == "job":
        text = f"jobs:\n- job: j\n  variables: {block}\n  {steps}\n"
    assert scripts(read(text)) == [f"got {value}"]


def test_the_command_line_wins_inside_the_block_too(read):
    text = "variables: {env: dev, rg: 'rg-${{ variables.env }}'}\nsteps: [{script: a}]\n"
    pipeline = read(text, overrides={"env": "prod"})
    assert {one.name: one.value for one in pipeline.variables} == {"env": "prod", "rg": "rg-prod"}


def test_an_item_may_be_built_from_pairs(read):
    pipeline = read(
        """
        parameters:
        - name: steps
          type: stepList
          default:
          - script: one
            displayName: shown
          - bash: two
        steps:
        - ${{ each step in parameters.steps }}:
          - ${{ each pair in step }}:
              ${{ if ne(pair.key, 'displayName') }}:
                ${{ pair.key }}: ${{ pair.value }}
        - ${{ if true }}:
            script: three
        - ${{ if false }}:
            script: four
        """
    )
    assert scripts(pipeline) == ["one", "two", "three"]
    assert [step.display_name for step in only_job(pipeline).steps[1:]] == [
        "CmdLine",
        "Bash",
        "CmdLine",
    ]


MISTAKES = [
    ("steps:\n- script: ${{ parameters.a\n", 2, "'${{' has no matching '}}'"),
    ("steps:\n- script: ${{ nosuch }}\n", 2, "'nosuch' is not available here"),
    ("steps:\n- ${{ else }}:\n  - script: a\n", 2, "does not follow an if"),
    ("steps:\n- ${{ if true }}: a\n", 2, "there must be a list below this expression"),
    ("steps:\n- ${{ each a of b }}: []\n", 2, "write '${{ each NAME in EXPRESSION }}'"),
    ("steps:\n- ${{ each a in 'b' }}: []\n", 2, "neither a list nor a mapping"),
    (
        "parameters: [{name: a, type: object, default: {}}]\n"
        "steps:\n- script: x ${{ parameters.a }}\n",
        3,
        "a mapping cannot be converted to text",
    ),
]


@pytest.mark.parametrize(("text", "line", "part"), MISTAKES)
def test_mistakes(read, pipeline_file, text, line, part):
    with pytest.raises(PipelineFileError) as caught:
        read(textwrap.dedent(text))
    assert str(caught.value).startswith(f"{pipeline_file(text)}:{line}: ")
    assert part in str(caught.value)
