"""The wait of azureml-core's client after 429."""

from __future__ import annotations

import logging
import time
from typing import Any

import pytest
import requests
from azureml._restclient.clientbase import ClientBase

from amltasks.workspace.sdk_v1 import throttling

SLEPT: list[float] = []


@pytest.fixture(autouse=True)
def patched(monkeypatch: pytest.MonkeyPatch) -> None:
    """A client that follows Retry-After, and a clock that only notes how long it sleeps."""
    monkeypatch.setattr(ClientBase, "_handle_retry", ClientBase._handle_retry)
    monkeypatch.setattr(time, "sleep", SLEPT.append)
    SLEPT.clear()
    throttling.follow_retry_after()
    throttling.follow_retry_after()


def answer(status: int, retry_after: str = "") -> requests.Response:
    found = requests.Response()
    found.status_code = status
    found.request = requests.Request("PUT", "https://management.azure.com/x?y=1").prepare()
    if retry_after:
        found.headers["Retry-After"] = retry_after
    return found


def ask(*answers: requests.Response) -> Any:
    left = iter(answers)

    def put() -> requests.Response:
        return next(left)

    return ClientBase._execute_func(put)


def test_it_waits_as_long_as_azure_says(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, "amltasks"):
        assert ask(answer(429, "1"), answer(429, "7"), answer(200)).status_code == 200
    assert SLEPT == [1.0, 7.0]
    assert "PUT management.azure.com/x was answered 429; trying again" in caplog.text


def test_it_gives_up_after_as_many_attempts_as_before() -> None:
    assert ask(*[answer(429, "2")] * 4).status_code == 429
    assert SLEPT == [2.0] * 3


@pytest.mark.parametrize("text", ["", "soon", "-1", "Wed, 21 Oct 2026 07:28:00 GMT"])
def test_without_seconds_the_wait_is_the_sdk_s(text: str) -> None:
    assert ask(answer(429, text), answer(200)).status_code == 200
    assert SLEPT == [32]


def test_other_failures_are_the_sdk_s() -> None:
    assert ask(answer(500, "9"), answer(200)).status_code == 200
    assert SLEPT == [2]
    with pytest.raises(ValueError, match="no failure of Azure"):
        ClientBase._execute_func(_fail)


def _fail() -> None:
    raise ValueError("no failure of Azure")


def test_a_wait_of_hours_is_cut() -> None:
    assert ask(answer(429, "7200"), answer(200)).status_code == 200
    assert SLEPT == [300.0]
