from __future__ import annotations

import threading
from collections.abc import Mapping

import pytest

from local.azure.kernel.background import Stop
from local.azure.running.job import Outcome
from local.azure.running.schedule import outcome_of, run_in_order
from tests.patience import PATIENCE_S

DONE, FAILED = Outcome(status="Completed"), Outcome(status="Failed", code="UserError")


def after(**edges: str) -> Mapping[str, frozenset[str]]:
    return {node: frozenset(before) for node, before in edges.items()}


def test_a_node_starts_when_those_before_it_have_completed() -> None:
    ran: list[str] = []

    def work(node: str) -> Outcome:
        ran.append(node)
        return DONE

    graph = after(c="ab", b="a", a="")
    outcomes = run_in_order(graph, work, stop=Stop(), continue_on_failure=False)
    assert ran == ["a", "b", "c"]
    assert set(outcomes) == {"a", "b", "c"}


def test_nodes_that_wait_for_nothing_run_at_once() -> None:
    both = threading.Barrier(2, timeout=PATIENCE_S)

    def work(_node: str) -> Outcome:
        both.wait()
        return DONE

    graph = after(a="", b="")
    assert len(run_in_order(graph, work, stop=Stop(), continue_on_failure=False)) == 2


@pytest.mark.parametrize(("goes_on", "started"), [(False, {"a"}), (True, {"a", "c"})])
def test_a_failure_ends_the_rest_or_what_waits_for_it(goes_on: bool, started: set[str]) -> None:
    graph = after(a="", b="a", c="") if goes_on else after(a="", b="a", c="b")
    outcomes = run_in_order(
        graph,
        lambda node: FAILED if node == "a" else DONE,
        stop=Stop(),
        continue_on_failure=goes_on,
    )
    assert set(outcomes) == started
    ended = outcome_of({"a": "train", "c": "score"}, outcomes, Stop())
    assert ended.status == "Failed"
    assert "Failed: 'train'." in ended.message


def test_a_stop_starts_nothing_and_says_why() -> None:
    stop = Stop()
    stop.ask("Canceled")
    assert run_in_order(after(a=""), lambda _: DONE, stop=stop, continue_on_failure=True) == {}
    assert outcome_of({"a": "a"}, {}, stop) == Outcome(status="Canceled")
    stopped = Stop()
    stopped.ask("The server ended.")
    assert outcome_of({"a": "a"}, {}, stopped).message == "The server ended."
    assert outcome_of({"a": "a"}, {"a": DONE}, Stop()) == DONE
