"""What the tasks share about compute targets: names, regions, and how a wait for one ends."""

from __future__ import annotations

import logging
import re
from collections.abc import Callable
from typing import TypeVar

from amltasks import errors, waiting
from amltasks.workspace.port import AksCluster, Cluster

log = logging.getLogger("amltasks")

NAME_RULE = "2 to 16 letters, digits and dashes, a letter first and no dash last"
FAILED = frozenset({"Failed", "Canceled"})
_NAME = re.compile(r"^[A-Za-z][A-Za-z0-9-]{0,14}[A-Za-z0-9]$")
_RESERVED = frozenset({"amlcompute", "local", "containerinstance"})

AnyCluster = TypeVar("AnyCluster", Cluster, AksCluster)


def check_name(name: str, given_as: str) -> None:
    """Azure ML's rule for compute targets, checked before any call.

    Args:
        name: the name.
        given_as: the input it came from.

    Raises:
        TaskError: ``COMPUTE_NAME_INVALID``
    """
    if not _NAME.fullmatch(name):
        raise errors.COMPUTE_NAME_INVALID.error(name=name, rule=NAME_RULE, input=given_as)
    if name.lower() in _RESERVED:
        raise errors.COMPUTE_NAME_INVALID.error(
            name=name, rule="Azure ML keeps that name for itself", input=given_as
        )


def same_region(one: str, other: str) -> bool:
    """Whether two texts name one region: ``East US`` is ``eastus``."""
    return _plain(one) == _plain(other)


def _plain(region: str) -> str:
    return region.replace(" ", "").lower()


def ready(
    name: str,
    look: Callable[[], AnyCluster | None],
    done: Callable[[AnyCluster], bool],
    *,
    describe: Callable[[AnyCluster], str],
    pause: Callable[[float], None],
    minutes: float,
    late: Callable[[str], None] | None = None,
) -> AnyCluster:
    """Wait until ``done`` or failed; the other arguments are those of :func:`waiting.until`.

    Raises:
        TaskError: ``COMPUTE_NOT_FOUND``, ``COMPUTE_TIMEOUT``, ``COMPUTE_FAILED``, ``COMPUTE_QUOTA``
    """
    try:
        cluster, ended = waiting.until(
            look,
            lambda c: c is None or c.state in FAILED or done(c),
            describe=lambda c: describe(c) if c else f"{name} is gone",
            pause=pause,
            minutes=minutes,
            late=late,
        )
    except KeyboardInterrupt:
        log.info("The task stops waiting; Azure goes on with %s by itself", name)
        raise
    if cluster is None:
        raise errors.COMPUTE_NOT_FOUND.error(name=name)
    if not ended:
        raise errors.COMPUTE_TIMEOUT.error(name=name, state=cluster.state, minutes=minutes)
    if cluster.state in FAILED:
        raise failure(cluster)
    return cluster


def failure(cluster: Cluster | AksCluster) -> errors.TaskError:
    """The error for a cluster that is of no use: for lack of quota, or for another reason."""
    detail = "; ".join(cluster.problems) or "Azure ML gives no reason"
    cause = errors.COMPUTE_QUOTA if "quota" in detail.lower() else errors.COMPUTE_FAILED
    return cause.error(name=cluster.name, state=cluster.state, detail=detail)
