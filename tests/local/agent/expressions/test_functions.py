"""The built-in functions: examples of MicrosoftDocs/azure-devops-docs expressions.md at 0003e52."""

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
]


@pytest.mark.parametrize(("text", "expected"), VALUES)
def test_values_and_functions(text, expected):
    actual = evaluate(text, CONTEXT)
    assert (actual if isinstance(expected, bool) else to_string(actual)) == expected
