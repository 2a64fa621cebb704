"""One step while it runs: its result, issues, outputs, and the job's variables it may change.

The agent: src/Agent.Worker/ExecutionContext.cs.
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field

from local.agent.host.console import StepLog
from local.agent.host.globs import matches
from local.agent.host.variables import Variables
from local.agent.session.issue import Issue
from local.agent.session.task_result import Result, merge

MAX_ISSUES = 10
# The agent waits so long after task.complete done=true (ExecutionContext.cs ForceTaskComplete).
FORCE_COMPLETE_S = 5.0


@dataclass(frozen=True, kw_only=True)
class Restrictions:
    """What a task.json or a step's ``target:`` allows; None allows any variable."""

    commands: bool = False
    settable_variables: tuple[str, ...] | None = None


@dataclass(kw_only=True)
class StepRecord:
    """A running step.

    Attributes:
        name: the reference name of its output variables.
        identity: its ``System.TaskInstanceId``.
        output_names: variables that task.json declares as outputs, lower-case.
        outputs: name to value and whether it is secret.
        command_result: what failing logging commands add to the result.
        prepend_path: the job's PATH additions, oldest first.
    """

    name: str
    log: StepLog
    variables: Variables
    task_variables: Variables
    prepend_path: list[str]
    identity: str = field(default_factory=lambda: str(uuid.uuid4()))
    restrictions: Sequence[Restrictions] = ()
    output_names: frozenset[str] = frozenset()
    outputs: dict[str, tuple[str, bool]] = field(default_factory=dict)
    issues: list[Issue] = field(default_factory=list)
    result: Result | None = None
    command_result: Result | None = None
    percent: int = 0
    operation: str = ""
    force_complete_at: float | None = None

    def error(self, message: str, code: str = "") -> None:
        """Log an error; this alone does not fail the step."""
        self._issue(Issue(type="error", message=message, code=code))

    def warning(self, message: str, code: str = "") -> None:
        """Log a warning."""
        self._issue(Issue(type="warning", message=message, code=code))

    def _issue(self, issue: Issue) -> None:
        masked = Issue(
            type=issue.type,
            message=self.log.console.masker.mask(issue.message),
            code=issue.code,
        )
        if masked.message:
            self.log.write(f"##[{masked.type}]{masked.message}")
        if sum(one.type == issue.type for one in self.issues) < MAX_ISSUES:
            self.issues.append(masked)

    def debug(self, message: str) -> None:
        """Log a line that only ``system.debug`` shows."""
        if (self.variables.get("system.debug") or "").lower() == "true":
            self.log.write(f"##[debug]{message}")

    def fail(self, message: str) -> None:
        """Log an error and fail the step."""
        self.error(message)
        self.result = Result.Failed

    def command_failed(self) -> None:
        """Remember that a logging command could not be carried out."""
        self.command_result = merge(self.command_result, Result.Failed)

    def progress(self, percent: int, operation: str) -> None:
        """Report progress; the percentage never falls."""
        percent = max(self.percent, min(max(percent, 0), 100))
        changed = percent != self.percent or (operation and operation != self.operation)
        self.percent = percent
        self.operation = operation or self.operation
        if changed:
            self.log.event("", f"{self.name} | {percent:3} % {self.operation}".rstrip())

    def complete(self, result: Result, message: str) -> None:
        """Merge the result that the task itself announces."""
        self.result = merge(self.result, result)
        self.percent = 100
        if message:
            self.operation = message

    def force_complete(self) -> None:
        """Stop waiting for the process a moment from now."""
        self.force_complete_at = time.monotonic() + FORCE_COMPLETE_S

    def command_allowed(self, *, harmless: bool) -> bool:
        """Say whether the restrictions let a command through."""
        return harmless or not any(one.commands for one in self.restrictions)

    def may_set(self, name: str) -> bool:
        """Say whether every restriction lets the variable be set; warn when not."""
        allowed = all(
            one.settable_variables is None
            or any(matches(pattern, name) for pattern in one.settable_variables)
            for one in self.restrictions
        )
        if not allowed:
            self.warning(
                f"Setting variable '{name}' has been disabled by the task or build definition."
            )
        return allowed

    def set_variable(
        self,
        name: str,
        value: str,
        *,
        secret: bool = False,
        output: bool = False,
        read_only: bool = False,
        preserve_case: bool = False,
    ) -> None:
        """Set a variable of the job; an output is stored under ``<step>.<name>`` only."""
        if output or name.lower() in self.output_names:
            self.outputs[name] = (value, secret)
            name, read_only = f"{self.name}.{name}", read_only or output
        self.variables.set(
            name, value, secret=secret, read_only=read_only, preserve_case=preserve_case
        )
