"""The notebook runs from its first cell to its last, and is kept without what it printed."""

from __future__ import annotations

from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

NAME = "explore.ipynb"


def test_it_is_kept_without_outputs(sample_folder: Path) -> None:
    notebook = nbformat.read(sample_folder / NAME, as_version=4)
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert len(code) > 5
    assert all(not cell.outputs and cell.execution_count is None for cell in code)


@pytest.mark.tensorflow
def test_it_runs(sample_folder: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("NOTEBOOK_ROWS", "4000")
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    before = set(sample_folder.iterdir())
    notebook = nbformat.read(sample_folder / NAME, as_version=4)
    resources = {"metadata": {"path": str(sample_folder)}}
    # Raises CellExecutionError with the traceback of the cell that fails.
    NotebookClient(notebook, timeout=600, kernel_name="python3", resources=resources).execute()
    shown = "".join(
        output.get("data", {}).get("text/plain", "") + output.get("text", "")
        for cell in notebook.cells
        if cell.cell_type == "code"
        for output in cell.outputs
    )
    assert "Nothing deserves a look." in shown
    assert "'predictions': [0, 1]" in shown
    assert "(400," in shown
    assert set(sample_folder.iterdir()) == before
