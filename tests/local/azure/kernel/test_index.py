"""The index of documents in memory agrees with a search through all of them."""

from __future__ import annotations

import random
from typing import Any

from local.azure.kernel.index import Index

VALUES = [None, "a", "b", 1, True, ["x"], {"k": "v"}]
PATHS = ["state", "tags/team", "tags/a b"]


def value(document, path):
    name, inner, key = path.partition("/")
    found = document.get(name, "absent!")
    if inner:
        found = found.get(key, "absent!") if isinstance(found, dict) else "absent!"
    if isinstance(found, (dict, list)):
        return "absent!"
    return found if found is None else str(found)


def test_any_sequence_of_changes_is_found():
    chance = random.Random(5)  # noqa: S311 - a reproducible sequence
    index = Index([])
    kept: dict[str, tuple[int, Any]] = {}
    for sequence in range(2000):
        key = str(chance.randrange(40))
        if chance.random() < 0.2:
            index.remove(key)
            kept.pop(key, None)
        else:
            tags = chance.choice([None, {}, {"team": chance.choice(VALUES), "a b": "c"}])
            document = {"state": chance.choice(VALUES), "tags": tags}
            age = kept[key][0] if key in kept else sequence
            index.put(age, key, document)
            kept[key] = (age, document)
        wanted = {path: chance.choice([None, "a", "1", "True"]) for path in PATHS[:2]}
        expected = [
            document
            for _, document in sorted(kept.values(), key=lambda entry: entry[0])
            if all(value(document, path) == term for path, term in wanted.items())
        ]
        assert index.find(wanted) == expected
        assert index.get(key) == (kept[key][1] if key in kept else None)


def test_without_terms_all_are_found_oldest_first():
    index = Index([(1, "a", {"n": 1}), (2, "b", {"n": 2})])
    index.put(1, "a", {"n": 3})
    assert index.find({}) == [{"n": 3}, {"n": 2}]


def test_more_paths_than_are_kept_still_find():
    documents = [{"tags": {f"t{number}": "x"}} for number in range(200)]
    index = Index((number, str(number), one) for number, one in enumerate(documents))
    for _ in range(2):
        for number, document in enumerate(documents):
            assert index.find({f"tags/t{number}": "x"}) == [document]
