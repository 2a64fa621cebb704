"""The status functions of conditions.

Cases of the agent's src/Test/L0/Worker/ExpressionManagerL0.cs at 42bde98.
"""

from __future__ import annotations

import pytest

from local.agent.expressions.language import Context, condition
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
