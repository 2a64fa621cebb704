"""Dependencies: names that exist, and no cycles."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest

from local.agent.definition.graph import checked_graph
from local.agent.errors import PipelineFileError, Place


@dataclass(frozen=True)
class Member:
    name: str
    depends_on: tuple[str, ...]
    place: Place


def members(**dependencies):
    return [
        Member(name, tuple(depends_on.split()), Place(Path("p.yml"), line))
        for line, (name, depends_on) in enumerate(dependencies.items(), start=1)
    ]


def test_what_is_in_order():
    found = checked_graph(members(c="A b", b="a", a="", d=""), "job")
    assert [one.depends_on for one in found] == [("a", "b"), ("a",), (), ()]
    assert checked_graph([], "job") == ()


@pytest.mark.parametrize(
    ("graph", "message"),
    [
        (members(a="", A=""), "p.yml:2: two jobs are called 'A'"),
        (members(build="", test="biuld"), "p.yml:2: the job 'test' depends on 'biuld', which does"),
        (members(a="a"), "p.yml:1: these jobs wait for each other: a"),
        (members(a="", b="c", c="d", d="b"), "p.yml:2: these jobs wait for each other: b, c, d"),
        (members(a="b", b="c", c="b"), "p.yml:2: these jobs wait for each other: b, c"),
    ],
)
def test_what_is_refused(graph, message):
    with pytest.raises(PipelineFileError) as caught:
        checked_graph(graph, "job")
    assert str(caught.value).startswith(message)
