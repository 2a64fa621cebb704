from __future__ import annotations

import pytest

from amltasks import tracebacks


@pytest.mark.parametrize(
    "line",
    [
        "ValueError: no such column",
        "pandas.errors.ParserError: Error tokenizing data",
        "KeyboardInterrupt",
        "SystemExit: 3",
        "AssertionError",
        "my_module.MyException:",
        "FileNotFoundError: [Errno 2] No such file or directory: 'a: b'\n",
    ],
)
def test_the_end_of_a_traceback_is_seen(line: str) -> None:
    assert tracebacks.raised(["Traceback (most recent call last):", "  x = 1", line]) == [line]


@pytest.mark.parametrize(
    "line",
    [
        "",
        "Error occurred while reading",
        "    raise ValueError: x",
        "no ValueError: x",
        "Errors: 2",
    ],
)
def test_other_lines_are_none(line: str) -> None:
    assert tracebacks.raised([line]) == []


def test_several_keep_their_order() -> None:
    lines = ["KeyError: 'a'", "During handling of the above exception:", "RuntimeError: b"]
    assert tracebacks.raised(lines) == [lines[0], lines[2]]
