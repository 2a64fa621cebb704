"""Minimatch patterns, with the cases of src/Test/L0/Worker/SetVariableRestrictionsL0.cs."""

from __future__ import annotations

import pytest

from local.agent.host.globs import matches


@pytest.mark.parametrize(
    ("pattern", "names", "others"),
    [
        ("myVar", ["myVar", "myvar", "MYVAR"], ["badVar", "myVar2"]),
        ("my*", ["myVar", "mything", "MY"], ["badVar"]),
        ("metric.*", ["metric.accuracy", "METRIC.a.b"], ["metric", "metricx"]),
        ("*", ["a", "b.c"], [".hidden", "a/b"]),
        ("a?c", ["abc"], ["ac", "abbc"]),
        ("[ab]x", ["ax", "BX"], ["cx"]),
        ("[!ab]x", ["cx"], ["ax"]),
        ("{a,b}.txt", ["a.txt", "b.txt"], ["c.txt"]),
        ("!a", ["b"], ["a"]),
        ("#a", [], ["#a", "a"]),
        ("**", ["a", "a/b/c"], ["a/.b"]),
        ("**/*.py", ["a.py", "x/y/a.py"], ["a.txt"]),
        ("a/**", ["a/b", "a/b/c"], ["b/a"]),
        ("a/**/b", ["a/b", "a/x/y/b"], ["a/x/c"]),
        ("a.b", ["a.b"], ["axb"]),
    ],
)
def test_patterns(pattern, names, others):
    assert [name for name in names if not matches(pattern, name)] == []
    assert [name for name in others if matches(pattern, name)] == []
