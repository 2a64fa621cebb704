from __future__ import annotations

from typing import TypedDict

import pytest

from local.azure.kernel.cloud import Cloud
from local.azure.kernel.store import AlreadyExists
from local.azure.kernel.tables import Table


class Thing(TypedDict):
    name: str
    size: int


THINGS: Table[Thing] = Table("thing")


def test_documents_come_back_as_they_were_put(fresh_azure: Cloud) -> None:
    assert THINGS.kind == "thing"
    assert THINGS.get(fresh_azure, "a") is THINGS.look_up(fresh_azure, "a") is None
    THINGS.insert(fresh_azure, "a", {"name": "a", "size": 1})
    with pytest.raises(AlreadyExists):
        THINGS.insert(fresh_azure, "a", {"name": "a", "size": 2})
    THINGS.put(fresh_azure, "b", {"name": "b", "size": 2})

    def grow(thing: Thing) -> None:
        thing["size"] += 10

    assert THINGS.update(fresh_azure, "a", grow) == {"name": "a", "size": 11}
    assert THINGS.look_up(fresh_azure, "a") == THINGS.get(fresh_azure, "a")
    assert [key for key, _ in THINGS.items(fresh_azure)] == ["a", "b"]
    assert THINGS.find(fresh_azure, {"size": "2"}) == [{"name": "b", "size": 2}]
    assert THINGS.delete(fresh_azure, "a")
    assert not THINGS.delete(fresh_azure, "a")
    with pytest.raises(KeyError):
        THINGS.update(fresh_azure, "a", grow)


def test_keys_that_are_numbers_sort_by_them(fresh_azure: Cloud) -> None:
    for number in (10, 9, 100):
        THINGS.put(fresh_azure, number, {"name": str(number), "size": number})
    assert sorted(key for key, _ in THINGS.items(fresh_azure)) == [
        "0000000009",
        "0000000010",
        "0000000100",
    ]
    assert THINGS.get(fresh_azure, 9) == {"name": "9", "size": 9}


def test_numbers_are_given_once_and_apart(fresh_azure: Cloud) -> None:
    given = [THINGS.next_number(fresh_azure), THINGS.next_number(fresh_azure)]
    assert given == [1, 2]
    assert THINGS.next_number(fresh_azure, of="p") == 1
