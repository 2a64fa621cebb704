"""Work after the answer: stops, threads and the nodes that runs wait for."""

from __future__ import annotations

import threading

from local.azure.kernel.background import Background, Stop
from tests.patience import PATIENCE_S


def test_the_first_reason_to_stop_stays():
    stop = Stop()
    stop.ask("Canceled")
    stop.ask("The server ends")
    assert stop.is_set()
    assert stop.reason == "Canceled"


def test_a_run_is_canceled_by_its_id():
    background, reasons, ended = Background(), list[str](), threading.Event()

    def work(stop):
        stop.wait(PATIENCE_S)
        reasons.append(stop.reason)
        ended.set()

    background.start("run-1", work, broken=reasons.clear)
    assert not background.cancel("run-2")
    assert background.cancel("run-1")
    assert ended.wait(PATIENCE_S)
    assert reasons == ["Canceled"]


def test_work_that_breaks_off_is_told_and_forgotten(caplog):
    background, broken = Background(), threading.Event()

    def work(_stop):
        raise ValueError("a fault of ours")

    background.start("run-1", work, broken=broken.set)
    assert broken.wait(PATIENCE_S)
    background.stop_all("The server ends")
    assert not background.cancel("run-1")
    assert "run run-1 broke off" in caplog.text


def test_a_child_ends_with_its_parent_and_not_the_other_way():
    background, parent = Background(), Stop()
    with background.cancelable("child", parent) as child:
        assert background.cancel("child")
        assert child.is_set()
        assert not parent.is_set()
    assert not background.cancel("child")
    with background.cancelable("child", parent) as child:
        assert not child.is_set()
        parent.ask("Canceled")
        assert child.wait(0)
        assert child.reason == "Canceled"


def test_the_end_of_the_server_ends_everything():
    background, ended = Background(), list[str]()

    def work(stop):
        stop.wait(PATIENCE_S)
        ended.append(stop.reason)

    for name in ("a", "b"):
        background.start(name, work, broken=ended.clear)
    background.stop_all("The server ends")
    assert ended == ["The server ends"] * 2


def test_a_target_has_as_many_slots_as_nodes():
    background = Background()
    slots = background.slots("Cluster", 2)
    assert slots is background.slots("cluster", 2)
    assert [slots.acquire(blocking=False) for _ in range(3)] == [True, True, False]
    assert background.slots("another", 1).acquire(blocking=False)
