"""Approvals of a release's stages: given on the command line, or asked for on the terminal."""

from __future__ import annotations

import os
import queue
import sys
import threading
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field

from local.agent.definition.model import NEVER, Stage
from local.agent.errors import AgentError, nearest
from local.agent.host.console import Console

_TICK_S = 0.1


@dataclass(frozen=True, kw_only=True)
class Decision:
    """One decision; ``when`` is before or after the jobs, ``by`` the option or the terminal."""

    stage: str
    when: str
    approved: bool
    by: str


@dataclass(kw_only=True)
class Approvals:
    """The approvals of a release: who decides, and the decisions.

    Attributes:
        approved: stages that the command line lets through, lower-case.
        rejected: stages that it does not, lower-case.
    """

    approved: frozenset[str] = frozenset()
    rejected: frozenset[str] = frozenset()
    decisions: list[Decision] = field(default_factory=list)

    def grant(
        self, stage: Stage, when: str, console: Console, canceled: Callable[[], bool]
    ) -> bool:
        """Return whether the approvers of a stage agree; a canceled run is not approved.

        Args:
            stage: whose approvers are asked; without any the stage is approved.
            when: ``before`` its jobs or ``after`` them.
            console: where the question and the decision are shown.
            canceled: asked while the terminal is waited for.
        """
        approvers = stage.approvers if when == "before" else stage.approvers_after
        if not approvers:
            return True
        name = stage.name.lower()
        if name in self.approved | self.rejected:
            approved = name in self.approved
            by = "--approve" if approved else "--reject"
        else:
            verb = "Start" if when == "before" else "Accept"
            console.line("ask", f"{verb} the stage {stage.name}? ({' and '.join(approvers)}) y/n")
            approved, by = _answer(canceled), "terminal"
        console.line("stage", f"{stage.name}: {'approved' if approved else 'rejected'} by {by}")
        self.decisions.append(Decision(stage=stage.name, when=when, approved=approved, by=by))
        return approved


def read_approvals(
    stages: Sequence[Stage], *, approve: Collection[str], reject: Collection[str]
) -> Approvals:
    """Read the options, before anything runs.

    Raises:
        AgentError: a name is not a stage, is given twice, or there is no terminal to ask on.
    """
    names = [stage.name for stage in stages]
    known = {name.lower() for name in names}
    for option, given in (("--approve", approve), ("--reject", reject)):
        for name in given:
            if name.lower() not in known:
                raise AgentError(f"{option} {name}: there is no such stage; {nearest(name, names)}")
    approved = frozenset(name.lower() for name in approve)
    rejected = frozenset(name.lower() for name in reject)
    both = next((name for name in names if name.lower() in approved & rejected), None)
    if both is not None:
        raise AgentError(f"the stage {both} is both approved and rejected; give one option only")
    for stage in stages:
        waits = stage.approvers or stage.approvers_after
        if stage.condition == NEVER:
            continue
        if waits and stage.name.lower() not in approved | rejected and not sys.stdin.isatty():
            raise AgentError(
                f"the stage {stage.name} needs the approval of {' and '.join(waits)}, and there "
                f"is no terminal to ask on; decide with --approve or --reject '{stage.name}'"
            )
    return Approvals(approved=approved, rejected=rejected)


def _answer(canceled: Callable[[], bool]) -> bool:
    """Wait for a line on the terminal; its end, or a canceled run, is a no."""
    lines: queue.SimpleQueue[bytes] = queue.SimpleQueue()
    # Not sys.stdin: its lock, held by a thread that reads, would abort the interpreter's end.
    threading.Thread(target=lambda: lines.put(os.read(0, 4096)), daemon=True).start()
    while not canceled():
        try:
            return lines.get(timeout=_TICK_S).strip().lower() in (b"y", b"yes")
        except queue.Empty:
            continue
    return False
