"""Removing a service that the task made: for review environments."""

from __future__ import annotations

import logging

from amltasks import errors, waiting
from amltasks.azure_pipelines.agent import Job
from amltasks.workspace.port import Workspace

log = logging.getLogger("amltasks")


def remove(job: Job, workspace: Workspace, name: str, minutes: float) -> str:
    """Delete the service and wait until it is gone; a service that is not there is no error.

    Raises:
        TaskError: ``SERVICE_NOT_OURS``; ``SERVICE_NOT_DELETED`` after ``minutes``.
    """
    going = workspace.services.remove(name)
    for what in going:
        log.info("Removing %s", what)
    if not going:
        return f"There is no service {name}; nothing was deleted"
    left, gone = waiting.until(
        lambda: workspace.services.find(name),
        lambda found: found is None,
        describe=lambda found: f"Service {name} is {found.state if found else 'gone'}",
        pause=job.cancellation.pause,
        minutes=minutes,
    )
    if not gone:
        raise errors.SERVICE_NOT_DELETED.error(
            service=name, minutes=minutes, state=left.state if left else "gone"
        )
    return f"Service {name} is deleted"
