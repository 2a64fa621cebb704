"""What jobs and stages depend on: names that exist, and no cycles."""

from __future__ import annotations

import dataclasses
import graphlib
from collections.abc import Sequence
from typing import TypeVar

from local.agent.definition.model import Job, Stage
from local.agent.errors import nearest

_M = TypeVar("_M", Job, Stage)


def checked_graph(members: Sequence[_M], what: str) -> tuple[_M, ...]:
    """Refuse repeated names, unknown dependencies and cycles.

    Args:
        members: the jobs of a stage, or the stages of a pipeline.
        what: ``job`` or ``stage``.

    Returns:
        The members, with their dependencies spelled as the names are: the service ignores case.

    Raises:
        PipelineFileError: names the first mistake.
    """
    declared: dict[str, str] = {}
    for member in members:
        if member.name.lower() in declared:
            raise member.place.error(f"two {what}s are called '{member.name}'")
        declared[member.name.lower()] = member.name
    found = tuple(_spelled(member, declared, what) for member in members)
    try:
        graphlib.TopologicalSorter({one.name: one.depends_on for one in found}).prepare()
    except graphlib.CycleError as error:
        cycle: list[str] = error.args[1]
        first = next(member for member in members if member.name in cycle)
        message = f"these {what}s wait for each other: {', '.join(sorted(set(cycle)))}"
        raise first.place.error(message) from error
    return found


def _spelled(member: _M, declared: dict[str, str], what: str) -> _M:
    for name in member.depends_on:
        if name.lower() not in declared:
            others = [one for one in declared.values() if one != member.name]
            message = f"the {what} '{member.name}' depends on '{name}', which does not exist"
            raise member.place.error(f"{message}; {nearest(name, others)}")
    names = tuple(declared[name.lower()] for name in member.depends_on)
    return dataclasses.replace(member, depends_on=names)
