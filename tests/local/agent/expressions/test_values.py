"""How values are converted and compared.

Rules and examples: MicrosoftDocs/azure-devops-docs docs/pipelines/process/expressions.md at
0003e52. Times and numbers: actions/runner src/Sdk/DTExpressions/Expressions/EvaluationResult.cs at
18b5987.
"""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

import pytest

from local.agent.expressions.language import Context, evaluate
from local.agent.expressions.values import to_string

CONTEXT = Context(
    values={
        "variables": {"letters": "ABC", "numbers": "123", "empty": ""},
        "foo": [{"id": Decimal(1), "a": "x"}, {"id": Decimal(2)}, {"id": Decimal(3)}],
        "map": {"one": {"id": "1"}, "two": {"id": "2"}},
        "start": datetime(2019, 5, 7, 21, 7, 3),
    }
)


VALUES = [
    ("format('{0}', start)", "2019-05-07 21:07:03+00:00"),
    ("format('{0}', 0.123456789)", "0.1234568"),
    ("format('{0}', 100)", "100"),
    ("eq(start, '2019-05-07T22:07:03+01:00')", True),
    ("eq(start, '2019/5/7 21:7:3.0Z')", True),
    ("eq(start, 'yesterday')", False),
    ("ge(start, '2019-05-07 21:07:03Z')", True),
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
def test_conversions(text, expected):
    actual = evaluate(text, CONTEXT)
    assert (actual if isinstance(expected, bool) else to_string(actual)) == expected
