"""Repeated requests are told: without secrets, and not for each of an outage."""

from __future__ import annotations

import logging
from types import SimpleNamespace
from typing import Any

import pytest
from urllib3.exceptions import ConnectTimeoutError, MaxRetryError

from amltasks.workspace import retries
from amltasks.workspace.retries import ToldRetry, may_pass, retrying


@pytest.fixture(autouse=True)
def told(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> Any:
    """What was logged so far; the clock stands at 0 until a test moves it."""
    clock = SimpleNamespace(now=0.0)
    monkeypatch.setattr(retries, "_told", retries._Told())
    monkeypatch.setattr(retries, "time", SimpleNamespace(monotonic=lambda: clock.now))
    caplog.set_level(logging.INFO, logger="amltasks")
    clock.lines = lambda: [record.getMessage() for record in caplog.records]
    return clock


@pytest.mark.parametrize(
    ("status", "passes"),
    [
        *((status, True) for status in (429, 500, 502, 503, 504)),
        *((status, False) for status in (200, 400, 401, 403, 404, 501)),
    ],
)
def test_which_answers_may_pass(status: int, passes: bool) -> None:
    assert may_pass(status) is passes


def test_the_query_with_its_signature_is_not_told(told: Any) -> None:
    retrying("GET", "https://store.blob.core.windows.net/a/b.csv?sig=secret#x", 503)
    assert told.lines() == [
        "GET store.blob.core.windows.net/a/b.csv was answered 503; trying again"
    ]


def test_an_outage_is_told_once_a_minute(told: Any) -> None:
    for now in (0.0, 1.0, 59.9, 60.0, 100.0):
        told.now = now
        retrying("GET", "https://host/path", 503)
    assert len(told.lines()) == 2
    retrying("GET", "https://host/path", 429)
    retrying("GET", "https://host/other", 503)
    assert len(told.lines()) == 4


def test_an_answer_that_is_retried_is_told(told: Any) -> None:
    response: Any = SimpleNamespace(
        status=429, headers={}, get_redirect_location=lambda: None, drain_conn=lambda: None
    )
    pool = SimpleNamespace(host="management.azure.com")
    following = ToldRetry(total=2, status_forcelist=(429,)).increment(
        "POST", "/x?sig=secret", response, None, pool
    )
    assert isinstance(following, ToldRetry)
    assert following.total == 1
    assert told.lines() == ["POST management.azure.com/x was answered 429; trying again"]


def test_a_broken_connection_is_told_without_the_query(told: Any) -> None:
    pool: Any = SimpleNamespace(host="management.azure.com")
    error = ConnectTimeoutError(pool, "timed out")
    ToldRetry(total=2).increment("GET", "/x?sig=secret", None, error, pool)
    assert told.lines() == ["GET management.azure.com/x found no connection; trying again"]


def test_the_last_failure_is_raised_and_not_called_a_retry(told: Any) -> None:
    pool: Any = SimpleNamespace(host="management.azure.com")
    with pytest.raises(MaxRetryError):
        ToldRetry(total=0).increment("GET", "/x", None, ConnectTimeoutError(pool, "no"), pool)
    assert told.lines() == []
