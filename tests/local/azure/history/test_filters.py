"""Filter and order expressions as azureml-core writes them."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from local.azure.history.filters import parse_filter, sort_by
from local.azure.kernel.http import ServiceError

RUN = {
    "runId": "run-1",
    "status": "Completed",
    "runType": "azureml.scriptrun",
    "parentRunId": None,
    "target": "cpu",
    "createdUtc": "2026-01-02T03:04:05.678901Z",
    "tags": {"build number": "7", "a.b": "x and y", "empty": "", "none": None},
    "properties": {"azureml.runsource": "hyperdrive"},
    "runTypeV2": {"orchestrator": "Execution", "traits": ["scriptrun"]},
}


@pytest.mark.parametrize(
    "expression",
    [
        None,
        "",
        "RunId eq run-1",
        "RunId eq other or RunId eq run-1",
        '(Tags/build number eq "7")',
        '(Tags/a.b eq "x and y")',
        '((Tags/build number eq "7") and (Tags/a.b eq "x and y"))',
        "(Tags/build number ne null or Tags/build number eq null)",
        "(Tags/none ne null or Tags/none eq null)",
        '(Tags/empty eq "")',
        "(Properties/azureml.runsource eq hyperdrive)",
        "(RunType eq hyperdrive or Properties/azureml.runsource eq hyperdrive)",
        "(Status eq Completed)",
        "(ParentRunId eq null)",
        "(Target eq cpu)",
        "(CreatedUtc ge 2026-01-02 03:04:05.678901+00:00)",
        "(CreatedUtc gt 2026-01-01 00:00:00)",
        "(RunTypeV2/Orchestrator eq Execution)",
        "(RunTypeV2/Traits/scriptrun ne null) or (RunTypeV2/Traits/scriptrun eq null)",
    ],
)
def test_matches(expression):
    assert parse_filter(expression)(RUN)


@pytest.mark.parametrize(
    "expression",
    [
        "RunId eq run",
        '(Tags/build number eq "8")',
        '(Tags/build eq "7")',
        '((Tags/build number eq "7") and (Tags/a.b eq "x"))',
        "(Tags/absent ne null or Tags/absent eq null)",
        '(Tags/absent ne "x")',
        "(Status eq completed)",
        "(ParentRunId ne null)",
        "(CreatedUtc gt 2026-01-02T03:04:05.678901Z)",
        "RunId eq other and (RunId eq run-1 or Status eq Completed)",
        "(RunTypeV2/Traits/other ne null) or (RunTypeV2/Traits/other eq null)",
        "NoSuchField eq null",
    ],
)
def test_does_not_match(expression):
    assert not parse_filter(expression)(RUN)


@pytest.mark.parametrize("expression", ["RunId", "(RunId eq x", "RunId eq x) and", "eq x"])
def test_nonsense_is_refused(expression):
    with pytest.raises(ServiceError, match="is not valid"):
        parse_filter(expression)


def test_a_time_compared_with_something_else_is_refused():
    with pytest.raises(ServiceError, match="is not a time"):
        parse_filter("CreatedUtc ge yesterday")(RUN)


text = st.text(st.characters(categories=["L", "N", "Zs", "P"], exclude_characters='"/()'))


@given(key=text.filter(lambda key: key.strip() == key and key), value=text)
def test_any_tag_that_the_sdk_writes_is_found(key, value):
    run = {"tags": {key: value}}
    assert parse_filter(f'(Tags/{key} eq "{value}")')(run)
    assert not parse_filter(f'(Tags/{key} eq "{value}!")')(run)
    assert parse_filter(f"(Tags/{key} ne null or Tags/{key} eq null)")(run)


def test_sorts_with_missing_values_as_least():
    runs: list[dict[str, Any]] = [{"n": "a", "t": None}, {"n": "b", "t": "2"}, {"n": "c", "t": "1"}]
    assert [run["n"] for run in sort_by(runs, "T desc")] == ["b", "c", "a"]
    assert [run["n"] for run in sort_by(runs, "t asc")] == ["a", "c", "b"]
    assert [run["n"] for run in sort_by(runs, "")] == ["a", "b", "c"]
    times = [{"createdUtc": f"2026-01-01T00:00:00{part}Z"} for part in (".75", ".751", ".7", "")]
    assert sort_by(times, "CreatedUtc") == [times[3], times[2], times[0], times[1]]
    numbers = [{"n": 10}, {"n": 9}]
    assert sort_by(numbers, "n") == [{"n": 9}, {"n": 10}]
