"""What can be known before a cluster is asked for: whether its size is offered and its quota left.

What Azure does not say is not guessed: a size without a family, or a family without a quota in the
answer, goes on, and so does the task when its identity may not read the offers.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator, Sequence

from amltasks import errors
from amltasks.workspace.port import ClusterSpec, Compute, Quota, VmSize

log = logging.getLogger("amltasks")

_UNREADABLE = (
    frozenset({errors.FORBIDDEN, errors.ROLE_MISSING, errors.NOT_FOUND}) | errors.TRANSIENT
)


def choose_size(compute: Compute, spec: ClusterSpec, wanted: tuple[str, ...], location: str) -> str:
    """The first of the sizes that the region offers and whose quota has room for one node.

    Args:
        compute: the workspace's.
        spec: the cluster; its size does not count.
        wanted: sizes, the best first.
        location: the cluster's region.

    Raises:
        TaskError: ``REFUSED`` when none is offered, ``COMPUTE_QUOTA`` when the quota has no room;
            nothing was created then.
    """
    try:
        sizes, quotas = compute.sizes(location), compute.quotas(location)
    except errors.TaskError as error:
        if error.cause not in _UNREADABLE:
            raise
        log.info("Going on without a check of sizes and quota: %s", error.happened)
        return wanted[0]
    refused: list[errors.TaskError] = []
    for name in wanted:
        problem = _problem(spec, name, sizes, quotas, location)
        if problem is None:
            if name != wanted[0]:
                log.info("Taking the size %s", name)
            return name
        log.info("The size %s will not do: %s", name, problem.happened)
        refused.append(problem)
    raise refused[-1] if len(refused) == 1 else _none_will_do(spec, refused)


def _problem(
    spec: ClusterSpec,
    name: str,
    sizes: Iterable[VmSize],
    quotas: Sequence[Quota],
    location: str,
) -> errors.TaskError | None:
    offered = list(sizes)
    size = next((each for each in offered if each.name.lower() == name.lower()), None)
    if size is None:
        if not offered:
            return None
        return _unavailable(spec, f"the region {location} offers no clusters of the size {name}")
    low_priority = spec.priority == "lowpriority"
    if low_priority and not size.low_priority:
        return _unavailable(spec, f"the size {name} has no low-priority nodes")
    # Low-priority cores have one quota for all families; dedicated ones have one of each, too.
    pools = ("TotalLowPriorityCores",) if low_priority else (size.family, "TotalDedicatedCores")
    least = size.cpus * max(1, spec.min_nodes)
    short = next((each for pool in pools for each in _short(quotas, pool, least)), None)
    if short is None:
        return None
    pool, quota = short
    return errors.COMPUTE_QUOTA.error(
        name=spec.name,
        detail=f"{pool} has a total vCPU quota of {quota.limit} in {location}. Current in "
        f"use: {quota.used}, Additional requested: {least} for {max(1, spec.min_nodes)} nodes of "
        f"{size.name}",
    )


def _short(quotas: Sequence[Quota], pool: str, least: int) -> Iterator[tuple[str, Quota]]:
    """A pool of cores and its quota, when it has less than so many left.

    The service lists a family once for dedicated cores and then for low priority, under one name.
    """
    found = next((each for each in quotas if each.name.lower() == pool.lower()), None)
    if found is not None and 0 <= found.limit < found.used + least:
        yield pool, found


def _unavailable(spec: ClusterSpec, detail: str) -> errors.TaskError:
    return errors.REFUSED.error(
        doing=f"choosing a size for the cluster '{spec.name}'", detail=detail
    )


def _none_will_do(spec: ClusterSpec, refused: list[errors.TaskError]) -> errors.TaskError:
    detail = "; ".join(each.happened for each in refused)
    if any(each.cause is errors.COMPUTE_QUOTA for each in refused):
        return errors.COMPUTE_QUOTA.error(name=spec.name, detail=detail)
    return _unavailable(spec, detail)
