"""YAML as people write it, and texts that are small and would take other readers for ever."""

from __future__ import annotations

import pytest
import yaml

from amltasks import core_yaml
from amltasks.core_yaml import YamlError, located_yaml

LAUGHS = "".join(f"a{n + 1}: &a{n + 1} [{','.join([f'*a{n}'] * 10)}]\n" for n in range(8))
MERGES = "".join(f"a{n + 1}: &a{n + 1} {{<<: [{','.join([f'*a{n}'] * 10)}]}}\n" for n in range(8))
DEEP = {
    "sequences": "[" * 5000,
    "closed sequences": "[" * 5000 + "]" * 5000,
    "sequences on lines": "[\n" * 5000,
    "mappings": "{a: " * 5000,
    "both": "[{a: " * 3000,
    "block sequences": "- " * 5000 + "x",
    "block mappings": "".join(f"{' ' * n}a:\n" for n in range(600)),
    "keys": "? " * 5000 + "x",
    "anchors": "".join(f"&a{n} [" for n in range(3000)),
    "tags": "!!seq [" * 3000,
    "below a key": "rules: " + "[" * 51 + "]" * 51,
}
LARGE = {
    "aliases": "a0: &a0 [x]\n" + LAUGHS,
    "merge keys": "a0: &a0 {k: v}\n" + MERGES,
    "many aliases": "a: &a x\nb: [" + "*a," * 30_000 + "]",
    "many items": "[" + "1," * 30_000 + "]",
    "many keys": "".join(f"k{n}: 1\n" for n in range(12_000)),
    "a scalar": "a: " + "x" * 300_000,
    "a quoted scalar": 'a: "' + "\\x41" * 100_000 + '"',
    "a block scalar": "a: |\n" + "  x\n" * 100_000,
    "a comment": "# " + "x" * 300_000,
}


@pytest.mark.parametrize("text", [*DEEP.values(), *LARGE.values()], ids=[*DEEP, *LARGE])
def test_what_is_too_deep_or_too_large_is_refused(text: str) -> None:
    words = "nested deeper" if text in DEEP.values() else "more than|longer than"
    with pytest.raises(YamlError, match=words):
        located_yaml(text)
    for loader in (core_yaml.SafeLoader, core_yaml.BaseLoader):
        with pytest.raises(YamlError, match=words):
            yaml.load(text, Loader=loader)  # noqa: S506 - safe loaders


def test_what_is_too_deep_is_refused_before_the_rest_is_read() -> None:
    """A parser goes on to the end where the composer asks for all of it."""
    loader = core_yaml.CoreLoader("[\n" * 60_000)
    with pytest.raises(YamlError):
        loader.get_single_node()
    assert loader.line < 100


def test_a_document_that_holds_itself_is_refused() -> None:
    with pytest.raises(YamlError, match="without an end"):
        located_yaml("a: &a [*a]")


def test_what_people_write_is_read_with_its_lines() -> None:
    deep = "[" * 47 + "x" + "]" * 47
    found, lines = located_yaml(f"a: &a {{b: no}}\nc:\n  - *a\n  - {deep}\n")
    assert found["a"] == found["c"][0] == {"b": "no"}
    assert lines["c",] == 2
    assert lines["c", 1] == 4
