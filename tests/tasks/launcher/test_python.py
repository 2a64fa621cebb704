"""Which Python the launcher takes, and what it says when there is none."""

from __future__ import annotations

import json
import os
import re
import shutil
import sys
from pathlib import Path

import pytest

from tests.tasks.launcher.harness import Launcher, evaluated, tool_script


def pretender(path: Path, version: str, implementation: str = "CPython") -> Path:
    """A program that answers the launcher's question like some Python."""
    about = {
        "executable": str(path),
        "implementation": implementation,
        "version": version,
        "build": "any",
    }
    return tool_script(path, f"print({json.dumps(about)!r})\n")


def real(path: Path) -> Path:
    """The test's own Python under another path."""
    return tool_script(path, f"os.execv({sys.executable!r}, [{sys.executable!r}, *sys.argv[1:]])\n")


def path_of(*folders: Path) -> dict[str, str | None]:
    """A PATH of these folders, and one with node and uv alone; no pythonPath."""
    tools = folders[0].parent / "only-tools"
    tools.mkdir()
    for name in ("node", "uv"):
        found = shutil.which(
            name, path=f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
        )
        assert found
        (tools / name).symlink_to(found)
    return {"PATH": os.pathsep.join(map(str, [*folders, tools])), "INPUT_PYTHONPATH": ""}


def used(launcher: Launcher, **env: str | None) -> str:
    """The Python that the launcher says it uses."""
    outcome = launcher.run(env=env)
    assert outcome.result[0] == "Succeeded", outcome.stdout
    (line,) = re.findall(r"^Using Python \S+ at .*", outcome.log, flags=re.MULTILINE)
    assert isinstance(line, str)
    return line


def test_python_path_may_be_a_program_or_a_folder(launcher: Launcher) -> None:
    version = ".".join(map(str, sys.version_info[:3]))
    expected = f"Using Python {version} at {sys.executable}"
    for given in (sys.executable, Path(sys.executable).parent, Path(sys.executable).parents[1]):
        assert used(launcher, INPUT_PYTHONPATH=str(given)).startswith(expected)


def test_the_one_of_use_python_version_comes_first(launcher: Launcher, tmp_path: Path) -> None:
    chosen = real(tmp_path / "chosen" / "bin" / "python")
    other = pretender(tmp_path / "other" / "python3", "3.12.1")
    env = path_of(other.parent) | {"PYTHONLOCATION": str(chosen.parents[1])}
    assert f"at {sys.executable}" in used(launcher, **env)


def test_an_unsupported_python_on_the_path_is_passed_over(
    launcher: Launcher, tmp_path: Path
) -> None:
    pretender(tmp_path / "bin" / "python3", "3.14.0")
    tool_script(tmp_path / "bin" / "python", "sys.exit('this opens the store')")
    real(tmp_path / "bin" / "python3.11")
    assert f"at {sys.executable}" in used(launcher, **path_of(tmp_path / "bin"))


def test_behind_a_shim_that_leads_nowhere_the_path_goes_on(
    launcher: Launcher, tmp_path: Path
) -> None:
    tool_script(tmp_path / "shims" / "python3", "sys.exit('no version is set')")
    real(tmp_path / "usr" / "python3")
    path = path_of(tmp_path / "shims", tmp_path / "usr")
    assert f"at {sys.executable}" in used(launcher, **path)


@pytest.mark.parametrize(
    ("version", "implementation"),
    [("3.9.18", "CPython"), ("3.13.0", "CPython"), ("3.10.14", "PyPy")],
)
def test_the_wrong_python_is_named(
    launcher: Launcher, tmp_path: Path, version: str, implementation: str
) -> None:
    wrong = pretender(tmp_path / "bin" / "python3", version, implementation)
    (error,) = launcher.run(env=path_of(wrong.parent)).errors
    assert error.startswith(
        "PYTHON_UNSUPPORTED: The task needs Python 3.10, 3.11 or 3.12, "
        f"and found only {implementation} {version} ({wrong}). Next: "
    )
    assert "UsePythonVersion@0" in error


def test_no_python_at_all(launcher: Launcher, tmp_path: Path) -> None:
    (tmp_path / "bin").mkdir()
    (error,) = launcher.run(env=path_of(tmp_path / "bin")).errors
    assert error.startswith("PYTHON_NOT_FOUND: No Python could be started; looked for python3 and")
    assert "UsePythonVersion@0" in error


@pytest.mark.parametrize("given", ["/nowhere/python", "/etc/passwd/python", "sources"])
def test_a_wrong_python_path_is_named_and_nothing_else_is_taken(
    launcher: Launcher, given: str
) -> None:
    given = str(launcher.sources) if given == "sources" else given
    (error,) = launcher.run(env={"INPUT_PYTHONPATH": given}).errors
    assert error.startswith(f"PYTHON_NOT_FOUND: No Python could be started; looked for '{given}'")


def tried(wanted: str, path: str, *there: str) -> list[list[str]]:
    """What Windows tries when these files are there, each a command with its arguments."""
    code = """
import { candidates } from './python';
import { WINDOWS } from './system';
const fs = require('node:fs');
const there = THERE;
const isFolder = (name) => name === FOLDER;
fs.existsSync = (name) => there.includes(name) || isFolder(name);
fs.statSync = (name) => ({ isFile: () => there.includes(name), isDirectory: () => isFolder(name) });
const found = candidates(WANTED, { PATH: SEARCHED }, WINDOWS);
console.log(JSON.stringify(found.map(({ command, args }) => [command, ...args])));
"""
    values = {"THERE": there, "FOLDER": "D:\\python", "WANTED": wanted, "SEARCHED": path}
    for name, value in values.items():
        code = code.replace(name, json.dumps(value))
    found = json.loads(evaluated(code))
    assert isinstance(found, list)
    return found


def test_on_windows_it_is_looked_for_on_the_path_and_by_py() -> None:
    there = [r"C:\py\python.exe", r"C:\Windows\py.exe", r"C:\Windows\python3.exe"]
    assert tried("", r"C:\py;;tools;C:\Windows", *there, r"tools\python.exe", "python.exe") == [
        [r"C:\Windows\python3.exe"],
        [r"C:\py\python.exe"],
        [r"C:\Windows\py.exe", "-3.12"],
        [r"C:\Windows\py.exe", "-3.11"],
        [r"C:\Windows\py.exe", "-3.10"],
    ]


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        ("python3.11.exe", [r"C:\py\python3.11.exe"]),
        ("python.exe", [r"C:\py\python.exe"]),
        ("python", [r"C:\py\python.exe"]),
        (r"D:\python", [r"D:\python\python.exe", r"D:\python\Scripts\python.exe"]),
        ("E:/other/python.exe", [r"E:\other\python.exe"]),
    ],
)
def test_on_windows_python_path_is_a_name_a_file_or_a_folder(wanted: str, found: list[str]) -> None:
    there = [r"C:\py\python3.11.exe", r"C:\py\python.exe"]
    there += [r"D:\python\python.exe", r"D:\python\Scripts\python.exe"]
    assert tried(wanted, r"C:\py", *there) == [[each] for each in found]
