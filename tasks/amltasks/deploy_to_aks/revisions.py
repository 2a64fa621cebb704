"""A revision of a service on its way into service: deployed, proved, ramped up, taken back."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import logging
import math
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from amltasks import core_yaml, errors, tracebacks, waiting
from amltasks.azure_pipelines.agent import Job
from amltasks.deploy_to_aks import smoke
from amltasks.report.deployment import Phase, SmokeRow
from amltasks.workspace.port import Answer, Revision, ServiceSpec, Workspace

log = logging.getLogger("amltasks")

LOG_TAIL_LINES = 30
SMOKE_RETRY_MINUTES = 1.0
# Too many requests at once, or a replica that is being exchanged: asked again.
_TRANSIENT = frozenset({429, 502, 503, 504})
_TOO_MANY = 429
BAKE_PAUSE_SECONDS = 2.0
_LIVE_UNTOUCHED = "the live service was not touched"
_SHOWN = 80
"""Characters of a smoke row that a report shows."""


@dataclass(kw_only=True)
class Attempt:
    """What is changed about a service, and what is noted of it for the report.

    Attributes:
        minutes: how long each wait may take.
        rolled_back: whether the requests went back to an older revision.
        scored: the proof's rows as they were last answered.
    """

    job: Job
    workspace: Workspace
    service: str
    test: smoke.Test
    minutes: float
    rolled_back: bool = False
    phases: list[Phase] = field(default_factory=list)
    scored: list[SmokeRow] = field(default_factory=list)

    @contextlib.contextmanager
    def phase(self, name: str) -> Iterator[None]:
        """Note how long the block takes, also when it fails."""
        begun = time.monotonic()
        try:
            yield
        finally:
            self.phases.append(Phase(name=name, seconds=time.monotonic() - begun))


@dataclass(kw_only=True)
class Release(Attempt):
    """A new revision on its way into service.

    Attributes:
        keep: how many revisions that were in service before stay, without requests.
        ramp: the revision's shares of the requests, in percent, one stage after the other.
        bake_seconds: how long each stage below 100 % is watched.
    """

    spec: ServiceSpec
    keep: int = 0
    ramp: tuple[int, ...] = (100,)
    bake_seconds: float = 0.0


def create(attempt: Release, revision: Revision) -> None:
    """Bring the first revision of a service into service."""
    left = "the new service was left for you to look at"
    spec = attempt.spec
    log.info("Creating service %s with model %s:%d", spec.name, spec.model.name, spec.model.version)
    _prove(attempt, revision, left)
    promoted = _promote(attempt, revision)
    # What earlier first releases left when they failed; a failed one stays for a look at it.
    clean_up(attempt, promoted, attempt.keep)


def replace(attempt: Release, revision: Revision) -> None:
    """Prove the new revision beside the live one, then roll the live one over to it."""
    name = attempt.spec.name
    log.info("Service %s exists; trying the new revision beside it as %s", name, revision.label)
    try:
        _prove(attempt, revision, _LIVE_UNTOUCHED)
        log.info("Rolling service %s over to the new revision", name)
        revision = _promote(attempt, revision)
    finally:
        clean_up(attempt, revision, attempt.keep)


def _prove(attempt: Release, revision: Revision, left: str) -> None:
    with attempt.phase(f"Deploying {revision.label}"):
        attempt.workspace.services.deploy(attempt.spec, revision)
        healthy(attempt, revision, left)
    smoke_test(attempt, revision, left)


def _promote(attempt: Release, revision: Revision) -> Revision:
    """Put the revision in service stage by stage; back to the old one if that goes wrong."""
    services, spec = attempt.workspace.services, attempt.spec
    restores = services.restores and not revision.fresh
    left = (
        "the old revision got its requests back"
        if services.restores
        else f"the live service {spec.name} now has the new revision; deploy the last good model"
    )
    promoted = revision
    try:
        for percent in attempt.ramp if restores else (100,):
            with attempt.phase(f"Giving {percent} % of the requests to {revision.label}"):
                promoted = services.promote(spec, revision, percent)
                if revision.fresh and not services.restores:
                    return promoted
                healthy(attempt, promoted, left)
                if percent < 100:
                    _bake(attempt, promoted, percent, left)
                else:
                    smoke_test(attempt, promoted, left)
    except BaseException:
        if restores and promoted.in_service:
            restore(attempt, promoted)
        raise
    return promoted


def _bake(attempt: Release, promoted: Revision, percent: int, left: str) -> None:
    """Watch the service while the revision has a part of its requests.

    The proof's rows go to the address that everybody uses, so old and new revision answer them.
    """
    test, services = attempt.test, attempt.workspace.services
    if not test.rows:
        attempt.job.cancellation.pause(attempt.bake_seconds)
        return
    seconds: list[float] = []
    end = time.monotonic() + attempt.bake_seconds
    while not seconds or time.monotonic() < end:
        answer = services.score(promoted, smoke.request(test))
        seconds.append(answer.seconds)
        if answer.status not in (200, _TOO_MANY):
            said = core_yaml.shortened(answer.body, 200)
            detail = f"at {percent} % of the requests it answered HTTP {answer.status}: {said}"
            raise errors.SMOKE_FAILED.error(service=promoted.label, detail=detail, left=left)
        attempt.job.cancellation.pause(min(BAKE_PAUSE_SECONDS, max(0.0, end - time.monotonic())))
    slowest = _p95(seconds)
    log.info("At %d %%: %d requests answered, p95 %.3f s", percent, len(seconds), slowest)
    if test.max_seconds and slowest > test.max_seconds:
        detail = (
            f"at {percent} % of the requests the rows take {slowest:.3g} s (p95), more than the "
            f"{test.max_seconds:g} s of smokeMaxSeconds"
        )
        raise errors.SMOKE_FAILED.error(service=promoted.label, detail=detail, left=left)


def _p95(seconds: Sequence[float]) -> float:
    """The 95th percentile by nearest rank: the least value that 95 % do not exceed."""
    return sorted(seconds)[max(0, math.ceil(0.95 * len(seconds)) - 1)]


def finish_interrupted(attempt: Attempt) -> Revision | None:
    """Give the requests back that an earlier release moved when its agent died half-way.

    Returns:
        The revision of that release, which has no more requests; None when there was none.
    """
    unfinished = attempt.workspace.services.unfinished(attempt.service)
    if unfinished is None:
        return None
    log.info("An earlier release ended while it moved requests to %s", unfinished.label)
    restore(attempt, unfinished)
    return dataclasses.replace(unfinished, in_service=False)


def restore(attempt: Attempt, promoted: Revision) -> None:
    """Back to the old revision; waits for it, because what still has requests cannot be removed."""
    job, services = attempt.job, attempt.workspace.services
    log.info("Giving the requests of %s back to the old revision", promoted.service)
    try:
        services.restore(promoted)
        attempt.rolled_back = True
        waiting.until(
            lambda: services.rollout(promoted),
            lambda r: r.done,
            describe=lambda r: f"Going back of {promoted.label} is {r.state}",
            pause=job.cancellation.pause,
            minutes=attempt.minutes,
        )
    except errors.TaskError as error:
        job.warn(
            "REVISION_NOT_RESTORED",
            f"the service '{promoted.service}' still answers with the new revision: "
            f"{error.happened}",
        )


def clean_up(attempt: Attempt, revision: Revision, keep: int = 0) -> None:
    """Remove what is no longer needed; what cannot be removed is a warning."""
    try:
        for removed in attempt.workspace.services.clean_up(revision, keep):
            log.info("Removed %s", removed)
    except errors.TaskError as error:
        attempt.job.warn(
            "CANDIDATE_LEFT",
            f"what '{revision.label}' leaves behind could not be removed: {error.happened}",
        )


def healthy(attempt: Attempt, revision: Revision, left: str) -> None:
    """Wait for a deployment; a failed one shows the end of the container's log."""
    rollout, ended = waiting.until(
        lambda: attempt.workspace.services.rollout(revision),
        lambda r: r.done,
        describe=lambda r: f"Deployment of {revision.label} is {r.state}",
        pause=attempt.job.cancellation.pause,
        minutes=attempt.minutes,
    )
    if ended and rollout.succeeded:
        return
    raised = _show_log(attempt, revision)
    if not ended:
        raise errors.DEPLOYMENT_TIMEOUT.error(
            service=revision.label, state=rollout.state, minutes=attempt.minutes, left=left
        )
    problem = core_yaml.shortened(rollout.problem, 160) or f"it is {rollout.state}"
    detail = f"{problem}; {raised}" if raised else problem
    raise errors.DEPLOYMENT_FAILED.error(service=revision.label, detail=detail, left=left)


