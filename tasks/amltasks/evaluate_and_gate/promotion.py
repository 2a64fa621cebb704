"""Registering and promoting a model that passed, so that no two builds promote over each other.

The registry has no compare-and-set. It has atomic writes of one version's tags, and every version
has a number: enough for Lamport's bakery (A new solution of Dijkstra's concurrent programming
problem, CACM 17/8, 1974). Who wants to promote over an incumbent first writes a claim on the own
version, then looks at the others. Whoever sees a promotion that was not there before the judgement,
or a claim with a lower version, steps back; whoever sees a claim with a higher version waits for
it to be settled; whoever sees none is alone and promotes.
"""

from __future__ import annotations

import contextlib
import logging
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone

from amltasks import errors
from amltasks.azure_pipelines import attempts
from amltasks.report.gate_tags import (
    CLAIMED,
    EVALUATION,
    PROMOTED,
    REASON,
    REJECTED,
    STATE,
    STEPPED_BACK,
)
from amltasks.workspace.port import Model, Models

__all__ = ["CLAIMED", "EVALUATION", "PROMOTED", "REASON", "REJECTED", "STATE", "STEPPED_BACK"]

log = logging.getLogger("amltasks")

OVER, BY, AT = "gate_over", "gate_by", "gate_at"

CLAIM_MINUTES = 10
"""An older claim is that of a build that died; it counts no more."""

WAIT_SECONDS = 60
_PAUSE_SECONDS = 1.0


@dataclass(frozen=True, kw_only=True)
class Incumbent:
    """What is promoted over: ``name:version``, or what stands for *nothing yet*.

    ``promoted`` are the versions that were promoted over it before the candidate was judged.
    """

    key: str
    promoted: frozenset[int] = frozenset()


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """The model as it is now, and why it stepped back; empty when it was promoted."""

    model: Model
    stepped_back: str = ""


def turned_away(model: Model) -> bool:
    """Whether a gate said no to this version, or has not yet said yes."""
    return model.tags.get(STATE) in (CLAIMED, STEPPED_BACK, REJECTED)


def standing(models: Models, name: str) -> frozenset[tuple[int, str]]:
    """Remember which versions were promoted, each over what; before one looks for the incumbent.

    Afterwards would be too late: a rival may promote while the incumbent's predictions are read.
    """
    return frozenset(
        (each.version, each.tags.get(OVER, ""))
        for each in models.versions(name)
        if each.tags.get(STATE) == PROMOTED
    )


def incumbent(before: frozenset[tuple[int, str]], key: str) -> Incumbent:
    """What is promoted over, as it stood :func:`before <standing>`."""
    return Incumbent(
        key=key, promoted=frozenset(version for version, over in before if over == key)
    )


def claim(key: str, by: str, attempt: Mapping[str, str] | None = None) -> dict[str, str]:
    """The tags of a claim; ``attempt`` are those of `attempts.tags`."""
    at = _now().isoformat(timespec="seconds")
    return {**(attempt or {}), STATE: CLAIMED, OVER: key, BY: by, AT: at}


def of_earlier_attempt(
    versions: Iterable[Model], run_id: str, attempt: Mapping[str, str]
) -> Model | None:
    """The version that an earlier attempt of the same step has promoted of the same run."""
    for each in versions:
        same = {"run_id": run_id, STATE: PROMOTED, attempts.STEP: attempt.get(attempts.STEP)}
        # One attempt may gate a run twice; that is for whoever wrote the pipeline to know.
        other = each.tags.get(attempts.ATTEMPT) != attempt.get(attempts.ATTEMPT)
        if other and all(value and each.tags.get(name) == value for name, value in same.items()):
            return each
    return None


def withdraw(models: Models, model: Model) -> None:
    """Take a claim back, so that it stands in nobody's way."""
    with contextlib.suppress(errors.TaskError):
        models.tag(model, {STATE: STEPPED_BACK})


def settle(
    models: Models,
    model: Model,
    over: Incumbent,
    *,
    tags: Mapping[str, str],
    pause: Callable[[float], None],
) -> Outcome:
    """Promote a version that bears a :func:`claim`, or step back.

    Args:
        models: the registry.
        model: the claiming version.
        over: the incumbent as it was before the judgement.
        tags: what else to write with the promotion.
        pause: sleeps, seconds.
    """
    try:
        return _settled(models, model, over, tags, pause)
    except BaseException:
        # Cancelled, or Azure failed.
        withdraw(models, model)
        raise


def _settled(
    models: Models,
    model: Model,
    over: Incumbent,
    tags: Mapping[str, str],
    pause: Callable[[float], None],
) -> Outcome:
    end = time.monotonic() + WAIT_SECONDS
    while True:
        rivals = [
            each
            for each in models.versions(model.name)
            if each.version != model.version
            and each.version not in over.promoted
            and _over(each, over.key) in (PROMOTED, CLAIMED)
            and not _left_behind(each, model)
        ]
        ahead = next((each for each in rivals if _ahead(each, model)), None)
        if ahead is None and not rivals:
            ours = {name: value for name, value in tags.items() if name not in (OVER, BY, AT)}
            return Outcome(model=models.tag(model, {**ours, STATE: PROMOTED}))
        if ahead is None and time.monotonic() > end:
            ahead = rivals[0]
        if ahead is not None:
            why = (
                f"{ahead.name}:{ahead.version} of build {ahead.tags.get(BY, 'unknown')} was "
                f"{_over(ahead, over.key)} over {over.key} while this one was judged"
            )
            return Outcome(model=models.tag(model, {STATE: STEPPED_BACK}), stepped_back=why)
        log.info("Waiting for version %d, which claims the same place", rivals[0].version)
        pause(_PAUSE_SECONDS)


def _ahead(rival: Model, own: Model) -> bool:
    return rival.tags.get(STATE) == PROMOTED or rival.version < own.version


def _left_behind(rival: Model, own: Model) -> bool:
    """Whether it is the claim of an earlier attempt of this step, whose agent died."""
    step, attempt = own.tags.get(attempts.STEP), own.tags.get(attempts.ATTEMPT)
    return (
        bool(step)
        and rival.tags.get(STATE) == CLAIMED
        and rival.tags.get(attempts.STEP) == step
        and rival.tags.get(attempts.ATTEMPT) != attempt
    )


def _over(model: Model, key: str) -> str:
    """``promoted`` or ``claimed`` when the version is so over this incumbent, else empty."""
    state = model.tags.get(STATE, "")
    if model.tags.get(OVER) != key or state not in (PROMOTED, CLAIMED):
        return ""
    return "" if state == CLAIMED and _stale(model.tags.get(AT, "")) else state


def _stale(at: str) -> bool:
    try:
        return _now() - datetime.fromisoformat(at) > timedelta(minutes=CLAIM_MINUTES)
    except (ValueError, TypeError):
        return True


def _now() -> datetime:
    return datetime.now(timezone.utc)
