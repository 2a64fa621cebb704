"""A step with the task that carries it out."""

from __future__ import annotations

from dataclasses import dataclass

from local.agent.definition.model import Step
from local.agent.host.tasks import TaskDefinition


@dataclass(frozen=True, kw_only=True)
class PlannedStep:
    """A step and what carries it out: a task of the .vsix or a built-in one."""

    step: Step
    label: str
    task: TaskDefinition | None = None
    built_in: str | None = None


Plan = dict[tuple[str, str], tuple[PlannedStep, ...]]
