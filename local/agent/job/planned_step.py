"""A step with the task that carries it out."""

from __future__ import annotations

from dataclasses import dataclass

from local.agent.definition.model import Step
from local.agent.host.tasks import HttpRequest, TaskDefinition


@dataclass(frozen=True, kw_only=True)
class PlannedStep:
    """A step and what carries it out: a task of the .vsix or a built-in one.

    Attributes:
        http_request: of the task, in a job without an agent.
    """

    step: Step
    label: str
    task: TaskDefinition | None = None
    built_in: str | None = None
    http_request: HttpRequest | None = None


Plan = dict[tuple[str, str], tuple[PlannedStep, ...]]
