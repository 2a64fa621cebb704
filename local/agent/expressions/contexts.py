"""Which names and functions an expression may use: it depends on the place where it is written.

Source: MicrosoftDocs/azure-devops-docs docs/pipelines/process/expressions.md and conditions.md.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from local.agent.expressions.functions import MANY, Function
from local.agent.expressions.language import Context
from local.agent.expressions.values import Value

Call = Callable[[Sequence[Value]], Value]

# How many arguments the status functions take in the conditions of stages and jobs; in the
# condition of a step they take none.
_STATUS_ARGUMENTS = {
    "always": 0,
    "canceled": 0,
    "failed": MANY,
    "succeeded": MANY,
    "succeededorfailed": MANY,
}
_COUNTER_ARGUMENTS = 2


def graph_functions(calls: Mapping[str, Call]) -> Mapping[str, Function]:
    """Return the status functions for the condition of a stage or a job.

    Args:
        calls: what each function does, by its lower-case name.
    """
    return {name: Function(0, most, calls[name]) for name, most in _STATUS_ARGUMENTS.items()}


def step_functions(calls: Mapping[str, Call]) -> Mapping[str, Function]:
    """Return the status functions for the condition of a step; arguments as above."""
    return {name: Function(0, 0, calls[name]) for name in _STATUS_ARGUMENTS}


def variable_functions(counter: Call) -> Mapping[str, Function]:
    """Return the functions that only the ``$[ ]`` of a variable has."""
    return {"counter": Function(0, _COUNTER_ARGUMENTS, counter)}


def _nothing(_arguments: Sequence[Value]) -> Value:
    return None


_UNCALLED = dict.fromkeys(_STATUS_ARGUMENTS, _nothing)

# To check an expression before there is anything to evaluate it with.
STEP_CONDITION = Context(values={"variables": {}}, functions=step_functions(_UNCALLED))
JOB_CONDITION = Context(
    values={"variables": {}, "dependencies": {}, "stageDependencies": {}, "pipeline": {}},
    functions=graph_functions(_UNCALLED),
)
STAGE_CONDITION = Context(
    values={"variables": {}, "dependencies": {}, "pipeline": {}},
    functions=graph_functions(_UNCALLED),
)
VARIABLE = Context(values=JOB_CONDITION.values, functions=variable_functions(_nothing))
