"""The document store: order, atomic changes, persistence."""

from __future__ import annotations

import ast
import threading
from pathlib import Path

import pytest

from local.azure.kernel.store import AlreadyExists, Store

ROOT = Path(__file__).resolve().parents[4]


@pytest.fixture
def store(tmp_path):
    store = Store(tmp_path / "state.db")
    yield store
    store.close()


def test_keeps_a_document_until_it_is_deleted(store):
    assert store.get("kind", "key") is None
    store.put("kind", "key", {"a": 1})
    assert store.get("kind", "key") == {"a": 1}
    assert store.get("other", "key") is None
    assert store.delete("kind", "key")
    assert not store.delete("kind", "key")
    assert store.get("kind", "key") is None


def test_inserts_only_what_is_new(store):
    store.insert("kind", "key", {"a": 1})
    with pytest.raises(AlreadyExists, match="kind 'key' already exists"):
        store.insert("kind", "key", {"a": 2})
    assert store.get("kind", "key") == {"a": 1}


def test_lists_by_prefix_in_order_of_insertion(store):
    for key in ("b:2", "a:1", "b:1", "b", "c%"):
        store.put("kind", key, {"key": key})
    store.put("kind", "b:2", {"key": "b:2", "replaced": True})
    assert [one["key"] for one in store.list("kind")] == ["b:2", "a:1", "b:1", "b", "c%"]
    assert [one["key"] for one in store.list("kind", "b:")] == ["b:2", "b:1"]
    assert store.list("kind", "%") == []


def test_a_failed_change_leaves_the_document_alone(store):
    store.put("kind", "key", {"a": 1})

    def fail(value):
        value["a"] = 2
        raise RuntimeError("no")

    with pytest.raises(RuntimeError):
        store.update("kind", "key", fail)
    assert store.get("kind", "key") == {"a": 1}
    with pytest.raises(KeyError):
        store.update("kind", "absent", dict.clear)


def test_changes_and_numbers_from_many_threads_are_not_lost(store):
    store.put("kind", "counter", {"n": 0})
    numbers = []

    def add(value):
        value["n"] += 1

    def work():
        for _ in range(50):
            store.update("kind", "counter", add)
            numbers.append(store.next_number("number"))

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert store.get("kind", "counter") == {"n": 200}
    assert sorted(numbers) == list(range(1, 201))


def test_survives_being_reopened(tmp_path):
    first = Store(tmp_path / "state.db")
    first.put("kind", "key", {"ü": [1, None]})
    assert first.next_number("number") == 1
    first.close()
    second = Store(tmp_path / "state.db")
    assert second.get("kind", "key") == {"ü": [1, None]}
    assert second.next_number("number") == 2
    second.close()


def test_no_table_is_named_by_two_modules() -> None:
    """A kind of document has one owner; others import the name of its table."""
    named: dict[str, set[str]] = {}
    for path in sorted((ROOT / "local" / "azure").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            match node:
                case ast.Call(
                    func=ast.Attribute(value=ast.Attribute(attr="store") | ast.Name(id="store")),
                    args=[ast.Constant(value=str(table)), *_],
                ):
                    named.setdefault(table, set()).add(path.name)
    assert len(named) > 15
    assert {table: modules for table, modules in named.items() if len(modules) > 1} == {}
