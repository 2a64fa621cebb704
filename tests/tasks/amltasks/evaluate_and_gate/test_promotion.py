"""Of builds that promote at the same time exactly one does, whatever the order of their steps."""

from __future__ import annotations

import dataclasses
import threading
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta, timezone

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from amltasks.azure_pipelines import attempts
from amltasks.evaluate_and_gate import promotion
from amltasks.evaluate_and_gate.promotion import (
    CLAIMED,
    PROMOTED,
    REJECTED,
    STATE,
    STEPPED_BACK,
)
from amltasks.workspace.port import Model
from tests.tasks.amltasks.fakes import FakeModels


class Registry(FakeModels):
    """Versions and their tags; each call is one atomic step, as in Azure."""

    def __init__(self) -> None:
        self.kept: dict[int, Model] = {}
        self.lock = threading.Lock()
        self.turn: Callable[[], object] = lambda: None

    def add(self, tags: Mapping[str, str]) -> Model:
        with self.lock:
            version = len(self.kept) + 1
            self.kept[version] = Model(
                name="m", version=version, run_id="", description="", tags=dict(tags)
            )
            return self.kept[version]

    def versions(self, name: str) -> tuple[Model, ...]:
        assert name == "m"
        self.turn()
        with self.lock:
            return tuple(sorted(self.kept.values(), key=lambda m: -m.version))

    def tag(self, model: Model, tags: Mapping[str, str]) -> Model:
        self.turn()
        with self.lock:
            old = self.kept[model.version]
            self.kept[model.version] = dataclasses.replace(old, tags={**old.tags, **tags})
            return self.kept[model.version]

    def states(self) -> list[str]:
        return [self.kept[version].tags[STATE] for version in sorted(self.kept)]


def remembered(registry: Registry) -> promotion.Incumbent:
    before = promotion.standing(registry, "m")
    return promotion.incumbent(before, "m:0")


def no_pause(_: float) -> None:
    """Go on at once."""


@settings(max_examples=40, deadline=None)
@given(st.integers(2, 4), st.randoms(use_true_random=False))
def test_of_concurrent_builds_exactly_one_promotes(builds: int, random: object) -> None:
    registry = Registry()
    over = remembered(registry)
    # The builds take their steps one at a time, in an order that hypothesis draws.
    turns = [threading.Semaphore(0) for _ in range(builds)]
    done = [threading.Event() for _ in range(builds)]
    stepped = threading.Semaphore(0)
    local = threading.local()

    def turn() -> None:
        stepped.release()
        turns[local.number].acquire()

    registry.turn = turn
    outcomes: list[promotion.Outcome] = []

    def build(number: int) -> None:
        local.number = number
        turns[number].acquire()
        model = registry.add(promotion.claim("m:0", f"build-{number}"))
        outcomes.append(promotion.settle(registry, model, over, tags={}, pause=no_pause))
        done[number].set()
        stepped.release()

    threads = [threading.Thread(target=build, args=(n,), daemon=True) for n in range(builds)]
    for thread in threads:
        thread.start()
    while running := [n for n in range(builds) if not done[n].is_set()]:
        turns[random.choice(running)].release()  # type: ignore[attr-defined]
        stepped.acquire()
    assert sorted(registry.states()) == sorted([PROMOTED] + [STEPPED_BACK] * (builds - 1))
    (winner,) = [each for each in outcomes if not each.stepped_back]
    assert winner.model.tags[STATE] == PROMOTED
    assert all(
        "over m:0 while this one was judged" in o.stepped_back for o in outcomes if o.stepped_back
    )


def settled(registry: Registry, over: promotion.Incumbent) -> promotion.Outcome:
    model = registry.add(promotion.claim(over.key, "mine"))
    return promotion.settle(
        registry,
        model,
        over,
        tags={"stage": "production"},
        pause=no_pause,
    )


def test_what_was_promoted_before_the_judgement_is_no_rival() -> None:
    registry = Registry()
    registry.add({STATE: PROMOTED, promotion.OVER: "m:0"})
    over = remembered(registry)
    assert over.promoted == {1}
    found = settled(registry, over)
    assert (found.stepped_back, found.model.tags["stage"]) == ("", "production")


