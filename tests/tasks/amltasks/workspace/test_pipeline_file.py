"""A consumer's pipeline file in Python: what it may import, and what its neighbours may not do."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path

import pytest

from amltasks.workspace.pipeline_file import PipelineFile, build

HOOK = """
import neighbour

def build_pipeline(workspace):
    return {"from": neighbour.NAME}
"""


def test_a_neighbour_is_imported_and_takes_no_other_modules_place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "path", [entry for entry in sys.path if entry])
    (tmp_path / "pipeline.py").write_text(HOOK)
    (tmp_path / "neighbour.py").write_text("NAME = 'the neighbour'\n")
    names = ("wave", "yaml", "click")
    for name in names:
        (tmp_path / f"{name}.py").write_text("raise SystemExit('the wrong module')")
        monkeypatch.delitem(sys.modules, name, raising=False)
    monkeypatch.delitem(sys.modules, "neighbour", raising=False)
    built, _, _ = build(PipelineFile(path=tmp_path / "pipeline.py", wanted=""), None, {}, kind=dict)
    assert built == {"from": "the neighbour"}
    # What an SDK imports only later is still its own.
    for name in names:
        assert str(tmp_path) not in (importlib.import_module(name).__file__ or "")
