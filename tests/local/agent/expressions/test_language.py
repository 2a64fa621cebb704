"""The expression language.

Cases of the agent's src/Test/L0/Worker/ExpressionManagerL0.cs at 42bde98, and the rules and
examples of MicrosoftDocs/azure-devops-docs docs/pipelines/process/expressions.md at 0003e52.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal

import pytest

from local.agent.expressions.functions import Function
from local.agent.expressions.language import Context, condition, evaluate
from local.agent.expressions.values import ExpressionError, Value, to_string
from local.agent.session.outcomes import graph_functions, step_context
from local.agent.session.task_result import Result

STATUSES = [
    None,
    Result.Canceled,
    Result.Failed,
    Result.Succeeded,
    Result.SucceededWithIssues,
]


@pytest.mark.parametrize(
    ("function", "expected"),
    [
        ("always()", [True, True, True, True, True]),
        ("canceled()", [False, True, False, False, False]),
        ("failed()", [False, False, True, False, False]),
        ("succeeded()", [True, False, False, True, True]),
        ("succeededOrFailed()", [True, False, True, True, True]),
    ],
)
def test_status_functions_of_steps(function, expected):
    actual = [condition(function, step_context(status, {})) for status in STATUSES]
    assert actual == expected


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


CONTEXT = Context(
    values={
        "variables": {"letters": "ABC", "numbers": "123", "empty": ""},
        "foo": [{"id": Decimal(1), "a": "x"}, {"id": Decimal(2)}, {"id": Decimal(3)}],
        "map": {"one": {"id": "1"}, "two": {"id": "2"}},
        "start": datetime(2019, 5, 7, 21, 7, 3),
    }
)

VALUES = [
    ("true", True),
    ("FALSE", False),
    ("-1.2", "-1.2"),
    (".5", "0.5"),
    ("'It''s OK'", "It's OK"),
    ("1.2.3.4", "1.2.3.4"),
    ("and(eq(variables.letters, 'ABC'), eq(variables.numbers, 123))", True),
    ("coalesce(variables.nosuch, variables.empty, 'literal')", "literal"),
    ("contains('ABCDE', 'bcd')", True),
    ("containsValue(map.*.id, 2)", True),
    ("containsValue(foo.*.id, '4')", False),
    ("endsWith('ABCDE', 'de')", True),
    ("startsWith('ABCDE', 'ab')", True),
    ("format('Hello {0} {1}', 'John', 'Doe')", "Hello John Doe"),
    ("format('literal {{ and }} {0}', true)", "literal { and } True"),
    ("format('{0:yyyyMMdd}', start)", "20190507"),
    ("format('{0:yy M d H m s}', start)", "19 5 7 21 7 3"),
    ("format('{0:HH\\:mm\\:ss}', start)", "21:07:03"),
    ("format('{0:fff zzz K}', start)", "000 +00:00 +00:00"),
    ("format('{0}', start)", "2019-05-07 21:07:03+00:00"),
    ("format('{0}', 0.123456789)", "0.1234568"),
    ("format('{0}', 100)", "100"),
    ("eq(start, '2019-05-07T22:07:03+01:00')", True),
    ("eq(start, '2019/5/7 21:7:3.0Z')", True),
    ("eq(start, 'yesterday')", False),
    ("ge(start, '2019-05-07 21:07:03Z')", True),
    ("join(';', map.*)", ";"),
    ("ge(5, 5)", True),
    ("gt(5, 2)", True),
    ("in('B', 'A', 'b', 'C')", True),
    ("in('B')", False),
    ("notIn('D', 'A', 'B', 'C')", True),
    ("join(';', foo.*.id)", "1;2;3"),
    ("join(';', 'x')", "x"),
    ("le(2, 2)", True),
    ("lt(2, 5)", True),
    ("ne(1, 2)", True),
    ("not(eq(1, 2))", True),
    ("xor(True, False)", True),
    ("upper(lower('Ab'))", "AB"),
    ("replace('a.b', '.', '-')", "a-b"),
    ("trim('  a ')", "a"),
    ("length(foo)", "3"),
    ("join('|', split('a,b', ','))", "a|b"),
    ("iif(eq(1, 2), 'a', 'b')", "b"),
    ("foo[1].id", "2"),
    ("foo[9].id", ""),
    ("map['ONE'].id", "1"),
    ("convertToJson(map)", '{\n  "one": {\n    "id": "1"\n  },\n  "two": {\n    "id": "2"\n  }\n}'),
    # Conversion: the right side takes the left side's type.
    ("eq(true, 'x')", True),
    ("eq(false, '')", True),
    ("eq(1, '1.0')", True),
    ("eq('1.0', 1)", False),
    ("eq(1, 'one')", False),
    ("ne(1, 'one')", True),
    ("eq(1000, '1,000')", True),
    ("eq(0, variables.nosuch)", True),
    ("eq(variables.nosuch, 'x')", False),
    ("eq('True', true)", True),
    ("eq(1.2.3, '1.2.3')", True),
    ("lt('10', '9')", True),
    ("lt(9, '10')", True),
    ("gt(1.10.0, '1.9.9')", True),
    ("gt('b', 'A')", True),
]


@pytest.mark.parametrize(("text", "expected"), VALUES)
def test_values_and_functions(text, expected):
    actual = evaluate(text, CONTEXT)
    assert (actual if isinstance(expected, bool) else to_string(actual)) == expected


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


UPSTREAM = {"a": Result.Succeeded, "b": Result.Failed, "c": Result.Skipped}


@pytest.mark.parametrize(
    ("text", "canceled", "expected"),
    [
        ("succeeded()", False, False),
        ("succeeded('A')", False, True),
        ("succeeded('a', 'c')", False, False),
        ("failed()", False, True),
        ("failed('a')", False, False),
        ("succeededOrFailed()", False, True),
        ("succeededOrFailed()", True, False),
        ("succeeded('a')", True, False),
        ("always()", True, True),
        ("canceled()", True, True),
        ("not(canceled())", False, True),
    ],
)
def test_status_functions_of_stages_and_jobs(text, canceled, expected):
    context = Context(functions=graph_functions(UPSTREAM, canceled=canceled))
    assert condition(text, context) is expected
