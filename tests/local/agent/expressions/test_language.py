"""Parsing and evaluating: variables, short circuits, and one sentence for every mistake."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from local.agent.expressions.functions import Function
from local.agent.expressions.language import Context, condition, evaluate
from local.agent.expressions.values import ExpressionError, Value
from local.agent.session.outcomes import step_context


@pytest.mark.parametrize(
    ("text", "variables", "expected"),
    [
        ("eq(variables.someVARIABLE, 'someVALUE')", {"SOMEvariable": "SOMEvalue"}, True),
        ("eq(variables['some.VARIABLE'], 'someVALUE')", {"SOME.variable": "SOMEvalue"}, True),
        ("eq(variables.nosuch, '')", {"SomeVariable": "SomeValue"}, True),
        ("eq(variables['some.VARIABLE'], 'other value')", {"SOME.variable": "SOMEvalue"}, False),
        ("eq(variables.nosuch, 'SomeValue')", {"SomeVariable": "SomeValue"}, False),
    ],
)
def test_variables(text, variables, expected):
    assert condition(text, step_context(None, variables)) is expected


def test_later_arguments_may_go_unused():
    calls = []

    def spy(arguments: Sequence[Value]) -> Value:
        calls.append(arguments)
        return True

    context = Context(functions={"spy": Function(0, 0, spy)})
    assert evaluate("and(false, spy())", context) is False
    assert evaluate("or(true, spy())", context) is True
    assert evaluate("iif(true, 'a', spy())", context) == "a"
    assert evaluate("coalesce('a', spy())", context) == "a"
    assert calls == []


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("", "there is nothing in the expression"),
        ("nosuch", "'nosuch' is not available here"),
        ("dependencies.A.result", "'dependencies' is not available here"),
        ("suceeded()", "the function 'suceeded' is unknown"),
        ("eq(1)", "cannot take 1 arguments"),
        ("eq(1, 2", "')' is missing"),
        ("eq(1 2)", "',' is missing before '2'"),
        ("'open", "unexpected ''open'"),
        ("eq(1, 2) x", "unexpected 'x'"),
        ("1.2.3.4.5", "neither a number nor a version"),
        ("gt(1, 'one')", "cannot compare"),
        ("format('{1}', 'a')", "asks for argument 1"),
        ("format('{0}', variables)", "a mapping cannot be converted to text"),
        ("upper(split('a', 'b'))", "a list cannot be converted to text"),
        ("gt(split('a', 'b'), 1)", "cannot compare a list with '1'"),
        ("a == b", "unexpected '== b'"),
    ],
)
def test_mistakes_are_named(text, part):
    with pytest.raises(ExpressionError) as caught:
        evaluate(text, Context(values={"a": None, "variables": {}}))
    assert part in str(caught.value)