@pytest.mark.parametrize(
    ("tags", "minutes_old", "promoted"),
    [
        ({STATE: PROMOTED, promotion.OVER: "m:0", promotion.BY: "12"}, 0, False),
        ({STATE: PROMOTED, promotion.OVER: "m:9"}, 0, True),
        ({STATE: REJECTED, promotion.OVER: "m:0"}, 0, True),
        ({STATE: STEPPED_BACK, promotion.OVER: "m:0"}, 0, True),
        ({}, 0, False),
        ({}, 11, True),
        ({promotion.AT: "a while ago"}, 0, True),
    ],
)
def test_who_is_a_rival(tags: dict[str, str], minutes_old: int, promoted: bool) -> None:
    # Made here, not above: a claim grows old while other tests run.
    at = datetime.now(timezone.utc) - timedelta(minutes=minutes_old)
    tags = {**promotion.claim("m:0", "12"), promotion.AT: at.isoformat(), **tags}
    registry = Registry()
    over = remembered(registry)
    registry.add(tags)
    found = settled(registry, over)
    assert (found.stepped_back == "") is promoted
    if not promoted:
        assert "m:1 of build 12" in found.stepped_back
        assert registry.states()[1] == STEPPED_BACK
        assert "stage" not in found.model.tags


def test_a_claim_that_is_never_settled_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(promotion, "WAIT_SECONDS", 0)
    registry = Registry()
    over = remembered(registry)
    own = registry.add(promotion.claim("m:0", "mine"))
    registry.add(promotion.claim("m:0", "other"))
    found = promotion.settle(registry, own, over, tags={}, pause=no_pause)
    assert "m:2 of build other was claimed over m:0" in found.stepped_back


def test_a_cancel_withdraws_the_claim() -> None:
    registry = Registry()
    over = remembered(registry)
    own = registry.add(promotion.claim("m:0", "mine"))
    registry.add(promotion.claim("m:0", "other"))

    def canceled(_: float) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        promotion.settle(registry, own, over, tags={}, pause=canceled)
    assert registry.states() == [STEPPED_BACK, CLAIMED]
    assert [promotion.turned_away(m) for m in registry.kept.values()] == [True, True]


def test_an_earlier_attempt_of_the_step_left_its_claim_behind() -> None:
    registry = Registry()
    over = remembered(registry)
    first, second = ({attempts.STEP: "s", attempts.ATTEMPT: f"1.1.{n}.1"} for n in (1, 2))
    registry.add(promotion.claim("m:0", "12", first))
    own = registry.add(promotion.claim("m:0", "12", second))
    found = promotion.settle(registry, own, over, tags={}, pause=no_pause)
    assert found.stepped_back == ""
    # What that attempt promoted counts, and so does another step's claim.
    for tags in ({**promotion.claim("m:0", "12", first), STATE: PROMOTED}, {attempts.STEP: "t"}):
        registry = Registry()
        registry.add({**promotion.claim("m:0", "12", first), **tags})
        own = registry.add(promotion.claim("m:0", "12", second))
        found = promotion.settle(registry, own, over, tags={}, pause=no_pause)
        assert "m:1 of build 12" in found.stepped_back


@pytest.mark.parametrize(
    ("changed", "found"),
    [
        ({}, True),
        ({"run_id": "r2"}, False),
        ({STATE: STEPPED_BACK}, False),
        ({attempts.STEP: "other"}, False),
        ({attempts.ATTEMPT: "1.1.2.1"}, False),
    ],
)
def test_what_an_earlier_attempt_has_promoted(changed: dict[str, str], found: bool) -> None:
    registry = Registry()
    known = {"run_id": "r", STATE: PROMOTED, attempts.STEP: "s", attempts.ATTEMPT: "1.1.1.1"}
    registry.add({**known, **changed})
    mine = {attempts.STEP: "s", attempts.ATTEMPT: "1.1.2.1"}
    versions = registry.versions("m")
    assert (promotion.of_earlier_attempt(versions, "r", mine) is not None) is found
    assert promotion.of_earlier_attempt(versions, "r", {}) is None
