"""Registering the model that passed, or tagging the registered one, unless another was first."""

from __future__ import annotations

import dataclasses
import logging
import uuid
from collections.abc import Mapping, Set
from dataclasses import dataclass

from amltasks import metrics
from amltasks.azure_pipelines import builds
from amltasks.azure_pipelines.agent import Job
from amltasks.evaluate_and_gate import promotion
from amltasks.evaluate_and_gate.candidates import Judged
from amltasks.gate.measured import Measured
from amltasks.gate.verdict import Reason, Verdict
from amltasks.workspace.port import Model, Workspace

log = logging.getLogger("amltasks")


@dataclass(frozen=True, kw_only=True)
class Plan:
    """How a model is registered: the task's inputs of these names.

    ``attempt`` are the tags of this step's attempt, see `attempts.tags`; ``metrics`` the names of
    those that the version is to carry beside the logged ones.
    """

    model_name: str
    model_path: str
    model_description: str
    model_tags: Mapping[str, str]
    promote_tags: Mapping[str, str]
    attempt: Mapping[str, str]
    metrics: Set[str]


def promote(
    job: Job,
    plan: Plan,
    candidate: Judged,
    over: promotion.Incumbent,
    verdict: Verdict,
    workspace: Workspace,
) -> tuple[Model, Verdict]:
    """Register the run's model or tag the registered one, unless another build was first."""
    if candidate.promoted and candidate.model:
        log.info("An earlier attempt has promoted version %d of this run", candidate.model.version)
        return candidate.model, verdict
    by = job.handover.variable("build.buildid") or uuid.uuid4().hex[:8]
    # Measured from the rows where they tell it: what was logged is the candidate's word.
    measured = Measured(metrics=candidate.metrics, rows=candidate.rows).all_rows(plan.metrics)
    tags = {
        **plan.model_tags,
        "run_id": candidate.run_id,
        **builds.model_tags(job.handover),
        **metrics.as_tags(measured),
    }
    if candidate.rows is not None:
        tags[promotion.EVALUATION] = candidate.rows.digest
    claim = promotion.claim(over.key, by, plan.attempt)
    model: Model | None = None
    try:
        with job.cancellation.held():
            if candidate.model:
                model = workspace.models.tag(candidate.model, claim)
            else:
                model = workspace.models.register(
                    run_id=candidate.holder_id,
                    path=plan.model_path.strip("/"),
                    name=plan.model_name,
                    tags={**tags, **claim},
                    description=plan.model_description,
                )
                log.info("Registered model %s:%d", model.name, model.version)
    except KeyboardInterrupt:
        if model is not None:
            promotion.withdraw(workspace.models, model)
        raise
    outcome = promotion.settle(
        workspace.models,
        model,
        over,
        tags={**tags, **plan.promote_tags},
        pause=job.cancellation.pause,
    )
    if not outcome.stepped_back:
        return outcome.model, verdict
    stepped_back = dataclasses.replace(
        verdict, reason=Reason.STEPPED_BACK, detail=outcome.stepped_back
    )
    return outcome.model, stepped_back
