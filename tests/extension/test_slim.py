"""What ships of a Python source does the same, line by line."""

from __future__ import annotations

import ast
import traceback
from pathlib import Path

import pytest

from extension import closure, slim

SOURCE = '''\
#!/usr/bin/env python3
"""A module, über alles."""  # with a comment

TEXT = "# no comment"  # but this is one


class Error(Exception):
    """Only a docstring,
    on two lines."""


def über(value: str = """not a
docstring""") -> str:
    """Of a function."""
    if value:  # comment
        "a text alone"
    return f"{value!r}#" + TEXT


NUMBER = 1
"""What is said of a constant."""


def fails() -> None:
    raise Error(NUMBER)
'''


def test_no_comment_and_no_docstring_is_left_and_each_line_is_where_it_was() -> None:
    slimmed = slim.slim(SOURCE)
    assert "alles" not in slimmed
    assert "comment" in slimmed
    assert "# but this" not in slimmed
    assert "What is said" not in slimmed
    assert slimmed.count("\n") == SOURCE.count("\n")
    found: dict[str, object] = {}
    exec(compile(slimmed, "slimmed.py", "exec"), found)  # noqa: S102 - it is ours
    assert found["über"]("x") == "'x'#" + "# no comment"  # type: ignore[operator]
    with pytest.raises(Exception, match="1") as raised:
        found["fails"]()  # type: ignore[operator]
    line = traceback.extract_tb(raised.value.__traceback__)[-1].lineno
    assert line == 1 + SOURCE.splitlines().index("    raise Error(NUMBER)")


def test_all_that_we_ship_can_be_slimmed() -> None:
    """`slim` fails where the two do not the same; here it is done with every file of a task."""
    for path in closure.files("EvaluateAndGate"):
        if path.suffix == ".py":
            source = path.read_text(encoding="utf-8")
            slimmed = slim.slim(source)
            assert len(slimmed) <= len(source), path
            assert _docstrings(slimmed) == 0, path


def _docstrings(source: str) -> int:
    kinds = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
    nodes = (node for node in ast.walk(ast.parse(source)) if isinstance(node, kinds))
    return sum(ast.get_docstring(node) is not None for node in nodes)


def test_a_lock_keeps_its_lines_and_loses_what_they_are_for(tmp_path: Path) -> None:
    text = (
        "a==1 \\\n    --hash=sha256:1 \\\n    --hash=sha256:2\n    # via b\nb==2 \\\n    --hash=x\n"
    )
    assert slim.slim_lock(text) == text.replace("    # via b\n", "")
