"""Where environments and uv have their programs, on Windows and elsewhere."""

from __future__ import annotations

from pathlib import Path

import pytest

from devtools.environments import interpreter_in, uv_in


def test_the_interpreter_of_an_environment() -> None:
    folder = Path("envs", "dev")
    assert interpreter_in(folder, windows=True) == folder / "Scripts" / "python.exe"
    assert interpreter_in(folder, windows=False) == folder / "bin" / "python"


@pytest.mark.parametrize(
    ("windows", "place"),
    [(False, "bin/uv"), (True, "bin/uv.exe"), (True, "Scripts/uv.exe")],
)
def test_uv_is_where_the_systems_pip_puts_it(tmp_path: Path, windows: bool, place: str) -> None:
    program = tmp_path / place
    program.parent.mkdir()
    program.touch()
    assert uv_in(tmp_path, windows=windows) == program
    with pytest.raises(StopIteration):
        uv_in(tmp_path, windows=not windows)
