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
    """A kind of document has one owner, which alone names its table; it is typed by `Table`."""
    named: dict[str, set[str]] = {}
    for path in sorted((ROOT / "local" / "azure").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            match node:
                case ast.Call(
                    func=ast.Attribute(value=ast.Attribute(attr="store") | ast.Name(id="store")),
                    args=[ast.Constant(value=str(table)), *_],
                ):
                    named.setdefault(table, set()).add(str(path))
                case ast.Call(func=ast.Name(id="Table"), args=[ast.Constant(value=str(table))]):
                    named.setdefault(table, set()).add(str(path))
    assert len(named) > 50
    assert {table: modules for table, modules in named.items() if len(modules) > 1} == {}


def test_documents_are_reached_through_typed_tables_only() -> None:
    """Elsewhere than in the kernel the store's own methods only count."""
    untyped = {"get", "put", "insert", "update", "delete", "list", "find", "items", "look_up"}
    found = [
        f"{path.relative_to(ROOT)}:{node.lineno}"
        for path in sorted((ROOT / "local" / "azure").rglob("*.py"))
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if path.parent.name != "kernel"
        and isinstance(node, ast.Attribute)
        and node.attr in untyped
        and isinstance(node.value, ast.Attribute)
        and node.value.attr == "store"
    ]
    assert found == []


def test_finds_by_the_values_of_members_and_of_maps(store):
    for number in range(6):
        tags = {"a/b": str(number % 2)} if number else {}
        store.put("run", f"r{number}", {"n": number, "of": f"e{number % 3}", "tags": tags})

    def found(**wanted):
        return [one["n"] for one in store.find("run", wanted)]

    assert found() == [0, 1, 2, 3, 4, 5]
    assert found(of="e1") == [1, 4]
    assert found(n="4") == [4]
    assert found(**{"tags/a/b": "1"}) == [1, 3, 5]
    assert found(**{"tags/a/b": "1", "of": "e0"}) == [3]
    assert found(tags="x") == found(**{"of/deeper": "x"}) == found(absent="x") == []
    assert store.find("absent") == []


def test_what_is_found_follows_each_change(store):
    for key in ("a", "b", "c"):
        store.insert("kind", key, {"key": key, "state": "new"})
    assert len(store.find("kind", {"state": "new"})) == 3
    store.update("kind", "a", lambda one: one.update(state="old"))
    changed = {"key": "b", "state": None}
    store.put("kind", "b", changed)
    changed["state"] = "changed by its owner later"
    store.insert("kind", "d", {"key": "d", "state": "new"})
    assert [one["key"] for one in store.find("kind", {"state": "new"})] == ["c", "d"]
    assert [one["key"] for one in store.find("kind", {"state": "old"})] == ["a"]
    assert [one["key"] for one in store.find("kind", {"state": None})] == ["b"]
    store.delete("kind", "c")
    store.update("kind", "a", lambda one: one.update(state="new"))
    # A document that comes back to a value keeps its place.
    assert [one["key"] for one in store.find("kind", {"state": "new"})] == ["a", "d"]
    assert [one["key"] for one in store.find("kind")] == ["a", "b", "d"]
    with pytest.raises(AlreadyExists):
        store.insert("kind", "a", {"state": "new"})
    assert store.find("kind") == store.list("kind")


def test_indexes_of_many_paths_stay_right_when_the_oldest_goes(store):
    for number in range(100):
        store.put("kind", str(number), {"tags": {f"t{number}": "x"}})
    for _ in range(2):
        for number in range(100):
            assert len(store.find("kind", {f"tags/t{number}": "x"})) == 1
