from __future__ import annotations

from pathlib import Path

from local.azure.running import logs


def test_a_log_grows_by_lines_and_its_end_is_told(tmp_path: Path) -> None:
    path = tmp_path / "log.txt"
    assert logs.tail(path) == ""
    append = logs.appender(path)
    for number in range(50):
        append(f"line {number} ü")
    assert logs.tail(path, 2) == "line 48 ü\nline 49 ü"
    assert logs.tail(path).startswith("line 10 ü\n")


def test_the_end_of_a_log_that_is_no_text_is_told_too(tmp_path: Path) -> None:
    path = tmp_path / "log.txt"
    path.write_bytes(b"\xff\xfe\nend\n\n")
    assert logs.tail(path).endswith("\nend")
