"""What jobs and stages depend on: names that exist, and no cycles."""

from __future__ import annotations

import graphlib
from collections.abc import Sequence
from typing import Protocol

from local.agent.errors import Place, nearest


class Member(Protocol):
    """A job or a stage."""

    @property
    def name(self) -> str:
        """Its name."""
        ...

    @property
    def depends_on(self) -> tuple[str, ...]:
        """The names of those that run before it."""
        ...

    @property
    def place(self) -> Place:
        """Where it is written."""
        ...


def check_graph(members: Sequence[Member], what: str) -> None:
    """Refuse repeated names, unknown dependencies and cycles.

    Args:
        members: the jobs of a stage, or the stages of a pipeline.
        what: ``job`` or ``stage``.

    Raises:
        PipelineFileError: names the first mistake.
    """
    names = [member.name for member in members]
    for index, member in enumerate(members):
        if member.name.lower() in (other.lower() for other in names[:index]):
            raise member.place.error(f"two {what}s are called '{member.name}'")
        for other in member.depends_on:
            if other not in names:
                hint = nearest(other, [name for name in names if name != member.name])
                message = f"the {what} '{member.name}' depends on '{other}', which does not exist"
                raise member.place.error(f"{message}; {hint}")
    try:
        graphlib.TopologicalSorter({one.name: one.depends_on for one in members}).prepare()
    except graphlib.CycleError as error:
        cycle: list[str] = error.args[1]
        first = next(member for member in members if member.name in cycle)
        message = f"these {what}s wait for each other: {', '.join(sorted(set(cycle)))}"
        raise first.place.error(message) from error
