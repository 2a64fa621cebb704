"""What an expression may name at each place."""

from __future__ import annotations

import pytest

from local.agent.expressions.contexts import (
    JOB_CONDITION,
    STAGE_CONDITION,
    STEP_CONDITION,
    VARIABLE,
)
from local.agent.expressions.language import check
from local.agent.expressions.values import ExpressionError


@pytest.mark.parametrize(
    ("context", "text"),
    [
        (STEP_CONDITION, "and(succeeded(), eq(variables.a, 'b'))"),
        (JOB_CONDITION, "succeeded('a', 'b')"),
        (JOB_CONDITION, "eq(stageDependencies.s.j.outputs['x'], '1')"),
        (STAGE_CONDITION, "in(dependencies.a.result, 'Succeeded')"),
        (VARIABLE, "counter('a', 1)"),
        (VARIABLE, "format('{0}', pipeline.startTime)"),
    ],
)
def test_names_that_are_there(context, text):
    check(text, context)


@pytest.mark.parametrize(
    ("context", "text"),
    [
        (STEP_CONDITION, "succeeded('a')"),
        (STEP_CONDITION, "eq(dependencies.a.result, 'x')"),
        (STEP_CONDITION, "counter('a', 1)"),
        (JOB_CONDITION, "always('a')"),
        (JOB_CONDITION, "canceled('a')"),
        (STAGE_CONDITION, "eq(stageDependencies.a.b, 'x')"),
        (VARIABLE, "succeeded()"),
        (VARIABLE, "counter('a', 1, 2)"),
    ],
)
def test_names_that_are_elsewhere(context, text):
    with pytest.raises(ExpressionError):
        check(text, context)
