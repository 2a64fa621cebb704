"""Finding an interpreter for UsePythonVersion@0."""

from __future__ import annotations

import os
import sys

import pytest

from local.agent.errors import AgentError
from local.agent.host.python_versions import find_python, python_folders, satisfies


@pytest.mark.parametrize(
    ("version", "spec", "expected"),
    [
        ("3.11.7", "3.x", True),
        ("3.11.7", "3.11", True),
        ("3.11.7", "3.11.x", True),
        ("3.11.7", "3.1", False),
        ("3.11.7", "3.11.6", False),
        ("3.11.7", ">=3.10 <3.12", True),
        ("3.12.0", ">=3.10 <3.12", False),
        ("3.11.7", "~3.11.5", True),
        ("3.11.7", "^3.9", True),
        ("3.11.7", "latest", False),
    ],
)
def test_version_ranges(version, spec, expected):
    assert satisfies(version, spec) is expected


def test_use_python_version(play):
    mine = f"{sys.version_info[0]}.{sys.version_info[1]}"
    played = play(
        f"""
        steps:
        - task: UsePythonVersion@0
          name: py
          inputs: {{versionSpec: '{mine}'}}
        - script: |
            python -c 'import sys; print("%d.%d" % sys.version_info[:2])'
            python3 -c 'import sys; print("%d.%d" % sys.version_info[:2])'
            ls $(pythonLocation)/bin | grep -c '^python3*$'
          name: s
        """
    )
    assert played.lines("s") == [mine, mine, "2"]


def test_an_interpreter_alone_in_its_folder_gets_both_names(tmp_path):
    interpreter = tmp_path / "bin" / "python3.99"
    interpreter.parent.mkdir()
    interpreter.touch()
    location, folders = python_folders(interpreter, "3.99.0", tmp_path / "tools")
    assert folders == [location, location / "bin"]
    for name in ("python", "python3"):
        assert os.path.realpath(location / "bin" / name) == str(interpreter)


def test_no_python_in_the_range(tmp_path):
    with pytest.raises(AgentError, match=r"Version spec 2\.7 does not match any Python"):
        find_python("2.7", tmp_path, os.environ["PATH"])
