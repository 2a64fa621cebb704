"""The variables of a run as the service knows them, before any agent has a job.

Conditions of stages and jobs and the ``$[ ]`` of variables read these. Macros (``$(name)``) in
their values stay as they are: agents replace those, right before a task. Variables that the service
sets itself win over those of the file (actions/runner, src/Sdk/DTPipelines/Pipelines/
PipelineContextBase.cs, SetUserVariables).
"""

from __future__ import annotations

import datetime
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

from local.agent.definition.model import VariableDefinition
from local.agent.expressions import language
from local.agent.expressions.contexts import variable_functions
from local.agent.expressions.language import Context
from local.agent.expressions.values import ExpressionError, Value, to_number, to_string
from local.agent.host.variables import CaseInsensitive
from local.agent.session.counters import Counters

# What the names of predefined variables begin with.
_AREAS = frozenset(("agent", "build", "environment", "pipeline", "release", "strategy"))


@dataclass(frozen=True, kw_only=True)
class Scope:
    """The variables of a run, a stage or a job.

    Attributes:
        predefined: by name.
        started: when the run started, UTC.
        counters: of the run, for ``counter()``.
        definitions: the pipeline's own, from the outermost level inwards, evaluated.
    """

    predefined: Mapping[str, str]
    started: datetime.datetime
    counters: Counters
    definitions: tuple[VariableDefinition, ...] = ()

    @property
    def values(self) -> dict[str, Value]:
        """The named values that every expression at this level can read."""
        texts = {**self.predefined, **{one.name: one.value for one in self.definitions}}
        return {"variables": CaseInsensitive(texts), "pipeline": {"startTime": self.started}}

    def inside(
        self,
        predefined: Mapping[str, str],
        definitions: Sequence[VariableDefinition],
        dependencies: Mapping[str, Value],
    ) -> Scope:
        """Return the scope of a stage, or of a job in it.

        Args:
            predefined: what this level adds.
            definitions: its own variables; each can read those before it.
            dependencies: the named values ``dependencies`` and ``stageDependencies``.

        Raises:
            ExpressionError: a variable cannot be evaluated.
        """
        scope = replace(self, predefined={**self.predefined, **predefined})
        for definition in definitions:
            if scope.is_taken(definition):
                continue
            evaluated = scope._evaluated(definition, dependencies)
            scope = replace(scope, definitions=(*scope.definitions, evaluated))
        return scope

    def is_taken(self, definition: VariableDefinition) -> bool:
        """Say whether the service ignores a variable, because it sets one of that name itself."""
        name = definition.name.lower()
        area, dot, _ = name.partition(".")
        if definition.from_command_line or not dot or name == "system.debug":
            return False
        if area == "system":
            return True
        # An organisation sends the variables of the definition, too, which give way to a stage's.
        return area in _AREAS and name in (one.lower() for one in self.predefined)

    def of_run(self, variables: Sequence[VariableDefinition]) -> Scope:
        """Return the scope with the pipeline's own variables; raises as :meth:`inside`."""
        return self.inside({}, variables, {})

    def _evaluated(
        self, definition: VariableDefinition, dependencies: Mapping[str, Value]
    ) -> VariableDefinition:
        if definition.expression is None:
            return definition
        context = Context(
            values={"dependencies": {}, "stageDependencies": {}, **dependencies, **self.values},
            functions=variable_functions(self._count),
        )
        try:
            value = to_string(language.evaluate(definition.expression, context))
        except ExpressionError as error:
            raise ExpressionError(f"variable '{definition.name}': {error}") from error
        return replace(definition, value=value, expression=None)

    def _count(self, arguments: Sequence[Value]) -> Value:
        prefix = to_string(arguments[0]) if arguments else ""
        seed = to_number(arguments[1]) if len(arguments) > 1 else Decimal(0)
        if seed is None:
            raise ExpressionError(f"counter: the seed '{to_string(arguments[1])}' is not a number")
        return self.counters.next(prefix, int(seed))
