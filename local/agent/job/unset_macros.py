"""Macros that are left in a step's inputs because no variable has their name, and what to do."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from local.agent.definition.model import Job, Stage
from local.agent.errors import closest
from local.agent.job.planned_step import Plan

_MACRO = re.compile(r"\$\(([A-Za-z_][\w.-]*)\)")
# Inputs with programs in them, where $( ) also calls a command.
_PROGRAMS = ("script", "arguments")


@dataclass(frozen=True, kw_only=True)
class UnsetMacro:
    """A macro that stays in an input as it is written."""

    input: str
    name: str


def unset_macros(inputs: Mapping[str, str], step_names: Iterable[str]) -> list[UnsetMacro]:
    """Return the macros that are left after the variables were put in.

    Args:
        inputs: of a step, expanded.
        step_names: of the whole run: in a script, only ``$(<step>.<output>)`` is taken for a macro.
    """
    steps = {name.lower() for name in step_names}
    found = []
    for key, value in inputs.items():
        for name in dict.fromkeys(_MACRO.findall(value)):
            step, dot, _ = name.partition(".")
            if key.lower() not in _PROGRAMS or (dot and step.lower() in steps):
                found.append(UnsetMacro(input=key, name=name))
    return found


@dataclass(frozen=True, kw_only=True)
class Explainer:
    """Says why a macro is unset in a job.

    Attributes:
        stages: of the run.
        plan: the steps of each job.
        stage: the job's.
        job: that the step runs in.
        variables: the names that are set.
    """

    stages: tuple[Stage, ...]
    plan: Plan
    stage: Stage
    job: Job
    variables: tuple[str, ...]

    def explain(self, macro: UnsetMacro) -> str:
        """Return what happened, why, and what to do, in two sentences."""
        happened = f"The input {macro.input} holds $({macro.name}), which no variable replaces."
        return f"{happened} {self._advice(macro.name)}"

    def _advice(self, name: str) -> str:
        step, dot, output = name.partition(".")
        places = self._places(step) if dot else []
        if (self.stage.name, self.job.name) in places:
            return self._same_job(step, output)
        if not places:
            similar = closest(name, self.variables)
            hint = "" if similar is None else f"; there is $({similar})"
            return f"Set the variable, or correct the name{hint}."
        stage, job = next((one for one in places if one[0] == self.stage.name), places[0])
        return self._other_job(stage, job, name, output)

    def _places(self, step: str) -> list[tuple[str, str]]:
        """Return the stages and jobs that have a step of that name."""
        return [
            place
            for place, steps in self.plan.items()
            if any(planned.step.name.lower() == step.lower() for planned in steps)
        ]

    def _same_job(self, step: str, output: str) -> str:
        prefix = f"{step}.".lower()
        outputs = [
            name[len(prefix) :] for name in self.variables if name.lower().startswith(prefix)
        ]
        if not outputs:
            return f"The step '{step}' of this job has set no output so far."
        there = ", ".join(outputs)
        return f"The step '{step}' of this job has no output '{output}', only {there}."

    def _other_job(self, stage: str, job: str, name: str, output: str) -> str:
        if self._deploys(stage, job):
            name = f"{job}.{name}"
        if stage == self.stage.name:
            source = f"dependencies.{job}.outputs['{name}']"
            depends = f"the job '{self.job.name}' depend on '{job}'"
        else:
            source = f"stageDependencies.{stage}.{job}.outputs['{name}']"
            depends = f"the stage '{self.stage.name}' depend on '{stage}'"
        return (
            f"Outputs of another job must be handed over: let {depends}, give this job the "
            f"variable {output}: $[ {source} ], and write $({output}) here."
        )

    def _deploys(self, stage: str, job: str) -> bool:
        return any(
            one.deployment
            for owner in self.stages
            if owner.name == stage
            for one in owner.jobs
            if one.name == job
        )
