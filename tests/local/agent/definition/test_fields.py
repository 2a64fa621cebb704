"""Strict reading of one mapping."""

from __future__ import annotations

from pathlib import Path

import pytest

from local.agent.definition.document import parse
from local.agent.definition.fields import Fields
from local.agent.errors import PipelineFileError


def fields(text, *, known=("a", "b"), refused=()):
    return Fields(parse(text, Path("file.yml")), "a thing", known, refused)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("aa: 1\n", "a thing has no key 'aa'; did you mean 'a'?"),
        ("old: 1\n", "'old' in a thing is not supported by the local agent; remove it"),
        ("- a\n", "a thing must be a mapping"),
    ],
)
def test_keys_are_checked(text, words):
    with pytest.raises(PipelineFileError) as refused:
        fields(text, refused=("old",))
    assert words in str(refused.value)


@pytest.mark.parametrize(
    ("written", "expected"),
    [("true", True), ("Yes", True), ("ON", True), ("n", False), ("off", False), ("", True)],
)
def test_truth_values(written, expected):
    assert fields(f"a: {written}\n").boolean("a", default=True) is expected


def test_values_of_the_wrong_kind_are_named_with_their_line():
    one = fields("a: [1]\nb: maybe\n")
    with pytest.raises(PipelineFileError, match=r"file.yml:1: 'a' must be text"):
        one.text("a")
    with pytest.raises(PipelineFileError, match=r"file.yml:2: 'b' must be true or false"):
        one.boolean("b")
    with pytest.raises(PipelineFileError, match="'b' must be a whole number, not 'maybe'"):
        one.number("b", 1)
    with pytest.raises(PipelineFileError, match="'b' must be a list"):
        one.items("b")
    with pytest.raises(PipelineFileError, match="'b' must be a mapping of names to texts"):
        one.texts("b")


def test_absent_keys_have_defaults():
    one = fields("{}")
    assert (one.text("a", "x"), one.number("a", 3), one.items("a")) == ("x", 3, ())
    assert (one.texts("a"), one.places("a"), one.has("a")) == ({}, {}, False)
    assert not one.child("a", "its child", ("k",)).has("k")


def test_a_list_in_a_mapping_of_texts_is_refused():
    with pytest.raises(PipelineFileError, match="'x' must be text"):
        fields("a: {x: [1]}\n").texts("a")


def test_a_choice_is_written_in_any_case_or_as_its_number():
    names = {"1": "agentQueue", "2": "server"}
    assert fields("a: 2\n").choice("a", names, "agentQueue") == "server"
    assert fields("a: SERVER\n").choice("a", names, "agentQueue") == "server"
    assert fields("b: 1\n").choice("a", names, "agentQueue") == "agentQueue"
    with pytest.raises(PipelineFileError, match="a thing: 'a' is 'serv3r'; did you mean 'server'"):
        fields("a: serv3r\n").choice("a", names, "agentQueue")


def test_keys_of_a_mapping_have_their_places():
    places = fields("a:\n  x: 1\n  y: 2\n").places("a")
    assert {name: place.line for name, place in places.items()} == {"x": 2, "y": 3}
