"""What an SDK prints is kept out of the log, and is there for a debug run."""

from __future__ import annotations

import logging
import sys

import pytest

from amltasks.workspace.printing import banners_hidden


def test_prints_go_to_the_debug_log(
    caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level(logging.DEBUG, logger="amltasks")
    with banners_hidden():
        sys.stdout.write("Class A is experimental\n")
        sys.stderr.write("and more")
    assert capsys.readouterr() == ("", "")
    assert [(record.levelname, record.getMessage()) for record in caplog.records] == [
        ("DEBUG", "SDK: Class A is experimental"),
        ("DEBUG", "SDK: and more"),
    ]


def test_what_was_printed_before_a_failure_is_told(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG, logger="amltasks")
    with pytest.raises(ValueError, match="broken"), banners_hidden():
        sys.stdout.write("the last words\n")
        raise ValueError("broken")
    assert caplog.messages == ["SDK: the last words"]
    assert sys.stdout is not None
