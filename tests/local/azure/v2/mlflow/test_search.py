from __future__ import annotations

from typing import Any

import pytest

from local.azure.kernel.http import ServiceError
from local.azure.v2.mlflow.search import equalities, matcher, ordered

Record = dict[str, dict[str, Any]]
RECORDS: list[Record] = [
    {"metrics": {"loss": 0.5}, "tags": {"team": "a"}, "attributes": {"run_id": "1"}},
    {"metrics": {"loss": 0.25}, "tags": {"team": "A b"}, "attributes": {"run_id": "2"}},
    {"metrics": {}, "tags": {}, "attributes": {"run_id": "3"}},
]


def look_up(record: Record, entity: str, name: str) -> Any:
    return record.get(entity, {}).get(name)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("", "123"),
        ("metrics.loss < 0.5", "2"),
        ("metric.loss >= 0.25 AND tag.team = 'a'", "1"),
        ("tags.team LIKE 'A%'", "2"),
        ("tags.team ILIKE 'a%'", "12"),
        ("tags.team IS NULL", "3"),
        ("tags.team IS NOT NULL and metrics.loss != 0.5", "2"),
        ("run_id IN ('1', '3')", "13"),
        ("attributes.run_id NOT IN ('1')", "23"),
        ('tags."team" = "A b"', "2"),
        ("params.none = 'x'", ""),
    ],
)
def test_a_filter(text: str, found: str) -> None:
    matches = matcher(text, look_up)
    ids = [record["attributes"]["run_id"] for record in RECORDS if matches(record)]
    assert "".join(ids) == found


@pytest.mark.parametrize(
    "text",
    [
        *("metrics.loss", "loss < ", "a = 1 OR b = 2", "x.y = 1", "a ~ 1", "((("),
        *("a = 1 AND", "a = 1 \t and\t", "a = 1\nAND", "AND", "a = 1 b = 2", "a = 1,"),
        *("a IN 'x'", "a IN ,'x'(", "a IN ('x'", "a IN ('x',)", "a IN ()", "a IN ('x'))"),
        *("a NOT IN )'x')", "a IN ('x' 'y')", "a IN ('x'('y')"),
    ],
)
def test_what_is_no_filter_is_refused(text: str) -> None:
    with pytest.raises(ServiceError, match="Invalid filter or order"):
        matcher(text, look_up)


def test_records_without_a_value_come_last_in_either_order() -> None:
    for order, expected in (("metrics.loss ASC", "213"), ("metrics.loss DESC", "123")):
        found = ordered(RECORDS, [order], look_up)
        assert "".join(one["attributes"]["run_id"] for one in found) == expected


def test_only_equal_texts_are_looked_up() -> None:
    text = "tags.team = 'a' AND metrics.loss = 1 AND params.x != 'y' AND params.x == 'z'"
    assert equalities(text) == [("tags", "team", "a"), ("params", "x", "z")]
