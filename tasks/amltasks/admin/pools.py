"""Agent pools as a project may use them: its queues."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from amltasks.admin import causes
from amltasks.admin.organization import Organization

HOSTED = "Azure Pipelines"


@dataclass(frozen=True, kw_only=True)
class Queue:
    """A queue of a project. ``hosted``: its agents are Microsoft's."""

    id: int
    name: str
    pool_id: int
    hosted: bool


def find_queue(organization: Organization, project: Any, name: str) -> Queue:
    """The queue of that name.

    Raises:
        TaskError: the project has none of that name.
    """
    client = organization.client("task_agent")
    found = organization.ask(
        "looking at the project's agent pools",
        lambda: client.get_agent_queues(project.id),
        permission="the role Reader on the project's agent pools",
    )
    for one in found:
        if one.name.lower() == name.lower():
            return Queue(
                id=one.id,
                name=one.name,
                pool_id=one.pool.id if one.pool else 0,
                hosted=bool(one.pool and one.pool.is_hosted),
            )
    known = ", ".join(f"'{one.name}'" for one in found) or "none"
    raise causes.POOL_UNKNOWN.error(name=name, known=known)


def online_agents(organization: Organization, queue: Queue) -> list[str]:
    """The names of the pool's agents that are enabled and online."""
    client = organization.client("task_agent")
    found = organization.ask(
        f"looking for agents in the pool '{queue.name}'",
        lambda: client.get_agents(queue.pool_id),
        permission="the role Reader on the agent pool",
    )
    return [one.name for one in found if one.enabled and str(one.status).lower() == "online"]
