"""Faults in force: which strike, how often, and what is left of an answer."""

from __future__ import annotations

import math

import pytest

from local.azure.kernel.fault_state import Faults, Strike
from local.azure.kernel.faults import parse
from local.azure.kernel.http import Request


def request(token="", path="/x", method="GET"):
    headers = {"authorization": f"Bearer {token}"} if token else {}
    return Request(
        method=method, host="management.azure.com", path=path, query={}, headers=headers, body=b""
    )


def faults(*lines):
    return Faults(map(parse, lines))


def test_a_fault_strikes_after_and_as_often_as_it_says():
    found = faults("status=503 after=1 times=2")
    statuses = []
    for _ in range(5):
        answer = found.strike(request()).answer
        statuses.append(answer and answer.status)
    assert statuses == [None, 503, 503, None, None]
    (counted,) = found.every()
    assert (counted.met, counted.struck) == (5, 2)


def test_delays_add_up_and_the_first_other_fault_decides():
    strike = faults("latency=1", "status=429 retry-after=7", "latency=2", "drop").strike(request())
    assert (strike.latency, strike.drop) == (3.0, False)
    assert strike.answer is not None
    assert (strike.answer.status, strike.answer.headers["retry-after"]) == (429, "7")


def test_an_expired_token_stays_expired_when_the_fault_is_lifted():
    found = faults("expired times=1")
    assert found.strike(request()) == Strike()
    assert found.strike(request("old")).answer is not None
    assert found.clear()
    answer = found.strike(request("old")).answer
    assert answer is not None
    assert (answer.status, answer.code) == (401, "ExpiredAuthenticationToken")
    assert found.strike(request("new")) == Strike()


def test_one_fault_or_all_are_lifted():
    found = faults("status=500", "drop")
    first, _ = found.every()
    assert found.clear(first.name)
    assert not found.clear(first.name)
    assert found.strike(request()).drop
    assert found.clear()
    assert not found.clear()


def test_capacity_has_no_say_in_requests():
    found = faults("quota=4 family=standardDSv*", "unallocated compute=gpu", "allocating=9")
    assert found.quota("standardDSv2Family") == 4
    assert found.quota("standardDSv2Family", low_priority=True) is None
    assert found.quota("other") is None
    assert (found.allocating("gpu"), found.allocating("cpu")) == (math.inf, 9.0)
    assert found.strike(request()) == Strike()


@pytest.mark.parametrize(("low", "minutes", "expected"), [(True, 1, ""), (True, 5, "evict")])
def test_a_node_of_low_priority_is_evicted_in_its_time(low, minutes, expected):
    found = faults("evict=5 times=1")
    spared = set[str]()
    assert found.loses("cpu", minutes, low_priority=low, spared=spared) == expected
    assert found.loses("cpu", 99, low_priority=False, spared=set()) == ""
    if expected:
        assert found.loses("cpu", 99, low_priority=low, spared=spared) == ""
