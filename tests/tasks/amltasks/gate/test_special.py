"""scipy is loaded with the first call only, and a gate without rows makes none."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from amltasks.gate import special
from extension.sources import ROOT


def test_it_is_scipys() -> None:
    assert special.ndtr(0.0) == 0.5
    assert special.ndtri(0.975) == pytest.approx(1.959964, abs=1e-6)


def test_a_name_that_scipy_lacks_is_told() -> None:
    with pytest.raises(AttributeError, match="no_such_function"):
        _ = special.no_such_function


def test_judging_loads_neither_scipy_nor_matplotlib() -> None:
    code = """
import sys
import amltasks.evaluate_and_gate.task, amltasks.gate.judge, amltasks.report.html
print(sorted({"scipy", "matplotlib", "polars", "azure.devops"} & set(sys.modules)))
"""
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "PYTHONPATH": str(ROOT / "tasks")},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == "[]\n"