def _show_log(attempt: Attempt, revision: Revision) -> str:
    """Log the end of the container's log; returns the exception that stands first in it, if any.

    The first, for the inference server wraps what the script raised in exceptions of its own.
    """
    try:
        tail = attempt.workspace.services.logs(revision)[-LOG_TAIL_LINES:]
    except errors.TaskError as error:
        log.info("The log of service %s cannot be read: %s", revision.label, error.happened)
        return ""
    log.info("The last %d lines of the container's log of %s:", len(tail), revision.label)
    for line in tail:
        log.info("[%s] %s", revision.label, line)
    return next(iter(tracebacks.raised(tail)), "")


def smoke_test(attempt: Attempt, revision: Revision, left: str) -> None:
    """Score the proof's rows; a wrong or slow answer raises ``SMOKE_FAILED``."""
    test = attempt.test

    def score(body: str) -> Answer:
        return attempt.workspace.services.score(revision, body)

    detail = ""
    attempt.scored.clear()
    if test.rows:
        with attempt.phase(f"Scoring {len(test.rows)} smoke rows on {revision.label}"):
            answer, _ = waiting.until(
                lambda: score(smoke.request(test)),
                lambda a: a.status not in _TRANSIENT,  # a replica being exchanged
                describe=lambda a: (
                    f"Service {revision.label} answered {a.status} to {len(test.rows)} smoke rows"
                ),
                pause=attempt.job.cancellation.pause,
                minutes=SMOKE_RETRY_MINUTES,
            )
        detail = _wrong(attempt, answer)
    detail = detail or smoke.strained(test, score)
    if detail:
        _show_log(attempt, revision)
        raise errors.SMOKE_FAILED.error(service=revision.label, detail=detail, left=left)


