"""Where the development environment cannot be made, and that this is true of the lock."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from devtools.machine import NO_TENSORFLOW, unsupported

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize(
    ("system", "processor", "why"),
    [
        ("darwin", "x86_64", NO_TENSORFLOW),
        ("darwin", "arm64", ""),
        ("linux", "x86_64", ""),
        ("win32", "AMD64", ""),
    ],
)
def test_only_intel_macs_are_refused(system: str, processor: str, why: str) -> None:
    assert unsupported(system, processor) == why


def test_it_is_told_before_anything_is_made(tmp_path: Path) -> None:
    code = """
import platform, sys
sys.platform = "darwin"
platform.machine = lambda: "x86_64"
import dev
from devtools import environments
environments.environment = lambda name: print("made", name)
dev.main(["demo"])
"""
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    assert done.stdout == ""
    assert f"dev.py: {NO_TENSORFLOW}. Next: use Linux, " in done.stderr


def test_the_lock_has_tensorflow_for_macs() -> None:
    lock = (ROOT / "requirements" / "dev.txt").read_text(encoding="utf-8")
    (version,) = re.findall(r"^tensorflow==(\S+) ; sys_platform == 'darwin'", lock, re.MULTILINE)
    assert tuple(map(int, version.split(".")[:2])) > (2, 16)
