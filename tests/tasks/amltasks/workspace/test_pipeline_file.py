"""A consumer's pipeline file in Python: what it may import, and what its neighbours may not do."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path

import pytest

from amltasks.errors import TaskError
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


@pytest.mark.parametrize("key", ["component", "environment"])
def test_no_file_that_the_sdk_reads_may_be_nested_without_end(tmp_path: Path, key: str) -> None:
    path = tmp_path / "pipeline.yml"
    path.write_text(f"jobs: {{train: {{{key}: file:./named.yml, x: {'y' * 300}}}}}\n")
    (tmp_path / "named.yml").write_text("name: train\nenvironment: other.yml\n")
    (tmp_path / "other.yml").write_text("environment: named.yml\ncomponent: !own x\n")
    file = PipelineFile(path=path, wanted="give another")
    assert file.checked()["jobs"]["train"][key] == "file:./named.yml"
    (tmp_path / "other.yml").unlink()
    assert file.checked()
    (tmp_path / "other.yml").write_text("[" * 5000)
    with pytest.raises(TaskError, match=r"it names 'other\.yml', and it is nested deeper than 50"):
        file.checked()
    path.write_text("[" * 5000)
    with pytest.raises(TaskError, match="it is no YAML: it is nested deeper than 50"):
        file.checked()
