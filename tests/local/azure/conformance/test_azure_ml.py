"""The local Azure answers as the recorded Azure ML did, but for the differences that are listed."""

from __future__ import annotations

import copy
import fnmatch
import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from tests.local.azure.conformance.driver import (
    Answer,
    Driver,
    Exchange,
    differences,
    recorded_ids,
)
from tests.local.azure.conformance.recorded import Difference
from tests.local.azure.conftest import get_token

KEPT_FILE = Path(__file__).with_name("kept_differences.json")
KEPT: list[dict[str, str]] = json.loads(KEPT_FILE.read_text(encoding="utf-8"))
DOCUMENT = Path(__file__).resolve().parents[4] / "local" / "azure" / "CHECKED.md"


@pytest.fixture(scope="module")
def driven(
    local_azure: Any, azure_http: requests.Session, anonymous_http: requests.Session
) -> Driver:
    storage_token = get_token(anonymous_http, local_azure, "https://storage.azure.com")
    driver = Driver(
        azure_http, anonymous_http, scope=local_azure.scope, storage_token=storage_token
    )
    driver.run()
    return driver


def is_kept(entry: dict[str, str], exchange: str, difference: Difference) -> bool:
    """`exchange` is a shell pattern; a `where` with `.*` at its end covers an object's members."""
    if not fnmatch.fnmatchcase(exchange, entry["exchange"]):
        return False
    if entry["where"].endswith(".*"):
        return difference.where.startswith(entry["where"][:-1])
    return difference.where == entry["where"]


def all_differences(driven: Driver) -> Iterator[tuple[str, Difference]]:
    for name, exchange in driven.exchanges.items():
        for found in differences(exchange, driven.answers[name], driven.scope):
            yield name, found


@pytest.mark.parametrize("name", recorded_ids())
def test_answer_is_the_recorded_one(driven: Driver, name: str) -> None:
    found = differences(driven.exchanges[name], driven.answers[name], driven.scope)
    new = [one for one in found if not any(is_kept(entry, name, one) for entry in KEPT)]
    assert not new, "\n".join(f"{one.where} {one.how}" for one in new)


@pytest.mark.parametrize("entry", KEPT, ids=lambda entry: f"{entry['exchange']} {entry['where']}")
def test_kept_difference_still_occurs(driven: Driver, entry: dict[str, str]) -> None:
    assert entry["reason"]
    assert any(is_kept(entry, name, found) for name, found in all_differences(driven)), (
        "this difference is gone: take it off the list"
    )


def test_documents_tell_the_counts(driven: Driver, capsys: pytest.CaptureFixture[str]) -> None:
    held = [name for name, one in driven.exchanges.items() if one.facts["body"] != "any"]
    equal = set(held) - {name for name, _ in all_differences(driven)}
    with capsys.disabled():
        sys.stdout.write(
            f" {len(equal)} of {len(held)} exchanges are equal, {len(KEPT)} kinds of difference "
            "are kept "
        )
    told = " ".join(DOCUMENT.read_text(encoding="utf-8").split())
    assert f"Of {len(held)} exchanges {len(equal)} are equal" in told
    assert f"{len(KEPT)} kinds of difference are kept" in told
    assert [entry["reason"] for entry in KEPT if entry["reason"] not in told] == []


# --- the suite is not blind ----------------------------------------------------------------------


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Where a JSON value has members and items: the ways that lead to them."""
    items = value.items() if isinstance(value, dict) else enumerate(value)
    for key, inner in items:
        yield (*path, key)
        if isinstance(inner, (dict, list)):
            yield from places(inner, (*path, key))


def changed(value: Any, path: tuple[Any, ...], change: Callable[[Any, Any], None]) -> Any:
    """A copy of a value in which the member or item at the end of a way was changed."""
    copied = copy.deepcopy(value)
    inner = copied
    for key in path[:-1]:
        inner = inner[key]
    change(inner, path[-1])
    return copied


def leaves(tree: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    for way in places(tree, path):
        inner = tree
        for key in way:
            inner = inner[key]
        if isinstance(inner, str) and inner != "exactly":
            yield way


def lacks(exchange: Exchange, answer: Answer, way: tuple[Any, ...]) -> bool:
    """Whether an answer has nothing at the end of a way, which is a kept difference then."""
    inner = answer.body
    for key in way:
        if not isinstance(inner, dict) or key not in inner:
            return any(is_kept(entry, exchange.id, at(way)) for entry in KEPT)
        inner = inner[key]
    return False


def at(way: tuple[Any, ...]) -> Difference:
    return Difference(".".join(["body", *map(str, way)]), "")


def with_tree(exchange: Exchange, tree: Any) -> Exchange:
    return Exchange(exchange.group, {**exchange.facts, "body": tree})


def test_every_leaf_counts(driven: Driver) -> None:
    """A leaf that says otherwise is a difference, wherever the answer has something there."""
    flipped, silent = 0, []
    for name, exchange in driven.exchanges.items():
        answer, tree = driven.answers[name], exchange.facts["body"]
        if not isinstance(tree, dict) or not isinstance(answer.body, dict):
            continue
        before = len(differences(exchange, answer, driven.scope))
        for way in leaves(tree):

            def flip(inner: Any, key: Any) -> None:
                inner[key] = "=never answered"

            other = with_tree(exchange, changed(tree, way, flip))
            after = len(differences(other, answer, driven.scope))
            optional = any(
                isinstance(key, str) and (key.endswith("?") or key == "*") for key in way
            )
            # Nothing is compared below what an answer lacks, or in an empty list.
            absent_or_empty = optional or 0 in way or lacks(exchange, answer, way)
            absent_or_empty |= any(is_kept(entry, name, at(way)) for entry in KEPT)
            flipped += after > before
            if after <= before and not absent_or_empty:
                silent.append((name, way))
    assert flipped > 1000
    assert not silent


def test_every_member_of_an_answer_counts(driven: Driver) -> None:
    """An answer that lacks a member, or has one more, is another one."""
    removed, added = 0, 0
    for name, exchange in driven.exchanges.items():
        answer, tree = driven.answers[name], exchange.facts["body"]
        if not isinstance(tree, dict) or not isinstance(answer.body, dict):
            continue
        before = set(differences(exchange, answer, driven.scope))
        for member in answer.body:
            less = Answer(
                answer.status,
                answer.headers,
                {key: value for key, value in answer.body.items() if key != member},
            )
            assert set(differences(exchange, less, driven.scope)) - before, (name, member)
            removed += 1
        more = Answer(answer.status, answer.headers, {**answer.body, "unheardOf": 1})
        assert set(differences(exchange, more, driven.scope)) - before, name
        added += 1
    assert removed > 200
    assert added > 50


def test_statuses_and_headers_count(driven: Driver) -> None:
    for name, exchange in driven.exchanges.items():
        answer = driven.answers[name]
        other = Answer(418, answer.headers, answer.body)
        assert differences(exchange, other, driven.scope), name
        named = {
            header
            for header, leaf in (exchange.facts.get("headers") or {}).items()
            if "absent" not in leaf and not header.endswith("*")
        }
        kept = {entry["where"] for entry in KEPT}
        for header in named:
            if f"header {header}" in kept:
                continue
            less = {key: value for key, value in answer.headers.items() if key.lower() != header}
            found = differences(exchange, Answer(answer.status, less, answer.body), driven.scope)
            assert f"header {header}" in {one.where for one in found}, (name, header)
