"""A run from run history's fields, also where some are missing or odd."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import Any

import pytest

from amltasks.workspace.port import Run
from amltasks.workspace.run_states import to_run

NOON = datetime(2020, 1, 31, 12, tzinfo=timezone.utc)


def run(**found: Any) -> Run:
    return to_run(found, run_id="r", name="n", url="https://u")


def test_a_run_that_has_ended() -> None:
    found = run(
        status="Completed",
        startTimeUtc="2020-01-31T12:00:00.1234567Z",
        endTimeUtc="2020-01-31T12:01:30.7654321+00:00",
        tags={"build_id": 7},
    )
    assert found == Run(
        id="r",
        name="n",
        status="Completed",
        url="https://u",
        started=NOON,
        seconds=90.0,
        tags={"build_id": "7"},
    )
    assert found.ended


@pytest.mark.parametrize("nothing", [{}, {"status": None, "tags": None, "error": None}])
def test_a_run_that_nothing_is_known_of_has_not_started(nothing: dict[str, Any]) -> None:
    found = run(**nothing)
    assert (found.status, found.started, found.seconds) == ("NotStarted", None, None)
    assert (found.error, found.tags, found.ended) == ("", {}, False)


def test_a_run_under_way_lasts_until_now() -> None:
    before = (datetime.now(timezone.utc) - NOON).total_seconds()
    found = run(status="Running", startTimeUtc="2020-01-31T12:00:00Z")
    assert found.seconds is not None
    assert found.seconds >= before


def test_a_run_that_ended_at_an_unknown_time_has_no_duration() -> None:
    assert run(status="Failed", startTimeUtc="2020-01-31T12:00:00Z").seconds is None


def test_clocks_that_differ_give_no_negative_duration() -> None:
    found = run(startTimeUtc="2020-01-31T12:00:05Z", endTimeUtc="2020-01-31T12:00:00Z")
    assert found.seconds == 0.0


@pytest.mark.parametrize("text", ["", "soon", "2020-01-31", "2020-13-31T12:00:00Z", 7, None])
def test_what_is_no_time_is_left_out(text: Any) -> None:
    assert run(startTimeUtc=text).started is None


@pytest.mark.parametrize(
    ("error", "said"),
    [
        ({"error": {"message": "It  broke\n here"}}, "It broke here"),
        ({"error": {"error": {"code": "UserError", "message": ""}}}, "UserError"),
        ({"message": "plain", "code": "C"}, "plain"),
        ({"error": None, "code": "C"}, "C"),
        ({}, ""),
        ("a text", ""),
        ([], ""),
    ],
)
def test_the_innermost_error_is_told_in_one_line(error: Any, said: str) -> None:
    assert run(error=error).error == said
