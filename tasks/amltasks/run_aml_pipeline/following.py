"""Follows a run to its end: its states, its logs, and its deadlines."""

from __future__ import annotations

import logging
import time
from collections import deque
from dataclasses import dataclass, field

from amltasks import errors, waiting
from amltasks.azure_pipelines.agent import Job
from amltasks.run_aml_pipeline import cancelling
from amltasks.workspace.port import ENDED, Run, Workspace

log = logging.getLogger("amltasks")

POLL_SECONDS = 2.0
LOG_TAIL_LINES = 30

BEFORE_RUNNING = frozenset(
    {"NotStarted", "Scheduled", "Queued", "Preparing", "Starting", "Provisioning"}
)
"""The states of a step that has no machine yet."""
KNOWN = (
    BEFORE_RUNNING
    | ENDED
    | {"Running", "Finalizing", "CancelRequested", "NotResponding", "Paused", "Unknown"}
)
"""The states of a run: ``JobStatus`` of 2024-10-01, and ``Finished`` of azureml-sdk's pipelines."""


@dataclass(frozen=True, kw_only=True)
class Limits:
    """Minutes that a run may wait for its first machine, and that it may run; 0 for no limit."""

    queued: float = 0.0
    running: float = 0.0


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """A run and its steps as they ended, and the last log lines by step id."""

    run: Run
    steps: tuple[Run, ...]
    tails: dict[str, deque[str]]


@dataclass(kw_only=True)
class _Following:
    """What was shown of a run so far, and since when it has been what."""

    job: Job
    workspace: Workspace
    limits: Limits
    said: dict[str, str] = field(default_factory=dict)
    tails: dict[str, deque[str]] = field(default_factory=dict)
    read_to_end: set[str] = field(default_factory=set)
    group: str = ""
    begun: float
    heard: float
    running_since: float | None = None
    warned: set[str] = field(default_factory=set)

    def say(self, key: str, text: str) -> None:
        """Log a state, unless it is the one that was logged last."""
        if self.said.get(key) != text:
            self.close_group()
            log.info("%s", text)
            self.said[key] = text

    def show(self, step: Run) -> None:
        """Log a step's state and its new log lines."""
        # Of two steps that reuse the same one, both are shown.
        key = f"{step.name} {step.id}"
        if not step.ended:
            self.say(key, f"[{step.name}] is {step.status}")
        if step.id not in self.read_to_end and (step.ended or step.status not in BEFORE_RUNNING):
            self._show_lines(step)
        if step.ended:
            self.read_to_end.add(step.id)
            self.say(key, f"[{step.name}] is {status_of(step)}")

    def _show_lines(self, step: Run) -> None:
        lines = waiting.patiently(
            lambda: self.workspace.runs.new_log_lines(step.id, last=step.ended),
            self.job.cancellation.pause,
        )
        tail = self.tails.setdefault(step.id, deque(maxlen=LOG_TAIL_LINES))
        if lines and self.group != step.id:
            self.close_group()
            log.info("##[group]Log of step %s", step.name)
            self.group = step.id
        for line in lines:
            log.info("[%s] %s", step.name, line)
            tail.append(line)
            self.heard = time.monotonic()

    def close_group(self) -> None:
        """End the fold of log lines, which the agent shows as one line."""
        if self.group:
            log.info("##[endgroup]")
            self.group = ""

    def check_limits(self, run: Run, steps: tuple[Run, ...]) -> None:
        """Cancel a run that is over a limit, and warn before."""
        now = time.monotonic()
        # A pipeline says Running while its first step still waits for a machine.
        if self.running_since is None and any(s.status not in BEFORE_RUNNING for s in steps):
            self.running_since = now
        if self.running_since is None:
            waited, limit, name = now - self.begun, self.limits.queued, "queueTimeout"
        else:
            waited, limit, name = now - self.running_since, self.limits.running, "timeoutMinutes"
        if limit and waited > limit * 60:
            self.close_group()
            cancelling.stop(self.workspace.runs, run.id, run.url)
            if self.running_since is None:
                states = ", ".join(f"{s.name} {s.status}" for s in steps) or f"it was {run.status}"
                raise errors.RUN_QUEUE_TIMEOUT.error(
                    run=run.id, minutes=limit, states=states, url=run.url
                )
            raise errors.RUN_TIMEOUT.error(run=run.id, minutes=limit, url=run.url)
        if limit >= 1 and waited > limit * 60 * waiting.WARN_AT and name not in self.warned:
            self.warned.add(name)
            self.job.warn(
                "RUN_DEADLINE_NEAR",
                f"the run {run.id} has used {waiting.clock(waited)} of the {limit:g} minutes of "
                f"{name}; it is canceled when they are over",
            )

    def beat(self, run: Run, steps: tuple[Run, ...]) -> None:
        """Log that the run goes on, if nothing else was logged for a while."""
        now = time.monotonic()
        if now - self.heard < waiting.HEARTBEAT_SECONDS:
            return
        states = ", ".join(f"{s.name} {s.status}" for s in steps if not s.ended)
        waited = waiting.clock(now - self.begun)
        self.close_group()
        log.info("Run is %s (%s)%s", run.status, waited, states and f": {states}")
        self.heard = now


def follow(job: Job, workspace: Workspace, submitted: Run, limits: Limits) -> Outcome:
    """Show the run's logs and states until it ends.

    Raises:
        TaskError: ``RUN_TIMEOUT``, ``RUN_QUEUE_TIMEOUT``, ``RUN_STATE_UNKNOWN``
    """
    now = time.monotonic()
    following = _Following(job=job, workspace=workspace, limits=limits, begun=now, heard=now)
    while True:
        # The run before its steps: once it has ended, they are final.
        run, steps = waiting.patiently(
            lambda: (workspace.runs.get(submitted.id), workspace.runs.steps(submitted.id)),
            job.cancellation.pause,
        )
        for step in steps:
            following.show(step)
        following.say(run.id, f"Run is {run.status}")
        if run.ended:
            return Outcome(run=run, steps=steps, tails=following.tails)
        if run.status not in KNOWN:
            raise errors.RUN_STATE_UNKNOWN.error(run=run.id, status=run.status, url=run.url)
        following.check_limits(run, steps)
        following.beat(run, steps)
        job.cancellation.pause(POLL_SECONDS)


def status_of(step: Run) -> str:
    """A step's state for people: with a word on reuse."""
    return f"{step.status}, reused" if step.reused else step.status
