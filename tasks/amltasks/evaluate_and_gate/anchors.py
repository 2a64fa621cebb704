"""Earlier verdicts on the same rows: the model that the total loss is held to, and how many."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass, field

from amltasks import errors, metrics
from amltasks.azure_pipelines import devops
from amltasks.azure_pipelines.agent import Job
from amltasks.evaluate_and_gate import evidence, promotion
from amltasks.evaluate_and_gate.predictions.layout import Layout
from amltasks.gate import rule_sense
from amltasks.gate.rows import Rows
from amltasks.gate.rules import Rules
from amltasks.gate.verdict import Baseline, Past
from amltasks.workspace.port import Model, Workspace

log = logging.getLogger("amltasks")

_TRIED = 3
"""So many of the best earlier versions are asked for their predictions."""
MOST_PAST = 20


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """Whose earlier verdicts are asked for; ``own_version`` is the candidate's, 0 for none."""

    model_name: str
    own_version: int
    predictions_path: str
    rules: Rules
    rows: Rows | None = field(repr=False)


@dataclass(frozen=True, kw_only=True)
class Earlier:
    """The anchor, None where there is none; earlier looks at these rows; earlier promotions."""

    anchor: Baseline | None
    looks: int
    past: tuple[Past, ...]


def find(job: Job, wanted: Wanted, baseline: Baseline | None, workspace: Workspace) -> Earlier:
    """Look for the earlier verdicts on the candidate's rows.

    Raises:
        TaskError: what Azure can answer; of Azure DevOps only where the rules spend looks.
    """
    versions = [
        each
        for each in workspace.models.versions(wanted.model_name)
        if each.version != wanted.own_version
    ]
    digest = wanted.rows.digest if wanted.rows is not None else ""
    same = [each for each in versions if digest and each.tags.get(promotion.EVALUATION) == digest]
    promoted = [each for each in same if each.tags.get(promotion.STATE) == promotion.PROMOTED]
    return Earlier(
        anchor=_anchor(wanted, promoted, baseline, workspace),
        looks=_looks(job, wanted.rules, digest, len(same)),
        past=tuple(_past(each) for each in reversed(promoted[:MOST_PAST])),
    )


def _anchor(
    wanted: Wanted, promoted: Sequence[Model], baseline: Baseline | None, workspace: Workspace
) -> Baseline | None:
    rules = wanted.rules
    if rules.anchor == "none" or not any(rule.max_loss for rule in rules.rules):
        return None
    try:
        if isinstance(rules.anchor, int):
            model = workspace.models.get(wanted.model_name, rules.anchor)
            return _unless_baseline(_as_baseline(wanted, model, workspace), baseline)
        ordered = _ordered(rules, promoted)
        for model in ordered[:_TRIED]:
            found = _as_baseline(wanted, model, workspace)
            if found.rows is not None:
                return _unless_baseline(found, baseline)
    except errors.TaskError as error:
        label = f"the anchor ({rules.anchor}) of {wanted.model_name}"
        return Baseline(label=label, unreachable=f"{error.cause.code}: {error.happened}")
    if ordered:
        log.info("No earlier version on these rows has predictions: the total loss is not checked")
    return None


def _unless_baseline(found: Baseline, baseline: Baseline | None) -> Baseline | None:
    """The anchor, unless it is the baseline itself, to which the rules hold the candidate."""
    if baseline and (baseline.model, baseline.version) == (found.model, found.version):
        return None
    return found


def _ordered(rules: Rules, promoted: Sequence[Model]) -> list[Model]:
    """The versions that may be the anchor, the most fitting first."""
    if rules.anchor == "first":
        return sorted(promoted, key=lambda each: each.version)
    metric = next(rule.metric for rule in rules.rules if rule.max_loss is not None)
    sign = -1.0 if rule_sense.direction(metric) == "lower" else 1.0
    values = [(metrics.from_tags(each.tags).get(metric), each) for each in promoted]
    known = [(sign * value, -each.version, each) for value, each in values if value is not None]
    return [each for _, _, each in sorted(known, key=lambda found: found[:2], reverse=True)]


def _as_baseline(wanted: Wanted, model: Model, workspace: Workspace) -> Baseline:
    found = evidence.trail_of(workspace, model)
    rows = None
    if found is not None:
        layout = Layout.of(wanted.rules)
        rows = evidence.rows_of(workspace, found, wanted.predictions_path, layout)
    return Baseline(
        label=f"the anchor {model.name}:{model.version}",
        model=model.name,
        version=str(model.version),
        metrics=metrics.from_tags(model.tags),
        rows=rows,
    )


def _looks(job: Job, rules: Rules, digest: str, versions: int) -> int:
    """How often these rows were looked at: by builds that a gate tagged, or else by versions."""
    client = devops.connect(job)
    if client is None or not digest:
        return versions
    try:
        return max(versions, client.builds_with(devops.look(digest)))
    except errors.TaskError:
        if rules.looks == "spend":
            raise
        return versions


def _past(model: Model) -> Past:
    return Past(
        version=str(model.version),
        build=model.tags.get("build_number", ""),
        metrics=metrics.from_tags(model.tags),
    )
