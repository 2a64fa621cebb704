"""Clusters of one job: their names, their tags, and which of them nobody needs any more.

Only clusters that carry this module's tags are ever deleted. A job's cluster is deleted after the
job (``task.json``: postjobexecution); one whose agent died is deleted by a later ``sweepExpired``.
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Iterable
from datetime import datetime, timedelta, timezone

from amltasks import errors
from amltasks.azure_pipelines.agent import Handover
from amltasks.workspace.port import Cluster

log = logging.getLogger("amltasks")

MADE_BY, OWNER, ATTEMPT, EXPIRES = (
    "pipelines_lifecycle",
    "pipelines_owner",
    "pipelines_attempt",
    "pipelines_expires",
)
PER_RUN = "perRun"
_NAME_LENGTH, _HASH_LENGTH = 16, 6
_WHERE = (
    *("system.collectionid", "system.teamprojectid", "build.buildid", "release.releaseid"),
    *("release.environmentname", "system.stagename", "system.phasename", "system.jobname"),
    "system.jobpositioninphase",
)
_ATTEMPTS = (
    *("system.stageattempt", "system.phaseattempt", "system.jobattempt"),
    "release.attemptnumber",
)


def check_job(handover: Handover) -> None:
    """Raise ``INPUT_INVALID`` outside of a build or release, where no job can own a cluster."""
    if not handover.variable("build.buildid") and not handover.variable("release.releaseid"):
        raise errors.INPUT_INVALID.error(
            name="lifecycle", value=PER_RUN, expected="possible outside of a build or release"
        )


def owner(handover: Handover) -> str:
    """The job that a cluster belongs to: a digest of its place in the build or release."""
    told = "\n".join(handover.variable(name) for name in _WHERE)
    return hashlib.sha256(told.encode()).hexdigest()[:32]


def attempt(handover: Handover) -> str:
    """The attempt of the job, such as ``1.1.2.1``."""
    return ".".join(handover.variable(name) or "1" for name in _ATTEMPTS)


def per_run_name(base: str, handover: Handover) -> str:
    """The name of this attempt's cluster: ``base`` and a digest, at most 16 characters."""
    told = f"{owner(handover)}\n{attempt(handover)}\n{base}"
    digest = hashlib.sha256(told.encode()).hexdigest()[:_HASH_LENGTH]
    return f"{base[: _NAME_LENGTH - _HASH_LENGTH - 1].rstrip('-')}-{digest}"


def tags(handover: Handover, hours: float, now: datetime) -> dict[str, str]:
    """The tags of a cluster that this job owns and that expires after ``hours``."""
    return {
        MADE_BY: PER_RUN,
        OWNER: owner(handover),
        ATTEMPT: attempt(handover),
        EXPIRES: (now + timedelta(hours=hours)).isoformat(timespec="seconds"),
    }


def is_ours(cluster: Cluster, handover: Handover) -> bool:
    """Whether this attempt of this job made the cluster."""
    made = cluster.tags.get(MADE_BY) == PER_RUN and cluster.tags.get(OWNER) == owner(handover)
    return made and cluster.tags.get(ATTEMPT) == attempt(handover)


def expired(clusters: Iterable[Cluster], now: datetime) -> tuple[Cluster, ...]:
    """The clusters that a job owned and whose time is over; a time that is unreadable is not."""
    return tuple(each for each in clusters if _is_over(each, now))


def _is_over(cluster: Cluster, now: datetime) -> bool:
    if cluster.tags.get(MADE_BY) != PER_RUN or not cluster.tags.get(OWNER):
        return False
    if cluster.state == "Deleting":
        return False
    try:
        at = datetime.fromisoformat(cluster.tags.get(EXPIRES, ""))
    except ValueError:
        return False
    return at.tzinfo is not None and at < now


def now() -> datetime:
    """The present time, UTC."""
    return datetime.now(timezone.utc)
