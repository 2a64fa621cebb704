"""What a run or a registered model left behind: its metrics, its files, its predictions."""

from __future__ import annotations

import logging
import tempfile
from collections.abc import Mapping, Set
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from amltasks import errors, metrics
from amltasks.evaluate_and_gate.predictions import names
from amltasks.evaluate_and_gate.predictions.layout import Layout
from amltasks.gate.rows import Rows
from amltasks.workspace.port import Model, Run, Workspace

log = logging.getLogger("amltasks")

NO_ROWS = "none"
"""Instead of a path: predictions are left out on purpose."""


@dataclass(frozen=True, kw_only=True)
class Trail:
    """A run with its steps, and the files of each, by run id."""

    run: Run
    steps: tuple[Run, ...]
    files: Mapping[str, tuple[str, ...]]

    @property
    def all(self) -> tuple[Run, ...]:
        """The run and its steps."""
        return (self.run, *self.steps)

    def holders(self, path: str) -> tuple[Run, ...]:
        """Those that hold ``path``, a file or a folder."""
        wanted = path.strip("/")
        return tuple(
            each
            for each in self.all
            if any(f == wanted or f.startswith(wanted + "/") for f in self.files[each.id])
        )


def trail(workspace: Workspace, run_id: str) -> Trail:
    """Look at a run.

    Raises:
        TaskError: ``RUN_NOT_FOUND``
    """
    run = workspace.runs.get(run_id)
    steps = workspace.runs.steps(run.id)
    files = {each.id: workspace.runs.files(each.id) for each in (run, *steps)}
    return Trail(run=run, steps=steps, files=files)


def trail_of(workspace: Workspace, model: Model) -> Trail | None:
    """The run that made a model; None when it came from none, or the run has been deleted."""
    # The tag first: it names the pipeline's run, the model itself only the step that saved it.
    run_id = model.tags.get("run_id") or model.run_id
    if not run_id:
        return None
    try:
        return trail(workspace, run_id)
    except errors.TaskError as error:
        if error.cause is errors.RUN_NOT_FOUND:
            return None
        raise


def run_metrics(workspace: Workspace, found: Trail) -> dict[str, float]:
    """One set of metrics for a run and its steps."""
    return metrics.merged(
        workspace.runs.metrics(found.run.id),
        [(step.name, workspace.runs.metrics(step.id)) for step in found.steps],
    )


def model_metrics(
    workspace: Workspace, model: Model, found: Trail | None, needed: Set[str]
) -> dict[str, float]:
    """A registered model's metrics: its tags', and its run's for what the tags do not say."""
    tagged = metrics.from_tags(model.tags)
    if needed <= tagged.keys() or found is None:
        return tagged
    return {**run_metrics(workspace, found), **tagged}


def rows_of(workspace: Workspace, found: Trail, path: str, layout: Layout) -> Rows | None:
    """The predictions a run left behind, None when it left none.

    Args:
        workspace: where the run is.
        found: the run.
        path: the path of the file, or of a folder of part files, among the artifacts; empty looks
            for ``outputs/predictions`` with a usual ending. ``none`` looks nowhere.
        layout: what to read.

    Raises:
        TaskError: ``PREDICTIONS_INVALID``, also when several steps hold the file. Where the rules
            need no rows and no file was asked for by name, it is a warning.
    """
    if path == NO_ROWS:
        return None
    try:
        return _read(workspace, found, path, layout)
    except errors.TaskError as error:
        if layout.needed or path or error.cause is not errors.PREDICTIONS_INVALID:
            raise
        log.warning("No rule needs the predictions, so they are left out: %s", error.happened)
        return None


def _read(workspace: Workspace, found: Trail, path: str, layout: Layout) -> Rows | None:
    # With polars, which takes a fifth of a second to import.
    from amltasks.evaluate_and_gate.predictions import reader

    held = {each.id: names.located(found.files[each.id], path) for each in found.all}
    places = sorted(filter(None, held.values()), key=names.preference)
    if not places:
        return None
    name = places[0]
    holders = [each for each in found.all if held[each.id] == name]
    if len(holders) > 1:
        steps = ", ".join(each.name for each in holders)
        raise errors.PREDICTIONS_INVALID.error(
            path=name, detail=f"more than one step of run {found.run.id} holds it: {steps}"
        )
    # On Windows a file that was mapped into memory may resist a moment longer.
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        workspace.runs.download_files(holders[0].id, name, Path(folder))
        rows = reader.read(Path(folder, *PurePosixPath(name).parts), layout)
    for note in rows.notes:
        log.warning("%s: %s", name, note)
    return rows
