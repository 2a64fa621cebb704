"""YAML and JSON files as trees of nodes with their places."""

from __future__ import annotations

from pathlib import Path

import pytest

from local.agent.definition.document import Mapping, Scalar, Sequence, load, parse, parse_json
from local.agent.errors import PipelineFileError

FILE = Path("a-pipeline.yml")


def plain(node):
    """The tree without its places."""
    if isinstance(node, Scalar):
        return node.text
    if isinstance(node, Sequence):
        return [plain(item) for item in node.items]
    return {key.text: plain(value) for key, value in node.entries}


def test_every_scalar_is_text_as_it_is_written():
    node = parse("a: 010\nb: yes\nc: 2026-01-02\nd: ~\ne: ''\nf: 1.10\n", FILE)
    expected = {"a": "010", "b": "yes", "c": "2026-01-02", "d": "", "e": "", "f": "1.10"}
    assert plain(node) == expected


def test_nodes_know_their_lines():
    node = parse("steps:\n- script: a\n\n- script: b\n", FILE)
    assert isinstance(node, Mapping)
    steps = node.get("steps")
    assert isinstance(steps, Sequence)
    assert [item.place.line for item in steps.items] == [2, 4]
    assert list(node) == ["steps"]
    assert node.get("stages") is None


def test_a_template_expression_may_stand_as_a_key_twice():
    node = parse("${{ if a }}:\n  x: 1\n${{ if a }} :\n  x: 2\n", FILE)
    assert isinstance(node, Mapping)
    assert len(node.entries) == 2


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        ("a: 1\na: 2\n", 2, "the key 'a' is here twice"),
        ("a: &x 1\nb: *x\n", 1, "anchors and aliases are not supported"),
        ("a: [1\n", 2, "not valid YAML"),
        ("? [a]\n: 1\n", 1, "a key must be text"),
        ("# nothing\n", 0, "the pipeline file is empty"),
        ("a: \x07\n", 0, "not valid YAML"),
    ],
)
def test_yaml_that_is_refused(text, line, words):
    with pytest.raises(PipelineFileError) as refused:
        parse(text, FILE)
    assert (refused.value.line, words in refused.value.message) == (line, True)


def test_json_has_the_texts_that_yaml_has():
    node = parse_json('{"a": true, "b": null, "c": 1.5, "d": [false, "x"], "e": {}}', FILE)
    assert plain(node) == {"a": "true", "b": "", "c": "1.5", "d": ["false", "x"], "e": {}}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('{"a": 1, "a": 2}', "the key 'a' is twice in one object"),
        ('{"a": [{"b": 1, "b": 1}]}', "the key 'b' is twice"),
        ("{\n  a\n}", "not valid JSON"),
    ],
)
def test_json_that_is_refused(text, words):
    with pytest.raises(PipelineFileError, match=words):
        parse_json(text, FILE)


def test_files_that_cannot_be_read(tmp_path):
    latin = tmp_path / "latin.yml"
    latin.write_bytes(b"name: caf\xe9\n")
    with pytest.raises(PipelineFileError, match="save it as UTF-8"):
        load(latin)
    with pytest.raises(PipelineFileError, match=r"cannot be read \(No such file"):
        load(tmp_path / "gone.yml")


def test_a_byte_order_mark_is_no_part_of_the_first_key(tmp_path):
    file = tmp_path / "marked.yml"
    file.write_bytes(b"\xef\xbb\xbfname: a\n")
    assert plain(load(file)) == {"name": "a"}
