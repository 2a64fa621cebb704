"""What a route does not know is told by name; words and numbers are one in both directions."""

from __future__ import annotations

from typing import Annotated, Any, TypedDict

import pytest

from local.azure.devops.contracts import (
    Contract,
    Date,
    Form,
    ReadOnly,
    Unread,
    Words,
    contract_of,
    read,
    read_query,
    write,
)
from local.azure.devops.routers import AREAS
from local.azure.kernel.http import ServiceError
from tests.local.azure.devops.organisation import Organisation

COLOURS = Words(red=1, green=2, blue=4, all=7)
VERSION = {"api-version": "7.1"}
CONTRACTS = [
    pytest.param(contract, id=contract.handler.__name__)
    for area in AREAS
    for contract in area.contracts
]


class Inner(TypedDict, total=False):
    count: int
    colour: Annotated[str, COLOURS]


class _Outer(TypedDict):
    name: str


class Outer(_Outer, total=False):
    inner: Inner
    all: list[Inner]
    free: dict[str, Unread]
    set: ReadOnly
    flag: bool
    when: Date


class Filter(TypedDict, total=False):
    colours: list[Annotated[str, COLOURS]]


def refused(value: Any, kind: Any = Outer) -> tuple[int, str]:
    with pytest.raises(ServiceError) as caught:
        read(value, kind, "")
    return caught.value.status, caught.value.message


@pytest.mark.parametrize(
    ("value", "status", "named"),
    [
        ({"name": "x", "colour": 1}, 501, "'colour'"),
        ({"name": "x", "inner": {"counts": 1}}, 501, "'inner.counts'"),
        ({"name": "x", "all": [{}, {"x": 1}]}, 501, "'all[1].x'"),
        ({}, 400, "'name'"),
        ({"name": None}, 400, "'name'"),
        ({"name": []}, 400, "name must be of type str"),
        ({"name": "x", "inner": []}, 400, "inner must be an object"),
        ({"name": "x", "all": {}}, 400, "all must be a list"),
        ({"name": "x", "free": []}, 400, "free must be an object"),
        ({"name": "x", "flag": "maybe"}, 400, "'maybe' is not valid for flag"),
        ({"name": "x", "inner": {"count": "1.5"}}, 400, "'1.5' is not valid for inner.count"),
        ({"name": "x", "inner": {"colour": 3}}, 400, "'3' is not valid for inner.colour"),
        ({"name": "x", "inner": {"colour": True}}, 400, "not valid"),
        ([], 400, "The body must be an object"),
    ],
)
def test_a_body_is_read_as_declared(value: Any, status: int, named: str) -> None:
    found = refused(value)
    assert found[0] == status
    assert named in found[1]


def test_what_is_declared_is_read() -> None:
    given = {
        "NAME": 5,
        "inner": {"colour": 4, "count": "3"},
        "all": [{"colour": "GREEN"}],
        "free": {"a": {"b": None}},
        "set": "ignored",
        "flag": "True",
    }
    assert read(given, Outer, "") == {
        "name": "5",
        "inner": {"colour": "blue", "count": 3},
        "all": [{"colour": "green"}],
        "free": {"a": {"b": None}},
        "flag": True,
    }


def test_numbers_and_milliseconds_are_written_where_they_are_declared() -> None:
    value = {
        "name": "2026-01-01T00:00:00Z",
        "inner": {"colour": "blue"},
        "free": {"colour": "blue", "when": "2026-01-01T00:00:00Z"},
        "when": "1970-01-01T00:00:01.5Z",
    }
    found = write(value, Outer, Form(numbers=True, ms_dates=True))
    assert found == {**value, "inner": {"colour": 4}, "when": "/Date(1500)/"}
    assert write(value, Outer, Form(numbers=False, ms_dates=False)) == value


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("6", ["green", "blue"]),
        ("7", ["all"]),
        ("red,4", ["red", "blue"]),
        ("15", None),
        ("x", None),
    ],
)
def test_a_filter_may_be_a_sum(text: str, words: list[str] | None) -> None:
    if text == "15":
        # All known words, and one that only newer clients know.
        assert read_query({"colours": text}, Filter) == {"colours": ["red", "green", "blue"]}
    elif words is None:
        with pytest.raises(ServiceError, match="not valid for colours"):
            read_query({"colours": text}, Filter)
    else:
        assert read_query({"colours": text}, Filter) == {"colours": words}


@pytest.mark.parametrize("contract", CONTRACTS)
def test_every_route_refuses_what_it_does_not_know(contract: Contract) -> None:
    with pytest.raises(ServiceError, match="query parameter 'nonsense'") as caught:
        read_query({"nonsense": "1", "api-version": "7.1"}, contract.query)
    assert caught.value.status == 501
    if contract.body not in (None, bytes):
        listed = str(contract.body).startswith("list[")
        body: Any = {"nonsense": 1}
        if listed and "str" in str(contract.body):
            return
        with pytest.raises(ServiceError, match="nonsense"):
            read([body] if listed else body, contract.body, "")


def test_a_handler_must_declare() -> None:
    def undeclared(cloud: Any, body: Any, more: Any) -> None: ...

    with pytest.raises(TypeError, match="undeclared must take"):
        contract_of(undeclared)


@pytest.mark.parametrize(
    ("method", "path", "body", "named"),
    [
        ("GET", "build/builds?statusFilters=completed", None, "'statusFilters'"),
        ("GET", "git/repositories/aml/refs?latest=true", None, "'latest'"),
        ("POST", "build/builds", {"definition": {"id": 1}, "retention": 1}, "'retention'"),
        ("POST", "git/repositories/aml/pullRequests", {"title": "t", "autoComplete": 1}, "'auto"),
        ("DELETE", "build/builds/1?force=true", None, "'force'"),
        ("PUT", "build/builds/1/tags/x", {"a": 1}, "reads no body"),
    ],
)
def test_it_is_so_on_the_wire(
    organisation: Organisation, method: str, path: str, body: Any, named: str
) -> None:
    answer = organisation.request(
        method, f"{organisation.project}/_apis/{path}", json=body, params=VERSION
    )
    assert (answer.status_code, answer.json()["typeKey"]) == (501, "NotImplementedException")
    assert named in answer.json()["message"]