def _wrong(attempt: Attempt, answer: Answer) -> str:
    """What is wrong with the answer, empty when nothing is; notes how each row was answered."""
    if answer.status != 200:
        return f"HTTP {answer.status}: {core_yaml.shortened(answer.body, 200)}"
    try:
        mismatches = smoke.compare(attempt.test.rows, answer.body)
    except ValueError as cause:
        return str(cause)
    attempt.scored.extend(_answered(attempt.test.rows, mismatches))
    for mismatch in mismatches:
        log.info("Smoke test: %s", mismatch)
    if mismatches:
        return f"{len(mismatches)} of {len(attempt.test.rows)} rows, first {mismatches[0]}"
    log.info("All %d smoke rows are answered as expected", len(attempt.test.rows))
    return ""


def _answered(
    rows: Sequence[smoke.Row], mismatches: Sequence[smoke.Mismatch]
) -> Iterator[SmokeRow]:
    got = {mismatch.number: mismatch.got for mismatch in mismatches}
    for number, row in enumerate(rows, start=1):
        values = (row.input, row.expected, got.get(number, row.expected))
        asked, expected, answered = (
            core_yaml.shortened(json.dumps(value, ensure_ascii=False), _SHOWN) for value in values
        )
        yield SmokeRow(
            number=number,
            input=asked,
            expected=expected,
            got=answered,
            right=number not in got,
        )
