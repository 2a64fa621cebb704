"""Parameters: their types, and what is no value of a type."""

from __future__ import annotations

import pytest

from local.agent.errors import AgentError, PipelineFileError


def value(read, declaration, given=None):
    text = f"parameters:\n- {{name: p, {declaration}}}\n"
    text += "steps: [{script: '${{ convertToJson(parameters.p) }}'}]\n"
    pipeline = read(text, parameters={} if given is None else {"p": given})
    return pipeline.stages[0].jobs[0].steps[1].inputs["script"].replace("\n", "").replace(" ", "")


@pytest.mark.parametrize(
    ("declaration", "given", "expected"),
    [
        ("default: x", None, '"x"'),
        ("default: x", "y", '"y"'),
        ("type: number", "1.0", "1"),
        ("type: boolean, default: false", "TRUE", "true"),
        ("type: object", "{a: [1]}", '{"a":["1"]}'),
        ("type: stringList, default: [a], values: [a, b]", "[b, a]", '["b","a"]'),
        ("type: step, default: {script: x}", None, '{"script":"x"}'),
        ("type: stepList, default: []", "[{script: x}]", '[{"script":"x"}]'),
        ("type: JobList, default: []", None, "[]"),
        ("type: stageList, default: []", "[{stage: x}]", '[{"stage":"x"}]'),
        ("type: number, default: 2, values: [1, 2.0]", None, "2"),
    ],
)
def test_values(read, declaration, given, expected):
    assert value(read, declaration, given) == expected


@pytest.mark.parametrize(
    ("declaration", "given", "part"),
    [
        ("type: string", None, "has no default; give it with --parameter p=..."),
        ("type: number, default: x", None, "must be a number"),
        ("type: number, default: ''", None, "must be a number"),
        ("type: boolean, default: yes please", None, "must be true or false"),
        ("default: [a]", None, "must be a string"),
        ("default: x, values: [y]", None, "must be one of y"),
        ("type: stringList, default: [a, c], values: [a, b]", None, "must be one of a, b"),
        ("type: stepList, default: {script: x}", None, "must be a list (stepList)"),
        ("type: step, default: []", None, "must be a step"),
        ("type: steps", None, "'steps' are not supported; did you mean 'step'?"),
        ("type: container, default: x", None, "the type 'container' are not supported"),
    ],
)
def test_what_is_no_value(read, declaration, given, part):
    with pytest.raises(PipelineFileError) as caught:
        value(read, declaration, given)
    assert part in str(caught.value)


def test_two_of_one_name_are_refused(read):
    with pytest.raises(PipelineFileError, match="two parameters are called 'p'"):
        read("parameters: [{name: p, default: a}, {name: p, default: b}]\nsteps: [{script: a}]\n")


def test_an_unknown_parameter_is_refused(read):
    with pytest.raises(AgentError, match="has no such parameter; did you mean 'who'"):
        read(
            "parameters:\n- {name: who, default: x}\nsteps: [{script: a}]\n",
            parameters={"whoo": "y"},
        )
