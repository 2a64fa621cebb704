"""What is judged: the model that a run made, or a registered version."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass, field

from amltasks import errors
from amltasks.evaluate_and_gate import evidence, promotion
from amltasks.evaluate_and_gate.predictions.layout import Layout
from amltasks.gate.rows import Rows
from amltasks.gate.rules import Rules
from amltasks.workspace.port import COMPLETED, Model, Workspace

log = logging.getLogger("amltasks")


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """Which candidate is asked for: a registered ``version``, or with 0 the model of a run."""

    model_name: str
    run_id: str = ""
    version: int = 0
    model_path: str = ""
    predictions_path: str = ""


@dataclass(frozen=True, kw_only=True)
class Judged:
    """What is judged. ``holder_id`` is the run or step with the model's files, ``model`` the
    version when it is registered already, ``promoted`` whether an earlier attempt of this very step
    has promoted it. ``url`` is the run's page, empty when it is not known.
    """

    metrics: Mapping[str, float]
    run_id: str
    url: str = ""
    holder_id: str = ""
    model: Model | None = None
    promoted: bool = False
    rows: Rows | None = field(default=None, repr=False)


def find(wanted: Wanted, rules: Rules, attempt: Mapping[str, str], workspace: Workspace) -> Judged:
    """Look for the candidate.

    Args:
        wanted: which.
        rules: what is to be known of it.
        attempt: the tags of this step's attempt, see `attempts.tags`.
        workspace: where it is.

    Raises:
        TaskError: ``RUN_NOT_FOUND``, ``MODEL_NOT_FOUND``, ``CANDIDATE_NOT_COMPLETED``,
            ``MODEL_FILES_NOT_FOUND``, ``MODEL_FILES_AMBIGUOUS``, ``PREDICTIONS_INVALID``
    """
    if wanted.version:
        model = workspace.models.get(wanted.model_name, wanted.version)
        found = evidence.trail_of(workspace, model)
        return Judged(
            metrics=evidence.model_metrics(workspace, model, found, rules.metrics),
            run_id=found.run.id if found else "",
            url=found.run.url if found else "",
            model=model,
            rows=_rows(wanted, found, rules, workspace),
        )
    found = evidence.trail(workspace, wanted.run_id)
    run = found.run
    log.info("The candidate is run %s (%s) with %d steps", run.id, run.status, len(found.steps))
    if run.status not in COMPLETED:
        raise errors.CANDIDATE_NOT_COMPLETED.error(run=run.id, status=run.status, url=run.url)
    holders = found.holders(wanted.model_path)
    if not holders:
        raise errors.MODEL_FILES_NOT_FOUND.error(run=run.id, path=wanted.model_path)
    if len(holders) > 1:
        raise errors.MODEL_FILES_AMBIGUOUS.error(
            run=run.id, path=wanted.model_path, holders=", ".join(each.name for each in holders)
        )
    versions = workspace.models.versions(wanted.model_name)
    earlier = promotion.of_earlier_attempt(versions, run.id, attempt)
    return Judged(
        metrics=evidence.run_metrics(workspace, found),
        run_id=run.id,
        url=run.url,
        holder_id=holders[0].id,
        model=earlier,
        promoted=earlier is not None,
        rows=_rows(wanted, found, rules, workspace),
    )


def _rows(
    wanted: Wanted, found: evidence.Trail | None, rules: Rules, workspace: Workspace
) -> Rows | None:
    """The candidate's predictions, None when it left none and none were asked for by name."""
    rows = (
        evidence.rows_of(workspace, found, wanted.predictions_path, Layout.of(rules))
        if found
        else None
    )
    if rows is None and wanted.predictions_path not in ("", evidence.NO_ROWS):
        where = (
            f"run {found.run.id} and its steps" if found else "the model, whose run is not known,"
        )
        raise errors.PREDICTIONS_INVALID.error(
            path=wanted.predictions_path, detail=f"{where} left no such file"
        )
    return rows
