"""How dev.py hands over where a process can become another one, and where it cannot."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
HAND_OVER = """
import sys
from devtools import programs
programs.WINDOWS = sys.argv[1] == "windows"
programs.tool_path = lambda: {"MARK": "ours"}
programs.hand_over([sys.executable, "-c", sys.argv[2]])
"""
CHILD = "import os, sys; print(os.getppid(), os.environ['MARK']); sys.exit(7)"


@pytest.mark.parametrize("system", ["windows", "other"])
def test_the_exit_code_is_that_of_the_program(system: str) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", HAND_OVER, system, CHILD],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout
        parent, mark = process.stdout.read().split()
    assert process.returncode == 7
    assert mark == "ours"
    # On Windows it is a child; elsewhere the process itself has become it.
    assert (int(parent) == process.pid) == (system == "windows")
